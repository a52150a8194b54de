// One record that waits to be durable.
using System.Threading.Tasks.Sources;

namespace Estat.Base.Journal;

/// <summary>Completed by the journal's writer. Pooled: whoever awaits <see cref="Task"/>, once, gives it back by doing so.</summary>
internal sealed class JournalAppend(System.Collections.Concurrent.ConcurrentQueue<JournalAppend> idle) : IValueTaskSource<JournalPosition>
{
    private ManualResetValueTaskSourceCore<JournalPosition> _core = new() { RunContinuationsAsynchronously = true };

    /// <summary>The record.</summary>
    internal ReadOnlyMemory<byte> Record { get; private set; }

    /// <summary>What <see cref="IJournalStamps"/> is told about the record; null without.</summary>
    internal object? Owner { get; private set; }

    /// <summary>What the caller awaits.</summary>
    internal ValueTask<JournalPosition> Task => new(this, _core.Version);

    internal void Begin(ReadOnlyMemory<byte> record, object? owner) => (Record, Owner) = (record, owner);

    internal void Complete(JournalPosition position) => _core.SetResult(position);

    internal void Fail(Exception error) => _core.SetException(error);

    /// <inheritdoc/>
    public JournalPosition GetResult(short token)
    {
        // Throws for who awaits a second time: by then it may be somebody else's.
        if (_core.GetStatus(token) == ValueTaskSourceStatus.Pending)
        {
            throw new InvalidOperationException("The append has not ended.");
        }

        try
        {
            return _core.GetResult(token);
        }
        finally
        {
            (Record, Owner) = (default, null);
            _core.Reset();
            idle.Enqueue(this);
        }
    }

    /// <inheritdoc/>
    public ValueTaskSourceStatus GetStatus(short token) => _core.GetStatus(token);

    /// <inheritdoc/>
    public void OnCompleted(Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
        _core.OnCompleted(continuation, state, token, flags);
}
