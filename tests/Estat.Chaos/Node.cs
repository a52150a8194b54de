// The server of a round: one process after another over the same folders, on the same port.

using System.Diagnostics;
using Estat.Testing;

namespace Estat.Chaos;

/// <summary>
/// Starts, kills, stops and pauses the server. One scenario at a time may do so; <see cref="Server"/> may be read by others, and may have ended.
/// </summary>
internal sealed class Node(IReadOnlyDictionary<string, string> options) : IAsyncDisposable
{
    private const int SigStop = 19;
    private const int SigCont = 18;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(120);
    private readonly List<ServerProcess> _all = [];
    private bool _isMeantToEnd;

    /// <summary>The latest process.</summary>
    internal ServerProcess Server => _all[^1];

    /// <summary>SIGKILLs so far.</summary>
    internal int Kills { get; private set; }

    /// <summary>A drain gave events up, as it may when neither S3 nor the disk takes them.</summary>
    internal bool GaveUp { get; private set; }

    /// <summary>The latest process ended, and nobody had asked it to.</summary>
    internal bool EndedByItself => Server.HasExited && !_isMeantToEnd && !MayFailToStart;

    /// <summary>Set while the disk is full: a server that ends instead of starting is then started again.</summary>
    internal bool MayFailToStart { get; set; }

    /// <summary>All that the processes printed.</summary>
    internal IEnumerable<string> Output => _all.SelectMany((server, index) => server.Output.Prepend($"--- process {index + 1}"));

    /// <summary>Starts a process and waits until it takes events.</summary>
    internal async Task StartAsync()
    {
        var started = Stopwatch.GetTimestamp();
        while (true)
        {
            var mayFail = MayFailToStart;
            Launch();
            try
            {
                await Server.UntilReadyAsync(Patience);
                return;
            }
            catch (InvalidOperationException) when ((mayFail || MayFailToStart) && Stopwatch.GetElapsedTime(started) < Patience)
            {
            }
        }
    }

    /// <summary>Starts a process that is killed before it is ready, or soon after.</summary>
    internal async Task StartAndKillAsync(TimeSpan after)
    {
        Launch();
        await Task.Delay(after);
        await KillAsync();
    }

    /// <summary>SIGKILL; nothing of the process runs any more when this returns.</summary>
    internal async Task KillAsync()
    {
        Kills++;
        _isMeantToEnd = true;
        Server.Kill();
        await Server.WaitForExitAsync(Patience);
    }

    /// <summary>SIGTERM, and the end of the drain.</summary>
    /// <exception cref="InvalidOperationException">It ended otherwise than with 0, and not because neither S3 nor the disk took anything.</exception>
    internal async Task DrainAsync(bool nothingTakesEvents = false)
    {
        _isMeantToEnd = true;
        Server.Terminate();
        switch (await Server.WaitForExitAsync(Patience))
        {
            case 0:
                return;
            case 1 when nothingTakesEvents:
                GaveUp = true;
                return;
            case var code:
                throw new InvalidOperationException($"the drain ended with {code}: {string.Join(Environment.NewLine, Server.Output.TakeLast(5))}");
        }
    }

    /// <summary>SIGSTOP, and SIGCONT some time later.</summary>
    internal async Task PauseAsync(TimeSpan time)
    {
        Server.Signal(SigStop);
        try
        {
            await Task.Delay(time);
        }
        finally
        {
            Server.Signal(SigCont);
        }
    }

    private void Launch()
    {
        _all.Add(ServerProcess.Launch(options));
        _isMeantToEnd = false;
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var server in _all)
        {
            await server.DisposeAsync();
        }
    }
}
