// The real server as a process of its own: what a test can only learn by starting, killing and restarting it.

using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;

namespace Estat.Testing;

/// <summary>
/// Estat.Api, built in the configuration of the running test, with an environment that holds what the test gives and nothing of the
/// machine's options. Its working directory is empty and temporary: paths that shall outlive the process have to be given.
/// It dies with the test process.
/// </summary>
public sealed partial class ServerProcess : IAsyncDisposable
{
    private const string Project = "Estat.Api";
    private const string AddressOption = "HTTP_ADDR";
    private const int SigInt = 2;
    private const int SigKill = 9;
    private const int SigTerm = 15;
    private static readonly TimeSpan ReadyLimit = TimeSpan.FromSeconds(120);
    private static readonly TimeSpan KillLimit = TimeSpan.FromSeconds(120);
    private static readonly string[] Kept = ["PATH", "HOME", "TMPDIR", "LANG", "TZ", "USER", "LD_LIBRARY_PATH"];

    private readonly Lock _lock = new();
    private readonly List<string> _output = [];
    private readonly TempFolder _folder = new();
    private readonly TaskCompletionSource<Process> _started = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource<int> _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Process _process;

    private ServerProcess(IReadOnlyDictionary<string, string> environment, string[] args)
    {
        var address = environment.GetValueOrDefault(AddressOption) ?? $"127.0.0.1:{FreePort.Next()}";
        BaseAddress = new Uri($"http://127.0.0.1:{address[(address.LastIndexOf(':') + 1)..]}");
        Client = new HttpClient { BaseAddress = BaseAddress, Timeout = TimeSpan.FromSeconds(120) };
        var start = StartInfo(environment, address, args);
        // The kernel ties "die with your parent" to the thread that started the child: this one lives as long as the child does.
        new Thread(() => Run(start)) { IsBackground = true, Name = Project }.Start();
        _process = _started.Task.GetAwaiter().GetResult();
    }

    /// <summary>Where the server listens.</summary>
    public Uri BaseAddress { get; }

    /// <summary>Sends requests to <see cref="BaseAddress"/>.</summary>
    public HttpClient Client { get; }

    /// <summary>The process's number.</summary>
    public int Id => _process.Id;

    /// <summary>Whether the process has ended.</summary>
    public bool HasExited => _ended.Task.IsCompleted;

    /// <summary>The lines printed so far, both streams, in the order in which they came.</summary>
    public IReadOnlyList<string> Output
    {
        get
        {
            lock (_lock)
            {
                return [.. _output];
            }
        }
    }

