// A waiting segment, read and judged: what is a batch in it, and what is not to be trusted.
using Estat.Core.Batching;

namespace Estat.Core.Spooling;

/// <summary>
/// Sealed and sound: the batch is what was sealed. Never sealed: the batch is the good run, all that can have been acknowledged; the tail is cut off. Sealed
/// but not what it was sealed as: the good run is the batch, and everything behind it is suspect.
/// </summary>
internal sealed class RecoveredSegment : IDisposable
{
    private readonly SegmentReader _reader;
    private readonly long _end;

    private RecoveredSegment(SegmentReader reader, SealedBatch? batch, long end)
    {
        _reader = reader;
        Batch = batch;
        _end = end;
    }

    /// <summary>The batch; null when there is not one good record.</summary>
    internal SealedBatch? Batch { get; }

    /// <summary>The key in its head; null when that cannot be read.</summary>
    internal string? Key => _reader.Identity?.Key;

    /// <summary>What it was sealed as; null when it never was.</summary>
    internal Seal? Sealed => _reader.Seal;

    /// <summary>Bytes that are no part of the batch, for the quarantine; null when there are none.</summary>
    internal byte[]? Tail { get; private init; }

    /// <summary>What is wrong with them.</summary>
    internal string TailReason { get; private init; } = "";

    /// <summary>Whether something that had been flushed is no longer what it was.</summary>
    internal bool IsDamaged { get; private init; }

    /// <summary>Reads the whole segment; the batch is compressed in memory.</summary>
    /// <param name="files">The spool's folder.</param>
    /// <param name="name">The segment's file.</param>
    /// <param name="newEncoder">Compresses it.</param>
    /// <param name="afterStep">Called after each record.</param>
    /// <exception cref="IOException">It cannot be read.</exception>
    internal static RecoveredSegment Read(ISpoolFiles files, string name, Func<BatchEncoder> newEncoder, Action? afterStep = null)
    {
        SegmentReader reader = SegmentReader.Open(files, name);
        try
        {
            if (reader.Seal is null)
            {
                // A process that was killed may have written and not flushed: what is judged and sealed now would be another file after a power cut, and its tail another object.
                reader.Sync();
            }

            return reader.Identity is { } identity ? ReadBatch(reader, identity, newEncoder, afterStep) : ReadHeadless(reader);
        }
        catch
        {
            reader.Dispose();
            throw;
        }
    }

    /// <summary>Cuts the tail off and seals the segment, unless it was sealed: its upload may begin.</summary>
    internal void EnsureSealed()
    {
        if (_reader.Seal is null)
        {
            _reader.CutAndSeal(_end, Batch!.Seal);
        }
    }

    public void Dispose()
    {
        Batch?.Dispose();
        _reader.Dispose();
    }

    private static RecoveredSegment ReadHeadless(SegmentReader reader)
    {
        TailKind kind = reader.Examine(0);
        return new RecoveredSegment(reader, null, 0)
        {
            Tail = kind == TailKind.Clean ? null : reader.ReadFrom(0),
            TailReason = "the head is not readable",
            IsDamaged = kind != TailKind.Clean,
        };
    }

    private static RecoveredSegment ReadBatch(SegmentReader reader, SegmentIdentity identity, Func<BatchEncoder> newEncoder, Action? afterStep)
    {
        using BatchEncoder encoder = newEncoder();
        var open = new OpenBatch(identity.Key, identity.Opened, isAwaited: false);
        (long events, long end) = reader.ReadGoodRun((lines, count) =>
        {
            encoder.Append(open, lines, count);
            afterStep?.Invoke();
        });
        SealedBatch? batch = events == 0 ? null : encoder.Seal(FlushReason.Recovery);
        bool isWhatWasSealed = reader.Seal is null || batch?.Seal == reader.Seal;
        // Behind what was sealed nothing was ever acknowledged, whatever lies there.
        TailKind kind = reader.Seal is not null && isWhatWasSealed ? TailKind.Clean : reader.Examine(end);
        return new RecoveredSegment(reader, batch, end)
        {
            Tail = kind == TailKind.Clean ? null : reader.ReadFrom(end),
            TailReason = isWhatWasSealed
                ? $"not a whole record behind event {events}"
                : $"{events} of {reader.Seal!.Events} sealed events are readable",
            IsDamaged = kind == TailKind.Damaged || !isWhatWasSealed,
        };
    }
}
