// No connection keeps a thread that others depend on.
using Estat.Base.Threading;

namespace Estat.Http.Answering;

/// <summary>
/// Requests that a client pipelines are handled one after another on the thread that got there first. On one that polls sockets or syncs, everybody
/// else waits meanwhile: so a connection goes on on the thread pool after <see cref="Most"/> requests in a row, and from a thread that syncs at
/// once.
/// </summary>
internal static class ThreadTurns
{
    /// <summary>Requests in a row: some hundred microseconds of them.</summary>
    internal const int Most = 64;

    [ThreadStatic]
    private static object? _latest;

    [ThreadStatic]
    private static int _inARow;

    /// <summary>Whether the next request of this connection may be handled on this thread.</summary>
    /// <param name="connection">What stands for it at its door: Kestrel has one context a connection.</param>
    internal static bool MayStay(object connection)
    {
        if (SyncingThread.IsCurrent)
        {
            return false;
        }

        if (!ReferenceEquals(_latest, connection))
        {
            _latest = connection;
            _inARow = 0;
            return true;
        }

        if (++_inARow < Most)
        {
            return true;
        }

        _inARow = 0;
        return Thread.CurrentThread.IsThreadPoolThread;
    }
}
