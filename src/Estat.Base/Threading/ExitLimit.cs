// SHUTDOWN_TIMEOUT as the last word: whatever hangs, the process ends.
using System.Diagnostics;
using System.Runtime.InteropServices;
using Estat.Base.Files;

namespace Estat.Base.Threading;

/// <summary>
/// Drains have their own bounds and end before this one. It is for what has none: a call to a disk that does not come back, a log that nobody reads,
/// a fault of Estat's. From the first signal, or whatever else begins the end, a thread of its own waits, which needs neither the thread pool nor a
/// lock; nothing stops it but the process' end.
/// </summary>
public sealed class ExitLimit : IDisposable
{
    // To tell it: who reads standard error may hang as well.
    private static readonly TimeSpan LastWords = TimeSpan.FromMilliseconds(200);

    private readonly TimeSpan _limit;
    private readonly int _exitCode;
    private readonly string _lastLine;
    private readonly PosixSignalRegistration[] _registrations;
    private int _isCounting;

    /// <summary>Begins to listen for signals; what else they do, others say.</summary>
    /// <param name="limit">Time from the first signal, or <see cref="Begin"/>, to the end.</param>
    /// <param name="exitCode">With which it ends then.</param>
    /// <param name="lastLine">What to say on standard error.</param>
    /// <param name="signals">Which ones ask for the end.</param>
    public ExitLimit(TimeSpan limit, int exitCode, string lastLine, params PosixSignal[] signals)
    {
        _limit = limit;
        _exitCode = exitCode;
        _lastLine = lastLine;
        _registrations = [.. signals.Select(signal => PosixSignalRegistration.Create(signal, _ => Begin()))];
    }

    /// <summary>Whether the time runs.</summary>
    public bool HasBegun => Volatile.Read(ref _isCounting) != 0;

    /// <summary>The end begins without a signal: a fault ends the process, or its start failed.</summary>
    public void Begin()
    {
        if (Interlocked.Exchange(ref _isCounting, 1) == 0)
        {
            new Thread(EndAfterLimit) { IsBackground = true, Name = "exit limit" }.Start();
        }
    }

    /// <summary>Listens no more. A limit that has begun goes on: what hangs may hang at the very end.</summary>
    public void Dispose()
    {
        foreach (PosixSignalRegistration registration in _registrations)
        {
            registration.Dispose();
        }
    }

    private void EndAfterLimit()
    {
        // By the clock that never jumps, and in steps: a wait may come back early, as it does under tools that change the time of a process.
        long began = Stopwatch.GetTimestamp();
        for (TimeSpan left = _limit; left > TimeSpan.Zero; left = _limit - Stopwatch.GetElapsedTime(began))
        {
            Thread.Sleep(left);
        }

        var telling = new Thread(Tell) { IsBackground = true };
        telling.Start();
        telling.Join(LastWords);
        Libc.ExitNow(_exitCode);
    }

    // What this thread throws would end the process by an abort: standard error may be a file on a full disk.
    private void Tell()
    {
        try
        {
            Console.Error.WriteLine(_lastLine);
        }
        catch (Exception error) when (error is IOException or ObjectDisposedException)
        {
            // Nobody can be told; the exit code says it.
        }
    }
}
