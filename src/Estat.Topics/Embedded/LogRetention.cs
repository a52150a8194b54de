// What of the log may go: what is older than its topic's retention and stored.
using Estat.Base.Journal;

namespace Estat.Topics.Embedded;

/// <summary>
/// A partition's start moves on as its messages expire, but never past what the sink has not stored. Segments are deleted once every partition's
/// start lies behind them. One caller of <see cref="Run"/> at a time; the rest any thread, and none of it waits.
/// </summary>
/// <param name="journal">The log's journal.</param>
/// <param name="index">Its index.</param>
/// <param name="numbers">Its offsets.</param>
/// <param name="keep">TOPICS_RETENTION.</param>
/// <param name="segmentBytes">Bytes of a segment: less is not worth a deletion.</param>
/// <param name="hasSink">Whether messages have to be stored before they may go.</param>
internal sealed class LogRetention(
    SegmentedJournal journal, LogIndex index, LogNumbers numbers, TimeSpan keep, long segmentBytes, bool hasSink)
{
    private const int SegmentsAtOnce = 16;

    private readonly Lock _gate = new();
    private readonly Dictionary<int, long> _stored = [];
    private volatile long[] _starts = []; // replaced, never changed
    private TrimMark _trim = TrimMark.None;

    /// <summary>What keeps the oldest messages; null while nothing does.</summary>
    internal LogPin? Pin { get; private set; }

    /// <summary>The oldest offset of a partition that can be read.</summary>
    internal long StartOf(int ordinal) => _starts is var starts && ordinal < starts.Length ? starts[ordinal] : 0;

    /// <summary>The sink has stored everything of a partition before an offset. It may go back: a sink that is set back reads again.</summary>
    internal void OnStored(int ordinal, long nextOffset)
    {
        lock (_gate)
        {
            _stored[ordinal] = nextOffset;
        }
    }

    /// <summary>What the start found.</summary>
    internal void Resume(TrimMark trim)
    {
        _trim = trim;
        _starts = [.. trim.Offsets];
    }

    /// <summary>Moves starts on, and deletes what no partition needs.</summary>
    /// <param name="table">The topics.</param>
    /// <param name="now">The log's time.</param>
    /// <param name="needed">Where something begins that is needed whatever its age, such as idempotency keys; null: nowhere.</param>
    /// <param name="keepMark">Makes a new trim mark durable, before anything is deleted.</param>
    /// <returns>Whether messages have expired that lie behind the index's last point: one more point would let them go.</returns>
    /// <exception cref="IOException">The disk refuses; the next run tries again.</exception>
    internal bool Run(TopicTable table, DateTimeOffset now, long? needed, Action<TrimMark> keepMark)
    {
        (long limit, bool wantsPoint) = Move(table, now);
        if (needed < limit)
        {
            (limit, Pin) = (needed.Value, new LogPin(null, LogPinReason.Keys));
        }

        limit = index.PointAt(limit) ?? _trim.Position;
        if (limit - journal.Start >= segmentBytes && limit > _trim.Position)
        {
            var trim = new TrimMark(limit, index.OffsetsAt(limit, table.Count));
            keepMark(trim);
            _trim = trim;
            _starts = [.. _starts.Select((start, ordinal) => Math.Max(start, trim.OffsetOf(ordinal)))];
            index.Trim(limit);
        }

        // Some at a time: each deletion is synced, and the folder is looked at between them.
        journal.DeleteBefore(Math.Min(_trim.Position, journal.Start + (SegmentsAtOnce * segmentBytes)));
        return wantsPoint;
    }

    private (long Limit, bool WantsPoint) Move(TopicTable table, DateTimeOffset now)
    {
        Dictionary<int, long> stored;
        lock (_gate)
        {
            stored = new Dictionary<int, long>(_stored);
        }

        long[] starts = new long[table.Count];
        var expiredBy = new Dictionary<TimeSpan, (long Cut, long[]? Offsets)>(); // by retention: most topics have the same
        long limit = index.LastPosition ?? _trim.Position;
        LogPin? pin = null;
        long kept = 0; // messages of the partition that pins
        bool wantsPoint = false;
        foreach (TopicEntry topic in table.Topics)
        {
            TimeSpan retention = topic.Retention ?? keep;
            if (!expiredBy.TryGetValue(retention, out (long Cut, long[]? Offsets) expired))
            {
                long cut = (now - retention).ToUnixTimeMilliseconds();
                expiredBy[retention] = expired = (cut, index.PositionBefore(cut) is { } point ? index.OffsetsAt(point, table.Count) : null);
            }

            foreach (int ordinal in topic.Ordinals)
            {
                long start = Math.Max(StartOf(ordinal), _trim.OffsetOf(ordinal));
                long end = numbers.EndOf(ordinal);
                long safe = hasSink ? stored.GetValueOrDefault(ordinal, start) : end;
                long old = expired.Offsets?[ordinal] ?? 0;
                starts[ordinal] = start = Math.Max(start, Math.Min(old, safe));
                wantsPoint |= start < Math.Min(end, safe) && numbers.LastTime <= expired.Cut;
                if (start < end && index.PositionOf(ordinal, start, _trim.Position) is var position && position <= limit)
                {
                    var pinned = new LogPin(topic.Name, safe < end && safe <= old ? LogPinReason.NotStored : LogPinReason.Retention);
                    (pin, kept) = position < limit || end - start > kept ? (pinned, end - start) : (pin, kept);
                    limit = position;
                }
            }
        }

        _starts = starts;
        Pin = pin;
        return (limit, wantsPoint);
    }
}

/// <summary>What keeps the log's oldest messages.</summary>
/// <param name="Topic">A topic that they belong to; null: it is nothing of a topic that keeps them.</param>
/// <param name="Why">Why it does.</param>
internal sealed record LogPin(string? Topic, LogPinReason Why);

/// <summary>Why messages are kept.</summary>
internal enum LogPinReason
{
    /// <summary>The sink has not stored them.</summary>
    NotStored,

    /// <summary>Their retention is not over.</summary>
    Retention,

    /// <summary>The Idempotency-Keys of TOPICS_DEDUP stand among them, and a start reads those from the log.</summary>
    Keys,
}
