// The lists of draws that were held: they never change, and everybody may ask for them.
using System.Collections.Concurrent;
using Estat.Requests.Campaigns;
using Estat.Requests.Storing;

namespace Estat.Requests.Drawing;

/// <summary>
/// At most one list of a campaign is in memory, however many ask for it, and one is made at a time: a list of a million ids takes a second to make.
/// The one that was asked for last is kept; others as long as somebody reads them. Any thread.
/// </summary>
/// <param name="store">Where requests are.</param>
internal sealed class DrawLists(IRequestStore store) : IDisposable
{
    private readonly SemaphoreSlim _making = new(1);
    private readonly ConcurrentDictionary<int, WeakReference<IReadOnlyList<RequestId>>> _lists = new();
    private volatile IReadOnlyList<RequestId>? _last;

    /// <summary>The sorted ids of a campaign whose draw was held.</summary>
    internal async ValueTask<IReadOnlyList<RequestId>> OfAsync(Campaign campaign, CancellationToken cancellationToken)
    {
        if (TryFind(campaign) is { } known)
        {
            return known;
        }

        await _making.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            if (TryFind(campaign) is { } made)
            {
                return made;
            }

            IReadOnlyList<RequestId> ids = await store.ListForDrawAsync(campaign, cancellationToken).ConfigureAwait(false);
            _lists[campaign.Ordinal] = new WeakReference<IReadOnlyList<RequestId>>(ids);
            return _last = ids;
        }
        finally
        {
            _making.Release();
        }
    }

    public void Dispose() => _making.Dispose();

    private IReadOnlyList<RequestId>? TryFind(Campaign campaign) =>
        _lists.TryGetValue(campaign.Ordinal, out WeakReference<IReadOnlyList<RequestId>>? list)
            && list.TryGetTarget(out IReadOnlyList<RequestId>? ids) ? _last = ids : null;
}
