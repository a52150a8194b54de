// Who wants to know what became final.
using Estat.Requests.Campaigns;

namespace Estat.Requests.Storing;

/// <summary>Told after each commit, on the store's own thread: it must not block or throw.</summary>
internal interface IStoreObserver
{
    /// <summary>Requests as they are from now on; each is durable.</summary>
    void OnChanged(IReadOnlyList<RequestRecord> requests);
}
