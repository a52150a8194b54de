// Finds out what other nodes have decided, for those who wait at this one.
using Estat.Requests.Campaigns;
using Estat.Requests.Storing;

namespace Estat.Requests.Intake;

/// <summary>
/// Looks at each request that somebody waits for four times a second; less often when many wait, so that it reads 4,000 requests a second at most.
/// </summary>
/// <param name="store">Where requests are.</param>
/// <param name="waiters">Who waits.</param>
/// <param name="time">The clock.</param>
internal sealed class DecisionWatch(IRequestStore store, DecisionWaiters waiters, TimeProvider time)
{
    private const int AtOnce = 100;
    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(250);
    private static readonly TimeSpan ForEach = TimeSpan.FromSeconds(AtOnce / 4_000.0);

    /// <summary>Runs until it is cancelled.</summary>
    internal async Task RunAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            await Task.Delay(Look, time, cancellationToken).ConfigureAwait(false);
            foreach (RequestId[] some in waiters.Waiting.Chunk(AtOnce))
            {
                await LookAsync(some).ConfigureAwait(false);
                if (some.Length == AtOnce)
                {
                    await Task.Delay(ForEach, time, cancellationToken).ConfigureAwait(false);
                }
            }
        }
    }

    private async Task LookAsync(RequestId[] ids)
    {
        try
        {
            RequestRecord?[] found = await Task.WhenAll(ids.Select(id => store.FindAsync(id).AsTask())).ConfigureAwait(false);
            waiters.OnChanged([.. found.OfType<RequestRecord>()]);
        }
        catch (StoreException)
        {
            // The store has said so itself. Who waits goes on in time.
        }
    }
}
