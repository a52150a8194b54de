// One thing that the writer shall do, and who waits for it.
namespace Estat.Requests.Sqlite;

/// <summary>Applied within a transaction; completed after its commit, so that nobody hears of what may be undone.</summary>
internal abstract class StoreWrite
{
    /// <summary>Does it. The writer thread's.</summary>
    internal abstract void Apply(StoreTransaction transaction);

    /// <summary>It is durable: tells who waits.</summary>
    internal abstract void Complete();

    /// <summary>It was undone, or nobody knows: tells who waits.</summary>
    internal abstract void Fail(Exception error);
}

/// <summary>A step with a result. What awaits it does not go on on the writer thread.</summary>
/// <param name="apply">What to do.</param>
internal sealed class StoreWrite<T>(Func<StoreTransaction, T> apply) : StoreWrite
{
    private readonly TaskCompletionSource<T> _done = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private T _result = default!;

    /// <summary>Completes with the commit.</summary>
    internal Task<T> Done => _done.Task;

    internal override void Apply(StoreTransaction transaction) => _result = apply(transaction);

    internal override void Complete() => _done.TrySetResult(_result);

    internal override void Fail(Exception error) => _done.TrySetException(error);
}