    /// <summary>Bytes of memory that the process occupies (VmRSS).</summary>
    public long ResidentBytes
    {
        get
        {
            var line = File.ReadLines($"/proc/{Id}/status").First(l => l.StartsWith("VmRSS:", StringComparison.Ordinal));
            return 1024 * long.Parse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture);
        }
    }

    /// <summary>Processor time, user and system, that the process has used since its start.</summary>
    public TimeSpan CpuTime
    {
        get
        {
            _process.Refresh();
            return _process.TotalProcessorTime;
        }
    }

    /// <summary>Starts the server and returns once GET /health/ready answers 200.</summary>
    /// <exception cref="InvalidOperationException">The server ended before; the message holds what it printed.</exception>
    public static async Task<ServerProcess> StartAsync(IReadOnlyDictionary<string, string> environment, params string[] args)
    {
        var server = Launch(environment, args);
        try
        {
            await server.UntilReadyAsync(ReadyLimit);
            return server;
        }
        catch
        {
            await server.DisposeAsync();
            throw;
        }
    }

    /// <summary>Starts the server and returns at once, ready or not.</summary>
    public static ServerProcess Launch(IReadOnlyDictionary<string, string> environment, params string[] args) => new(environment, args);

    /// <summary>Runs the server until it ends by itself, as it does when an option is wrong.</summary>
    /// <exception cref="TimeoutException">It had not ended in time; it was killed.</exception>
    public static async Task<(int ExitCode, string Output)> RunToEndAsync(
        IReadOnlyDictionary<string, string> environment, string[] args, TimeSpan timeout)
    {
        await using var server = Launch(environment, args);
        var exitCode = await server.WaitForExitAsync(timeout);
        return (exitCode, server.AllOutput());
    }

    /// <summary>Returns once GET /health/ready answers 200.</summary>
    public Task UntilReadyAsync(TimeSpan timeout)
    {
        var seen = "nothing";
        return Wait.UntilAsync(
            async () =>
            {
                if (_ended.Task.IsCompleted)
                {
                    throw new InvalidOperationException($"the server ended with {await _ended.Task} before it was ready:\n{AllOutput()}");
                }

                try
                {
                    using var response = await Client.GetAsync(new Uri("/health/ready", UriKind.Relative));
                    seen = $"{(int)response.StatusCode}";
                    return response.IsSuccessStatusCode;
                }
                catch (Exception e) when (e is HttpRequestException or OperationCanceledException)
                {
                    seen = e.Message;
                    return false;
                }
            },
            timeout,
            $"{BaseAddress}health/ready to answer 200",
            () => $"{seen}; the server printed:\n{AllOutput()}");
    }

    /// <summary>Asks the server to finish, as an orchestrator does.</summary>
    public void Terminate() => Signal(SigTerm);

    /// <summary>Asks the server to finish, as Ctrl-C does.</summary>
    public void Interrupt() => Signal(SigInt);

    /// <summary>Ends the process on the spot: nothing of it runs any more once its exit is seen.</summary>
    public void Kill() => Signal(SigKill);

    /// <summary>Sends a signal; to a process that has ended, none.</summary>
    public void Signal(int signal)
    {
        if (!HasExited && SendSignal(Id, signal) != 0 && Marshal.GetLastPInvokeError() is var error and not 3)
        {
            throw new InvalidOperationException($"kill({Id}, {signal}) failed: {Marshal.GetPInvokeErrorMessage(error)}");
        }
    }

    /// <summary>The exit code once the process has ended and all its output was read; 128 + n if signal n ended it.</summary>
    public async Task<int> WaitForExitAsync(TimeSpan timeout)
    {
        try
        {
            return await _ended.Task.WaitAsync(timeout);
        }
        catch (TimeoutException)
        {
            throw new TimeoutException($"waited {timeout.TotalSeconds:0.###} s for the server to end; it printed:\n{AllOutput()}");
        }
    }

    /// <summary>The samples of GET /metrics; the key is the name with its labels as printed, such as <c>x_total{reason="full"}</c>.</summary>
    public async Task<IReadOnlyDictionary<string, double>> MetricsAsync()
    {
        var samples = new Dictionary<string, double>(StringComparer.Ordinal);
        foreach (var line in (await Client.GetStringAsync(new Uri("/metrics", UriKind.Relative))).Split('\n', StringSplitOptions.TrimEntries))
        {
            if (line.Length == 0 || line[0] == '#')
            {
                continue;
            }

            // Labels may hold spaces; neither the value nor the timestamp that may follow it can hold a brace.
            var labelsEnd = line.LastIndexOf('}') + 1;
            var keyEnd = line.IndexOf(' ', labelsEnd);
            var value = line[(keyEnd + 1)..].Split(' ', StringSplitOptions.RemoveEmptyEntries)[0];
            samples.Add(line[..keyEnd], value switch
            {
                "+Inf" => double.PositiveInfinity,
                "-Inf" => double.NegativeInfinity,
                _ => double.Parse(value, CultureInfo.InvariantCulture),
            });
        }

        return samples;
    }

    public async ValueTask DisposeAsync()
    {
        Kill();
        await WaitForExitAsync(KillLimit);
        Client.Dispose();
        _process.Dispose();
        _folder.Dispose();
    }

    private ProcessStartInfo StartInfo(IReadOnlyDictionary<string, string> environment, string address, string[] args)
    {
        // env: a test run in the background of a shell ignores SIGINT, and its children would inherit that.
        // setpriv: both tools become the server (exec), so that signals sent to the child reach the server itself.
        var dotnet = Environment.ProcessPath is { } path && Path.GetFileNameWithoutExtension(path) == "dotnet" ? path : "dotnet";
        string[] command = [dotnet, Repository.Assembly(Project), .. args];
        string[] wrapped = Command.Exists("setpriv")
            ? ["--default-signal=INT,QUIT,TERM", "setpriv", "--pdeathsig", "KILL", .. command]
            : ["--default-signal=INT,QUIT,TERM", .. command];
        var start = new ProcessStartInfo("env", wrapped)
        {
            WorkingDirectory = _folder.Path,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            StandardOutputEncoding = Encoding.UTF8,
            StandardErrorEncoding = Encoding.UTF8,
        };
        foreach (var name in start.Environment.Keys.ToList())
        {
            if (!Kept.Contains(name) && !name.StartsWith("DOTNET_", StringComparison.Ordinal))
            {
                start.Environment.Remove(name);
            }
        }

        // Without it the AWS SDK looks for credentials at an address that answers only on EC2, and waits for it elsewhere.
        start.Environment["AWS_EC2_METADATA_DISABLED"] = "true";
        start.Environment[AddressOption] = address;
        foreach (var (name, value) in environment)
        {
            start.Environment[name] = value;
        }

        return start;
    }

    private void Run(ProcessStartInfo start)
    {
        try
        {
            var process = new Process { StartInfo = start };
            process.OutputDataReceived += (_, line) => Keep(line.Data);
            process.ErrorDataReceived += (_, line) => Keep(line.Data);
            process.Start();
            process.StandardInput.Close();
            process.BeginOutputReadLine();
            process.BeginErrorReadLine();
            _started.SetResult(process);
            process.WaitForExit();
            _ended.SetResult(process.ExitCode);
        }
        catch (Exception e)
        {
            _started.TrySetException(e);
            _ended.TrySetException(e);
        }
    }

    private void Keep(string? line)
    {
        if (line is not null)
        {
            lock (_lock)
            {
                _output.Add(line);
            }
        }
    }

    private string AllOutput() => string.Join('\n', Output);

    [LibraryImport("libc", EntryPoint = "kill", SetLastError = true)]
    private static partial int SendSignal(int process, int signal);
}
