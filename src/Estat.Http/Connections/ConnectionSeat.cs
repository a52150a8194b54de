// What is known of one connection while it is open: whether a request is being handled, and since when none was.
namespace Estat.Http.Connections;

/// <summary>
/// A connection is idle while none of its requests is being handled: before its first request, between two, and while the headers of one arrive. An
/// idle one may be claimed, once; from then on no request of it is handled any more. Any thread; a request costs two interlocked additions, on a line
/// that nobody else touches.
/// </summary>
internal sealed class ConnectionSeat
{
    // So far below zero that no number of requests makes up for it.
    private const int Claimed = int.MinValue / 2;

    private long _idleSince = Environment.TickCount64;
    private int _requests;

    /// <summary>When it was opened or its last request ended, in milliseconds since the machine's start.</summary>
    internal long IdleSince => Volatile.Read(ref _idleSince);

    /// <summary>Whether no request of it is being handled, and nobody has claimed it.</summary>
    internal bool IsIdle => Volatile.Read(ref _requests) == 0;

    /// <summary>Ends a request's seat, if there is one, when it was handled.</summary>
    internal static async Task EndAfterAsync(ConnectionSeat? seat, Task handling)
    {
        try
        {
            await handling.ConfigureAwait(false);
        }
        finally
        {
            seat?.End();
        }
    }

    /// <summary>The seat of a request's connection; null where nobody counts connections.</summary>
    internal static ConnectionSeat? Of(HttpContext context) => context.Features.Get<ConnectionSeat>();

    /// <summary>A request begins.</summary>
    /// <returns>False: the connection is being closed, and the request must not be handled.</returns>
    internal bool TryBegin() => Interlocked.Increment(ref _requests) > 0;

    /// <summary>It was answered.</summary>
    internal void End()
    {
        Volatile.Write(ref _idleSince, Environment.TickCount64);
        Interlocked.Decrement(ref _requests);
    }

    /// <summary>Takes it from its client, if it has been idle since then.</summary>
    internal bool TryClaim(long idleSince) => IdleSince == idleSince && Interlocked.CompareExchange(ref _requests, Claimed, 0) == 0;

    /// <summary>It is gone.</summary>
    internal void Leave() => Interlocked.Exchange(ref _requests, Claimed);
}
