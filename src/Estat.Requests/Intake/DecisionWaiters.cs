// HTTP requests that wait for a decision.
using System.Collections.Concurrent;
using Estat.Requests.Campaigns;
using Estat.Requests.Storing;

namespace Estat.Requests.Intake;

/// <summary>Bounded. Who waits goes on on the thread pool, never on the store's thread. Any thread.</summary>
/// <param name="most">REQUESTS_MAX_WAITERS.</param>
/// <param name="time">The clock.</param>
internal sealed class DecisionWaiters(int most, TimeProvider time) : IStoreObserver
{
    private readonly ConcurrentDictionary<RequestId, Waiter> _waiters = new();
    private int _count;
    private volatile bool _isDraining;

    /// <summary>HTTP requests that wait.</summary>
    internal int Count => Volatile.Read(ref _count);

    /// <summary>The requests that somebody waits for.</summary>
    internal IEnumerable<RequestId> Waiting => _waiters.Keys;

    /// <summary>Waits until a request is final, or for no longer than this.</summary>
    /// <param name="id">The request.</param>
    /// <param name="patience">How long.</param>
    /// <param name="find">The request as it is now: asked once it cannot become final unnoticed.</param>
    /// <param name="cancellationToken">The client left.</param>
    /// <returns>Whether it waited, or need not have; false when too many wait, or the node drains: answer at once.</returns>
    internal async Task<bool> WaitAsync(
        RequestId id, TimeSpan patience, Func<ValueTask<RequestRecord?>> find, CancellationToken cancellationToken)
    {
        if (_isDraining || Interlocked.Increment(ref _count) > most)
        {
            if (!_isDraining)
            {
                Interlocked.Decrement(ref _count);
            }

            return false;
        }

        Waiter waiter = _waiters.AddOrUpdate(id, static _ => new Waiter(1), static (_, known) => known with { Waiting = known.Waiting + 1 });
        try
        {
            if (await find().ConfigureAwait(false) is not { } request || request.State.IsFinal())
            {
                return true;
            }

            if (_isDraining)
            {
                return true;
            }

            using var end = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
            await Task.WhenAny(waiter.Final.Task, Task.Delay(patience, time, end.Token)).ConfigureAwait(false);
            await end.CancelAsync().ConfigureAwait(false);
            return true;
        }
        finally
        {
            Leave(id);
            Interlocked.Decrement(ref _count);
        }
    }

    /// <summary>The node drains: all go on, and nobody waits any more.</summary>
    internal void Drain()
    {
        _isDraining = true;
        foreach (Waiter waiter in _waiters.Values)
        {
            waiter.Final.TrySetResult();
        }
    }

    /// <inheritdoc/>
    public void OnChanged(IReadOnlyList<RequestRecord> requests)
    {
        if (_waiters.IsEmpty)
        {
            return;
        }

        foreach (RequestRecord request in requests)
        {
            if (request.State.IsFinal() && _waiters.TryGetValue(request.Id, out Waiter? waiter))
            {
                waiter.Final.TrySetResult();
            }
        }
    }

    private void Leave(RequestId id)
    {
        while (_waiters.TryGetValue(id, out Waiter? waiter))
        {
            bool left = waiter.Waiting == 1 ? _waiters.TryRemove(new KeyValuePair<RequestId, Waiter>(id, waiter))
                : _waiters.TryUpdate(id, waiter with { Waiting = waiter.Waiting - 1 }, waiter);
            if (left)
            {
                return;
            }
        }
    }

    // The same task whatever the number, which the table changes.
    private sealed record Waiter(int Waiting)
    {
        internal TaskCompletionSource Final { get; init; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }
}
