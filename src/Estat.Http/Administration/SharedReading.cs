// Something that is worked out once a second for all who watch, and not at all while nobody does.
namespace Estat.Http.Administration;

/// <summary>
/// A loop that runs from the first question until nobody has asked for <see cref="Lingers"/>; each of its results is the same object for everybody.
/// Safe for concurrent use.
/// </summary>
/// <param name="make">Works out one result; it has one caller at a time.</param>
/// <param name="time">Clock and timer.</param>
/// <typeparam name="T">What is worked out.</typeparam>
public sealed class SharedReading<T>(Func<ValueTask<T>> make, TimeProvider time)
    where T : class
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan Lingers = TimeSpan.FromSeconds(2.5);

    private readonly Lock _gate = new();
    private TaskCompletionSource<T> _next = NewNext();
    private T? _latest;
    private long _asked;
    private bool _running;

    /// <summary>The last result, a second old at the most while it takes no longer to make one; the first asker waits for it.</summary>
    public Task<T> LatestAsync()
    {
        lock (_gate)
        {
            Ask();
            return _latest is { } latest ? Task.FromResult(latest) : _next.Task;
        }
    }

    /// <summary>The next result.</summary>
    public Task<T> NextAsync()
    {
        lock (_gate)
        {
            Ask();
            return _next.Task;
        }
    }

    private static TaskCompletionSource<T> NewNext() => new(TaskCreationOptions.RunContinuationsAsynchronously);

    private void Ask()
    {
        _asked = time.GetTimestamp();
        if (!_running)
        {
            _running = true;
            _ = Task.Run(RunAsync);
        }
    }

    private async Task RunAsync()
    {
        bool goesOn = true;
        while (goesOn)
        {
            long started = time.GetTimestamp();
            try
            {
                T result = await make().ConfigureAwait(false);
                Replace(result).SetResult(result);
            }
            catch (Exception error)
            {
                TaskCompletionSource<T> failed = Replace(null);
                failed.SetException(error); // the callers log it
                _ = failed.Task.Exception; // though nobody may have
            }

            TimeSpan left = Interval - time.GetElapsedTime(started);
            await Task.Delay(left > TimeSpan.Zero ? left : TimeSpan.Zero, time).ConfigureAwait(false);
            lock (_gate)
            {
                // Callers that wait now asked after the last result came, so within the interval.
                goesOn = _running = time.GetElapsedTime(_asked) < Lingers;
                _latest = goesOn ? _latest : null;
            }
        }
    }

    private TaskCompletionSource<T> Replace(T? result)
    {
        lock (_gate)
        {
            TaskCompletionSource<T> done = _next;
            _next = NewNext();
            _latest = result;
            return done;
        }
    }
}
