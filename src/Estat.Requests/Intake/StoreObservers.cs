// Several who want to know what changed.
using Estat.Requests.Campaigns;
using Estat.Requests.Storing;

namespace Estat.Requests.Intake;

/// <summary>Tells each, in order: the cache before those who read it.</summary>
/// <param name="observers">Who.</param>
internal sealed class StoreObservers(params IReadOnlyList<IStoreObserver> observers) : IStoreObserver
{
    /// <inheritdoc/>
    public void OnChanged(IReadOnlyList<RequestRecord> requests)
    {
        foreach (IStoreObserver observer in observers)
        {
            observer.OnChanged(requests);
        }
    }
}
