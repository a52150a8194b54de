// The next offset of each partition, and the log's clock: what is written into productions when their order is certain.
using Estat.Base.Journal;

namespace Estat.Topics.Embedded;

/// <summary>
/// Offsets have no gaps: those of a block that did not become durable are given to the next one. Time never goes back, whatever the clock does.
/// Changed by the journal's writer alone, and by the start before there is one; read by any thread.
/// </summary>
/// <param name="index">Told of every block.</param>
/// <param name="time">The clock.</param>
internal sealed class LogNumbers(LogIndex index, TimeProvider time) : IJournalStamps
{
    private readonly LogClock _clock = new(time);
    private readonly List<int> _touched = []; // ordinals of the block
    private Func<int, int, long>? _take; // made once
    private long[] _next = [];
    private long[] _durable = [];
    private long _time;
    private long _timeBefore; // the block
    private long _blockTime;
    private bool _blockHasKeys;
    private bool _isNewBlock;
    private volatile TaskCompletionSource? _grown;
    private volatile bool _hasEnded;

    /// <summary>The time of the last message; 0 without one.</summary>
    internal long LastTime => Volatile.Read(ref _time);

    /// <summary>The offset of a partition's next message: all before it is durable.</summary>
    internal long EndOf(int ordinal)
    {
        long[] durable = Volatile.Read(ref _durable);
        return ordinal < durable.Length ? Volatile.Read(ref durable[ordinal]) : 0;
    }

    /// <summary>Whether nothing will come any more.</summary>
    internal bool HasEnded => _hasEnded;

    /// <summary>Whether the machine's clock is not believed now.</summary>
    internal bool IsClockDoubted => _clock.IsDoubted;

    /// <summary>Ends once there is more than now, or nothing will come.</summary>
    internal Task Grown
    {
        get
        {
            var mine = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            return (Interlocked.CompareExchange(ref _grown, mine, null) ?? mine).Task;
        }
    }

    /// <summary>The journal has ended: nobody need wait any longer.</summary>
    internal void End()
    {
        _hasEnded = true;
        Interlocked.Exchange(ref _grown, null)?.SetResult();
    }

    /// <summary>The start found a partition's offset.</summary>
    internal void Resume(IReadOnlyList<long> offsets)
    {
        _next = [.. offsets];
    }

    /// <summary>The start read a production.</summary>
    /// <param name="position">Where its block begins.</param>
    /// <param name="isFirst">Whether it is the first of its block.</param>
    /// <param name="head">What it says.</param>
    /// <param name="partitions">Partitions that there are.</param>
    /// <exception cref="JournalDamagedException">Its offsets do not follow those before it.</exception>
    /// <exception cref="IOException">It is of a partition that <c>topics.json</c> does not know.</exception>
    internal void Resume(long position, bool isFirst, ProductionHead head, int partitions)
    {
        if (Array.Exists(head.Runs, run => run.Ordinal < 0 || run.Ordinal >= partitions))
        {
            throw new IOException(
                $"The log holds messages of a partition that topics.json does not know (position {position}): topics.json is older than the messages "
                    + "beside it. Put back the newer one.");
        }

        if (isFirst)
        {
            index.OnBlock(position, _time, head.Time, head.Idempotency is not null, _next);
        }
        else if (head.Idempotency is not null)
        {
            index.MarkKeys();
        }

        foreach (ProductionRun run in head.Runs)
        {
            Grow(run.Ordinal);
            if (run.First != _next[run.Ordinal] || head.Time < _time)
            {
                throw new JournalDamagedException(
                    position, $"partition number {run.Ordinal} goes on at offset {run.First}, and its next one was {_next[run.Ordinal]}");
            }

            _next[run.Ordinal] += run.Count;
        }

        _time = head.Time;
    }

    /// <summary>The start has read everything.</summary>
    internal void EndResume() => _durable = [.. _next];

    /// <inheritdoc/>
    void IJournalStamps.Begin()
    {
        _blockHasKeys = false;
        _isNewBlock = true;
        _timeBefore = _time;
        _take ??= Take;
    }

    /// <inheritdoc/>
    void IJournalStamps.Stamp(object? owner, Span<byte> record)
    {
        var pending = (PendingProduction)owner!;
        long now = Math.Max(_time, _clock.Now());
        if (_isNewBlock)
        {
            (_blockTime, _isNewBlock) = (now, false);
        }

        Volatile.Write(ref _time, now);
        _blockHasKeys |= pending.HasKey;
        ProductionLayout.Stamp(record, now, _take!, pending.Firsts);
    }

    /// <inheritdoc/>
    void IJournalStamps.Commit(long position)
    {
        index.OnBlock(position, _timeBefore, _blockTime, _blockHasKeys, _durable);
        if (_durable.Length < _next.Length)
        {
            long[] grown = new long[_next.Length];
            _durable.CopyTo(grown, 0);
            Volatile.Write(ref _durable, grown);
        }

        foreach (int ordinal in _touched)
        {
            Volatile.Write(ref _durable[ordinal], _next[ordinal]);
        }

        _touched.Clear();

        Interlocked.Exchange(ref _grown, null)?.SetResult();
    }

    /// <inheritdoc/>
    void IJournalStamps.Undo()
    {
        foreach (int ordinal in _touched)
        {
            _next[ordinal] = ordinal < _durable.Length ? _durable[ordinal] : 0;
        }

        _touched.Clear();
    }

    private long Take(int ordinal, int count)
    {
        Grow(ordinal);
        long first = _next[ordinal];
        _next[ordinal] += count;
        _touched.Add(ordinal);
        return first;
    }

    private void Grow(int ordinal)
    {
        if (ordinal >= _next.Length)
        {
            Array.Resize(ref _next, ordinal + 16);
        }
    }
}
