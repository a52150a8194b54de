// Who is at work on which file or object, so that none is tried, discarded or retried twice at once.
namespace Estat.Collect.Dlq;

/// <summary>Names that somebody holds. Safe for concurrent use.</summary>
/// <param name="most">Names that may be held at once.</param>
internal sealed class Claims(int most)
{
    private readonly Lock _gate = new();
    private readonly HashSet<string> _held = new(StringComparer.Ordinal);
    private TaskCompletionSource? _closed;

    /// <summary>Takes a name; null when somebody holds it, when too many are held, or once this is closed. Disposing of the claim gives it
    /// back.</summary>
    internal Claim? TryTake(string name)
    {
        lock (_gate)
        {
            return _closed is null && _held.Count < most && _held.Add(name) ? new Claim(this, name) : null;
        }
    }

    /// <summary>The same whatever the bound, and also once this is closed: for whoever gives it back within moments.</summary>
    internal Claim? TryTakeBriefly(string name)
    {
        lock (_gate)
        {
            return _held.Add(name) ? new Claim(this, name) : null;
        }
    }

    /// <summary>Gives out no more.</summary>
    /// <returns>Completes when all are given back.</returns>
    internal Task CloseAsync()
    {
        lock (_gate)
        {
            _closed ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            if (_held.Count == 0)
            {
                _closed.TrySetResult();
            }

            return _closed.Task;
        }
    }

    private void Return(string name)
    {
        lock (_gate)
        {
            _held.Remove(name);
            if (_held.Count == 0)
            {
                _closed?.TrySetResult();
            }
        }
    }

    /// <summary>One name, held.</summary>
    internal sealed class Claim(Claims claims, string name) : IDisposable
    {
        private Claims? _claims = claims;

        public void Dispose() => Interlocked.Exchange(ref _claims, null)?.Return(name);
    }
}
