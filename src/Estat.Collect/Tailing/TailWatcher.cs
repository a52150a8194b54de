// One who watches the tail.
using Estat.Lake.Lines;

namespace Estat.Collect.Tailing;

/// <summary>What happened since the last note.</summary>
/// <param name="Seen">Accepted events that were looked at for it.</param>
/// <param name="Matched">Those that its filter let through.</param>
/// <param name="Sent">Those that it was given.</param>
/// <param name="Skipped">Those that it was not: beyond its rate, or because it reads too slowly.</param>
public readonly record struct TailNote(long Seen, long Matched, long Sent, long Skipped);

/// <summary>A filter, a rate and a short queue, which drops what finds it full. One reader.</summary>
public sealed class TailWatcher : IDisposable
{
    private readonly TailHub _hub;
    private readonly EventFilter _filter;
    private readonly SampleBudget _rate;
    private readonly Channel<byte[]> _queue;
    private long _seen;
    private long _matched;
    private long _sent;
    private long _skipped;
    private bool _hasFailed;

    internal TailWatcher(TailHub hub, EventFilter filter, int rate, TimeProvider time)
    {
        _hub = hub;
        _filter = filter;
        _rate = new SampleBudget(rate, rate, time);
        _queue = Channel.CreateBounded<byte[]>(new BoundedChannelOptions(rate) { SingleReader = true, SingleWriter = true });
    }

    /// <summary>Completes when there is a line.</summary>
    public ValueTask<bool> WaitAsync(CancellationToken cancellationToken) => _queue.Reader.WaitToReadAsync(cancellationToken);

    /// <summary>The next line, without its line feed; null when there is none now.</summary>
    public byte[]? TryRead()
    {
        if (!_queue.Reader.TryRead(out byte[]? line))
        {
            return null;
        }

        Interlocked.Increment(ref _sent);
        return line;
    }

    /// <summary>What happened since this was last asked.</summary>
    public TailNote TakeNote() => new(
        Interlocked.Exchange(ref _seen, 0), Interlocked.Exchange(ref _matched, 0), Interlocked.Exchange(ref _sent, 0),
        Interlocked.Exchange(ref _skipped, 0));

    /// <summary>Stops watching.</summary>
    public void Dispose() => _hub.Leave(this);

    // Text is looked for in the line as it is stored and in the body as it was sent: whoever pastes a piece of JSON means the latter.
    internal void Show(byte[] line, ReadOnlySpan<byte> body)
    {
        Interlocked.Increment(ref _seen);
        if (!_filter.TakesAll && !_filter.Passes(line, body) && !_filter.Passes(body, body))
        {
            return;
        }

        Interlocked.Increment(ref _matched);
        if (!_rate.TryTake() || !_queue.Writer.TryWrite(line))
        {
            Skip();
        }
    }

    /// <summary>Whether this is the first failure: one is told, the others are counted. Asked by the hub's loop alone.</summary>
    internal bool FailsFirst() => !_hasFailed && (_hasFailed = true);

    /// <summary>An event was not shown that might have been.</summary>
    internal void Skip() => Interlocked.Increment(ref _skipped);
}
