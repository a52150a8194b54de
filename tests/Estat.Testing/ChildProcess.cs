// A program that a test starts, and that never outlives it.

using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Text;

namespace Estat.Testing;

/// <summary>
/// One process, with an environment that holds what the test gives and nothing of the machine's options, in a working directory that is empty and
/// temporary. All that it prints is kept. It dies with the test process.
/// </summary>
public sealed partial class ChildProcess : IAsyncDisposable
{
    private const int SigInt = 2;
    private const int SigKill = 9;
    private const int SigTerm = 15;
    private const int SigCont = 18;
    private const int SigStop = 19;
    private const int NoSuchProcess = 3;
    private static readonly TimeSpan KillLimit = TimeSpan.FromSeconds(120);
    private static readonly string[] Kept = ["PATH", "HOME", "TMPDIR", "LANG", "TZ", "USER", "LD_LIBRARY_PATH"];

    private readonly Lock _lock = new();
    private readonly List<string> _output = [];
    private readonly TempFolder _folder = new();
    private readonly TaskCompletionSource<Process> _started = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource<int> _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly string _name;
    private readonly Process _process;

    private ChildProcess(string name, IReadOnlyList<string> command, IReadOnlyDictionary<string, string> environment)
    {
        _name = name;
        var start = StartInfo(command, environment);
        // The kernel ties "die with your parent" to the thread that started the child: this one lives as long as the child does.
        new Thread(() => Run(start)) { IsBackground = true, Name = name }.Start();
        _process = _started.Task.GetAwaiter().GetResult();
    }

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

    /// <summary>All that was printed so far.</summary>
    public string AllOutput => string.Join('\n', Output);

    /// <summary>Processor time, user and system, that the process has used since its start.</summary>
    public TimeSpan CpuTime
    {
        get
        {
            _process.Refresh();
            return _process.TotalProcessorTime;
        }
    }

    /// <summary>Starts a program and returns at once.</summary>
    /// <param name="name">Names it in complaints.</param>
    /// <param name="command">The program and its arguments.</param>
    /// <param name="environment">Its options.</param>
    public static ChildProcess Launch(string name, IReadOnlyList<string> command, IReadOnlyDictionary<string, string> environment) =>
        new(name, command, environment);

    /// <summary>The command that runs a project's assembly.</summary>
    public static IReadOnlyList<string> DotnetCommand(string project, IEnumerable<string> arguments) =>
        AssemblyCommand(Repository.Assembly(project), arguments);

    /// <summary>The command that runs an assembly, of this build or another.</summary>
    public static IReadOnlyList<string> AssemblyCommand(string assembly, IEnumerable<string> arguments) =>
        [Environment.ProcessPath is { } path && Path.GetFileNameWithoutExtension(path) == "dotnet" ? path : "dotnet", assembly, .. arguments];

    /// <summary>Asks it to finish, as an orchestrator does.</summary>
    public void Terminate() => Signal(SigTerm);

    /// <summary>Asks it to finish, as Ctrl-C does.</summary>
    public void Interrupt() => Signal(SigInt);

    /// <summary>Ends the process on the spot: nothing of it runs any more once its exit is seen.</summary>
    public void Kill() => Signal(SigKill);

    /// <summary>Lets it stand still: it holds its memory, its files and its connections, and does nothing.</summary>
    public void Stop() => Signal(SigStop);

    /// <summary>Lets it go on after <see cref="Stop"/>; it does not know that time has passed.</summary>
    public void Continue() => Signal(SigCont);

    /// <summary>Sends a signal; to a process that has ended, none.</summary>
    public void Signal(int signal)
    {
        if (!HasExited && SendSignal(Id, signal) != 0 && Marshal.GetLastPInvokeError() is var error and not NoSuchProcess)
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
            throw new TimeoutException($"waited {timeout.TotalSeconds:0.###} s for {_name} to end; it printed:\n{AllOutput}");
        }
    }

    /// <summary>Throws if the process has ended: whoever waits for something of it would wait in vain.</summary>
    /// <exception cref="InvalidOperationException">It has; the message holds what it printed.</exception>
    public void ThrowIfEnded(string before)
    {
        if (_ended.Task.IsCompleted)
        {
            throw new InvalidOperationException($"{_name} ended with {_ended.Task.GetAwaiter().GetResult()} before {before}:\n{AllOutput}");
        }
    }

    public async ValueTask DisposeAsync()
    {
        Kill();
        await WaitForExitAsync(KillLimit);
        _process.Dispose();
        _folder.Dispose();
    }

    private ProcessStartInfo StartInfo(IReadOnlyList<string> command, IReadOnlyDictionary<string, string> environment)
    {
        // env: a test run in the background of a shell ignores SIGINT, and its children would inherit that.
        // setpriv: both tools become the program (exec), so that signals sent to the child reach the program itself.
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

    [LibraryImport("libc", EntryPoint = "kill", SetLastError = true)]
    private static partial int SendSignal(int process, int signal);
}
