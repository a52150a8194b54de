// What /metrics answers: one reading at a time, and one a second at the most, however many ask.
using System.Text;

namespace Estat.Base.Metrics;

/// <summary>
/// Each scrape gets a reading that was begun after it asked; those who ask until it begins share it. The first one after a quiet second has it at
/// once, others within a second. So a scrape is never stale, and what scrapes cost a node does not grow with their number. Any thread.
/// </summary>
/// <param name="read">Reads and renders the metrics; takes no lock that anything else needs.</param>
/// <param name="time">Clock and timer.</param>
public sealed class SharedScrape(Func<string> read, TimeProvider time)
{
    /// <summary>From the beginning of one reading to that of the next.</summary>
    public static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);

    // A reading takes a millisecond. Prometheus by default waits 10 s.
    private static readonly TimeSpan Longest = TimeSpan.FromSeconds(5);

    private readonly Lock _gate = new();
    private TaskCompletionSource<byte[]>? _next;
    private bool _isReading;
    private long? _begun;

    /// <summary>The next reading, as UTF-8.</summary>
    /// <exception cref="TimeoutException">It does not come to an end.</exception>
    public Task<byte[]> NextAsync(CancellationToken cancellationToken)
    {
        lock (_gate)
        {
            _next ??= new TaskCompletionSource<byte[]>(TaskCreationOptions.RunContinuationsAsynchronously);
            if (!_isReading)
            {
                _isReading = true;
                _ = Task.Run(ReadAsync, CancellationToken.None);
            }

            return _next.Task.WaitAsync(Longest, time, cancellationToken);
        }
    }

    // Until nobody has asked since the last reading began.
    private async Task ReadAsync()
    {
        while (Asked())
        {
            if (_begun is { } begun && Interval - time.GetElapsedTime(begun) is var left && left > TimeSpan.Zero)
            {
                await Task.Delay(left, time).ConfigureAwait(false);
            }

            _begun = time.GetTimestamp();
            Answer(Take());
        }
    }

    private bool Asked()
    {
        lock (_gate)
        {
            return _isReading = _next is not null;
        }
    }

    private TaskCompletionSource<byte[]> Take()
    {
        lock (_gate)
        {
            TaskCompletionSource<byte[]> asked = _next!;
            _next = null;
            return asked;
        }
    }

    private void Answer(TaskCompletionSource<byte[]> asked)
    {
        try
        {
            asked.SetResult(Encoding.UTF8.GetBytes(read()));
        }
        catch (Exception error)
        {
            asked.SetException(error); // the scrape logs it
            _ = asked.Task.Exception; // though nobody may wait any more
        }
    }
}
