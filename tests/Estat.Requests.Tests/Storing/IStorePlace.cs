// What the compliance suite needs to try a store.
using Estat.Requests.Deciding;

namespace Estat.Requests.Tests.Storing;

/// <summary>A place for a store that outlives the store, as a disk does.</summary>
internal interface IStorePlace : IAsyncDisposable
{
    /// <summary>Opens the store and begins to decide.</summary>
    Task<IRequestStore> OpenAsync(IDecisionRule rule, TimeProvider time, int queue = 20_000);

    /// <summary>Loses the process that has the store open: what it had not made durable is gone.</summary>
    Task KillAsync(IRequestStore store);
}
