// Requests as they are now, in memory: users ask again and again for those that came last.
using Estat.Base.Memory;
using Estat.Requests.Campaigns;
using Estat.Requests.Storing;

namespace Estat.Requests.Intake;

/// <summary>Only commits write it, in their order, so it is never older than what was answered. Any thread reads.</summary>
/// <param name="most">Requests; 0: it keeps none, as where other nodes change them too.</param>
internal sealed class RequestCache(int most) : IStoreObserver
{
    // Characters of a webhook's result that are kept in memory: the table is bounded by a number, so what is long is read from the store.
    private const int LongestResult = 1_024;

    private readonly RecentTable<RequestId, RequestRecord>? _recent = most == 0 ? null : new(most);

    /// <summary>A request as of the last commit; null when it is not in memory.</summary>
    internal RequestRecord? Find(RequestId id) =>
        _recent is not null && _recent.TryFind(id, out RequestRecord? request) ? request : null;

    /// <inheritdoc/>
    public void OnChanged(IReadOnlyList<RequestRecord> requests)
    {
        foreach (RequestRecord request in _recent is null ? [] : requests)
        {
            if (request.Result?.Length > LongestResult)
            {
                _recent!.Remove(request.Id);
            }
            else
            {
                _recent!.Put(request.Id, request);
            }
        }
    }
}
