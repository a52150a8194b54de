// Wakes one who waits.
namespace Estat.Requests.Aws.Deciding;

/// <summary>Rings that come while nobody waits become one. Any thread rings; one waits, and looks at what there is after its wait.</summary>
internal sealed class AsyncBell
{
    private volatile TaskCompletionSource _ring = New();

    /// <summary>Whether it was rung since the last wait.</summary>
    internal bool IsRung => _ring.Task.IsCompleted;

    /// <summary>Rings.</summary>
    internal void Set() => _ring.TrySetResult();

    /// <summary>Takes a ring that has come.</summary>
    internal void Take()
    {
        if (IsRung)
        {
            _ring = New();
        }
    }

    /// <summary>Waits for a ring, or for no longer than this.</summary>
    internal async Task WaitAsync(TimeSpan patience, CancellationToken cancellationToken)
    {
        await Task.WhenAny(_ring.Task, Task.Delay(patience, cancellationToken)).ConfigureAwait(false);
        cancellationToken.ThrowIfCancellationRequested();
        Take();
    }

    private static TaskCompletionSource New() => new(TaskCreationOptions.RunContinuationsAsynchronously);
}
