// Tells code that runs on a thread that syncs where it is.
namespace Estat.Base.Threading;

/// <summary>
/// Whoever answers a request on a thread that syncs may find the connection's next one already there. A client that never stops sending must not
/// keep the thread: what would begin on it switches to <see cref="PoolThread"/>.
/// </summary>
public static class SyncingThread
{
    [ThreadStatic]
    private static bool _isCurrent;

    /// <summary>Whether this thread is one, and answers.</summary>
    public static bool IsCurrent
    {
        get => _isCurrent;
        internal set => _isCurrent = value;
    }
}
