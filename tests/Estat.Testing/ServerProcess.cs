// The real server as a process of its own: what a test can only learn by starting, killing and restarting it.

using System.Globalization;
using System.Net.Security;
using Estat.Base.Network;

namespace Estat.Testing;

/// <summary>
/// Estat.Api, or another program of this repository with its HTTP, built in the configuration of the running test; see <see cref="ChildProcess"/> for
/// what it runs in. Paths that shall outlive the process have to be given.
/// </summary>
public sealed class ServerProcess : IAsyncDisposable
{
    private const string Standalone = "Estat.Api";
    private const string AddressOption = "HTTP_ADDR";
    private static readonly TimeSpan ReadyLimit = TimeSpan.FromSeconds(120);
    private readonly ChildProcess _process;

    private ServerProcess(string assembly, string name, IReadOnlyDictionary<string, string> environment, string[] args)
    {
        var address = environment.GetValueOrDefault(AddressOption) ?? $"127.0.0.1:{FreePort.Next()}";
        BaseAddress = new Uri(
            $"{(environment.ContainsKey("HTTP_TLS_CERT") ? "https" : "http")}://127.0.0.1:{address[(address.LastIndexOf(':') + 1)..]}");
        // the test's own
        var handler = new SocketsHttpHandler { SslOptions = { RemoteCertificateValidationCallback = (_, _, _, faults) =>
            faults != SslPolicyErrors.RemoteCertificateNotAvailable } };
        Client = new HttpClient(Through(new BrokenConnections(handler))) { BaseAddress = BaseAddress, Timeout = TimeSpan.FromSeconds(120) };
        _process = ChildProcess.Launch(
            name, ChildProcess.AssemblyCommand(assembly, args), new Dictionary<string, string>(environment) { [AddressOption] = address });
    }

    /// <summary>What stands between <see cref="Client"/> and the network; a test assembly sets it before its first test.</summary>
    public static Func<HttpMessageHandler, HttpMessageHandler> Through { get; set; } = handler => handler;

    /// <summary>Where the server listens.</summary>
    public Uri BaseAddress { get; }

    /// <summary>Sends requests to <see cref="BaseAddress"/>.</summary>
    public HttpClient Client { get; }

    /// <summary>The process's number.</summary>
    public int Id => _process.Id;

    /// <summary>Whether the process has ended.</summary>
    public bool HasExited => _process.HasExited;

    /// <summary>The lines printed so far, both streams, in the order in which they came.</summary>
    public IReadOnlyList<string> Output => _process.Output;

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
    public TimeSpan CpuTime => _process.CpuTime;

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
    public static ServerProcess Launch(IReadOnlyDictionary<string, string> environment, params string[] args) =>
        LaunchProject(Standalone, "the server", environment, args);

    /// <summary>Starts the standalone server of another build, and returns at once.</summary>
    /// <param name="assembly">Path of its Estat.Api.dll.</param>
    /// <param name="environment">Its options.</param>
    public static ServerProcess LaunchBuild(string assembly, IReadOnlyDictionary<string, string> environment) =>
        new(assembly, "the other build's server", environment, []);

    /// <summary>Starts another program of this repository that answers <c>/health/ready</c> and <c>/metrics</c>, and returns at once.</summary>
    /// <param name="project">Its project.</param>
    /// <param name="name">Names the process in complaints.</param>
    /// <param name="environment">Its options.</param>
    /// <param name="args">Its arguments.</param>
    public static ServerProcess LaunchProject(string project, string name, IReadOnlyDictionary<string, string> environment, params string[] args) =>
        new(Repository.Assembly(project), name, environment, args);

    /// <summary>Runs the server until it ends by itself, as it does when an option is wrong.</summary>
    /// <exception cref="TimeoutException">It had not ended in time; it was killed.</exception>
    public static async Task<(int ExitCode, string Output)> RunToEndAsync(
        IReadOnlyDictionary<string, string> environment, string[] args, TimeSpan timeout)
    {
        await using var server = Launch(environment, args);
        var exitCode = await server.WaitForExitAsync(timeout);
        return (exitCode, server._process.AllOutput);
    }

    /// <summary>Returns once GET /health/ready answers 200.</summary>
    public Task UntilReadyAsync(TimeSpan timeout)
    {
        var seen = "nothing";
        return Wait.UntilAsync(
            async () =>
            {
                _process.ThrowIfEnded("it was ready");
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
            () => $"{seen}; the server printed:\n{_process.AllOutput}");
    }

    /// <summary>Asks the server to finish, as an orchestrator does.</summary>
    public void Terminate() => _process.Terminate();

    /// <summary>Asks the server to finish, as Ctrl-C does.</summary>
    public void Interrupt() => _process.Interrupt();

    /// <summary>Ends the process on the spot: nothing of it runs any more once its exit is seen.</summary>
    public void Kill() => _process.Kill();

    /// <summary>Sends a signal; to a process that has ended, none.</summary>
    public void Signal(int signal) => _process.Signal(signal);

    /// <summary>The exit code once the process has ended and all its output was read; 128 + n if signal n ended it.</summary>
    public Task<int> WaitForExitAsync(TimeSpan timeout) => _process.WaitForExitAsync(timeout);

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
        await _process.DisposeAsync();
        Client.Dispose();
    }
}
