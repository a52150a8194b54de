// The live tail: a sample of the events that a node accepts, for those who watch.
using System.Buffers;
using Estat.Collect.Batching;
using Estat.Collect.Events;
using Estat.Lake.Lines;

namespace Estat.Collect.Tailing;

/// <summary>
/// While nobody watches, an event costs one read of a field. While somebody does, a shared budget decides which events are copied at all; whatever
/// else there is to do (filters, rates, slow readers) happens on a loop of its own, away from the threads that take events. Whoever offers an event
/// says so only once it was accepted. Safe for concurrent use.
/// </summary>
/// <param name="time">Clock of the budget.</param>
/// <param name="logger">Where a filter that failed is told.</param>
public sealed partial class TailHub(TimeProvider time, ILogger<TailHub> logger)
{
    /// <summary>Events a second that are looked at.</summary>
    public const int EventsPerSecond = 300;

    /// <summary>Events that are looked at in a moment after a quiet second.</summary>
    public const int Burst = 100;

    /// <summary>Bytes of the longest body that is shown; of a larger one, copying alone would be felt.</summary>
    public const int LargestBody = 64 * 1024;

    // Copies that wait for the loop: a burst of each of some cores, and no more memory than that.
    private const int Waiting = 512;

    private readonly Channel<byte[]> _accepted = Channel.CreateBounded<byte[]>(
        new BoundedChannelOptions(Waiting) { FullMode = BoundedChannelFullMode.DropWrite, SingleReader = true });
    private readonly SampleBudget _budget = new(EventsPerSecond, Burst, time);
    private readonly Lock _gate = new();
    private volatile TailWatcher[] _watchers = [];
    private volatile bool _isWatched;
    private bool _runs;

    /// <summary>Whether anybody watches: what is asked before each event.</summary>
    public bool IsWatched => _isWatched;

    /// <summary>Whether the next event is one of those that are looked at, as few are; asked while somebody watches, before its envelope is read for
    /// the purpose.</summary>
    public bool Chooses() => _budget.TryTake();

    /// <summary>A copy of an event's line that <see cref="Chooses"/> chose; null when it is too long to be shown.</summary>
    public static byte[]? CopyOf(in EventHeader header, ReadOnlySpan<byte> body)
    {
        if (body.Length > LargestBody)
        {
            return null;
        }

        byte[] line = ArrayPool<byte>.Shared.Rent(LineEncoder.MaxLength(header, body.Length));
        int length = LineEncoder.Encode(header, body, line);
        byte[] copy = line[..(length - 1)]; // without its line feed
        ArrayPool<byte>.Shared.Return(line);
        return copy;
    }

    /// <summary>The same of a block's events, before it is handed over; null when none of them is looked at.</summary>
    public IReadOnlyList<byte[]>? TryCopy(LineBlock block)
    {
        ArgumentNullException.ThrowIfNull(block);
        List<byte[]>? copies = null;
        foreach (Chunk chunk in block.Chunks)
        {
            for (ReadOnlySpan<byte> rest = chunk.Lines.Span; !rest.IsEmpty;)
            {
                int length = rest.IndexOf((byte)'\n');
                if (!_budget.TryTake())
                {
                    return copies;
                }

                if (length <= LargestBody)
                {
                    (copies ??= []).Add(rest[..length].ToArray());
                }

                rest = rest[(length + 1)..];
            }
        }

        return copies;
    }

    /// <summary>An event that was copied has been accepted.</summary>
    public void Offer(byte[] line) => _accepted.Writer.TryWrite(line);

    /// <summary>Begins to watch. Disposing of the watcher ends it.</summary>
    /// <param name="filter">Which events.</param>
    /// <param name="rate">Events a second at most.</param>
    public TailWatcher Watch(EventFilter filter, int rate)
    {
        var watcher = new TailWatcher(this, filter, rate, time);
        lock (_gate)
        {
            _watchers = [.. _watchers, watcher];
            _isWatched = true;
            if (!_runs)
            {
                _runs = true;
                _ = Task.Run(RunAsync);
            }
        }

        return watcher;
    }

    internal void Leave(TailWatcher watcher)
    {
        lock (_gate)
        {
            _watchers = [.. _watchers.Where(other => other != watcher)];
            _isWatched = _watchers.Length > 0;
        }
    }

    // Waits for ever while nobody watches: it costs nothing, and ends with the hub.
    private async Task RunAsync()
    {
        var parts = new StoredLine();
        await foreach (byte[] line in _accepted.Reader.ReadAllAsync().ConfigureAwait(false))
        {
            bool isSound = parts.Read(line) is null;
            foreach (TailWatcher watcher in _watchers)
            {
                // Whatever somebody sends, the loop goes on: all who watch live by it.
                try
                {
                    watcher.Show(line, isSound ? parts.Body : default);
                }
                catch (Exception error)
                {
                    watcher.Skip();
                    if (watcher.FailsFirst())
                    {
                        LogShowFailed(logger, error);
                    }
                }
            }
        }
    }

    [LoggerMessage(Level = LogLevel.Error, Message = "The node could not show an event to a watcher of the tail. It counts this event, and all that "
        + "fail in the same way, as skipped. Please report it")]
    private static partial void LogShowFailed(ILogger logger, Exception error);
}
