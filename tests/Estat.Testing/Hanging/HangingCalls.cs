// System calls of a running process that do not come back: what a disk or a network's file system does when it hangs.

using System.Globalization;

namespace Estat.Testing;

/// <summary>
/// Holds calls of a process by strace: a process can be ended out of them, as out of calls to NFS or FUSE. (A thread that waits for a frozen ext4
/// keeps its process for ever, whatever the process does.)
/// </summary>
public sealed class HangingCalls : IAsyncDisposable
{
    private const string Tracer = "strace";
    private const string ForHours = "delay_enter=36000000000"; // microseconds
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);
    private const int Looks = 10;
    private static readonly TimeSpan Between = TimeSpan.FromMilliseconds(50);
    private readonly ChildProcess _tracer;
    private readonly int _process;

    private HangingCalls(ChildProcess tracer, int process) => (_tracer, _process) = (tracer, process);

    /// <summary>Why this machine cannot do it; null when it can.</summary>
    public static string? Missing =>
        !OperatingSystem.IsLinux() ? "only Linux has strace" : Command.Exists(Tracer) ? null : "no strace on PATH: apt-get install strace";

    /// <summary>Until a call is held. A thread that strace looks at stands still for a moment; one that it holds, for good.</summary>
    public Task UntilStruckAsync(TimeSpan limit)
    {
        string[] stood = [];
        int looks = 0;
        return Wait.UntilAsync(
            () =>
            {
                string[] stand =
                    [.. Threads(_process).Where(thread => thread.Status.Contains("State:\tt", StringComparison.Ordinal))
                        .Select(thread => thread.Name)];
                stood = looks == 0 ? stand : [.. stood.Intersect(stand)];
                looks = stood.Length == 0 ? 0 : looks + 1;
                return looks == Looks;
            },
            limit, "a call to hang");
    }

    /// <summary>Holds these calls of every thread of the process from now on.</summary>
    /// <param name="process">Its number.</param>
    /// <param name="calls">Their names, with commas between.</param>
    /// <param name="path">Only those that name this path, or a file that was opened by it.</param>
    public static async Task<HangingCalls> BeginAsync(int process, string calls, string? path = null)
    {
        string[] only = path is null ? [] : ["-P", path];
        var tracer = ChildProcess.Launch(
            Tracer,
            [
                Tracer, "-f", "-qq", .. only, "-e", $"trace={calls}", "-e", $"inject={calls}:{ForHours}",
                "-p", process.ToString(CultureInfo.InvariantCulture),
            ],
            new Dictionary<string, string>());
        var hanging = new HangingCalls(tracer, process);
        try
        {
            await Wait.UntilAsync(() => AreTraced(process) || tracer.HasExited, Limit, "strace to hold every thread of the process");
            tracer.ThrowIfEnded("the process was traced");
            _ = hanging.LetGoAtItsEndAsync();
            return hanging;
        }
        catch
        {
            await hanging.DisposeAsync();
            throw;
        }
    }

    /// <summary>Lets every call go on.</summary>
    public ValueTask DisposeAsync() => _tracer.DisposeAsync();

    // A process that ends out of a held call would stay: strace does not see that its thread has died. Its first thread is a zombie then.
    private async Task LetGoAtItsEndAsync()
    {
        while (!_tracer.HasExited)
        {
            if (Threads(_process)
                .Any(thread => Path.GetFileName(thread.Name) == $"{_process}" && thread.Status.Contains("State:\tZ", StringComparison.Ordinal)))
            {
                _tracer.Kill();
            }

            await Task.Delay(Between);
        }
    }

    private static bool AreTraced(int process) =>
        Threads(process) is { Count: > 0 } threads && threads.All(thread => !thread.Status.Contains("TracerPid:\t0\n", StringComparison.Ordinal));

    private static List<(string Name, string Status)> Threads(int process)
    {
        try
        {
            return
            [
                .. Directory.EnumerateDirectories($"/proc/{process}/task")
                    .Select(thread => (thread, File.ReadAllText(Path.Combine(thread, "status")))),
            ];
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return []; // a thread that has just ended
        }
    }
}
