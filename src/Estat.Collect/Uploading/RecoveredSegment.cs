// A waiting segment, read and judged: what is a batch in it, and what is not to be trusted.
using Estat.Base.Journal;
using Estat.Base.Storage;
using Estat.Collect.Batching;
using Estat.Collect.Metrics;
using Estat.Collect.Spooling;

namespace Estat.Collect.Uploading;

/// <summary>
/// Sealed and sound: the batch is what was sealed. Never sealed: the batch is the good run, all that can have been acknowledged; the tail is cut off.
/// Sealed but not what it was sealed as: the good run is the batch, and everything behind it is suspect.
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

    /// <summary>Whether something that had been synced is no longer what it was.</summary>
    internal bool IsDamaged { get; private init; }

    /// <summary>Whether another version wrote it: its bytes are copied, and it stays.</summary>
    internal bool IsOfOtherVersion => _reader.IsOfOtherVersion;

    /// <summary>Whether the version in its head was damaged, and nothing else is known to be.</summary>
    internal bool HasDamagedVersion => _reader.HasDamagedVersion;

    /// <summary>Reads the whole segment; the batch is compressed in memory.</summary>
    /// <param name="files">The spool's folder.</param>
    /// <param name="name">The segment's file.</param>
    /// <param name="newEncoder">Compresses it.</param>
    /// <param name="afterStep">Called after each record.</param>
    /// <param name="held">The file, if it is open already because its name is gone; it stays open.</param>
    /// <exception cref="IOException">It cannot be read.</exception>
    internal static RecoveredSegment Read(
        IJournalFiles files, string name, Func<BatchEncoder> newEncoder, Action? afterStep = null, IJournalFile? held = null)
    {
        SegmentReader reader = held is null ? SegmentReader.Open(files, name) : SegmentReader.Of(new LentFile(held), name);
        try
        {
            if (reader.Seal is null)
            {
                // A process that was killed may have written and not synced: what is judged and sealed now would be another file after a power cut,
                // and its tail another object.
                reader.Sync();
            }

            return reader.Identity is { } identity ? ReadBatch(reader, identity, newEncoder, afterStep) : ReadHeadless(reader, name);
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

    // Under a name that was given to a synced file there is a head, of a spare at least: what is not there any more was damaged, however little is
    // left.
    private static RecoveredSegment ReadHeadless(SegmentReader reader, string name)
    {
        TailKind kind = reader.Examine(reader.IsSpare ? SegmentFormat.HeadBytes : 0);
        return new RecoveredSegment(reader, null, 0)
        {
            Tail = kind == TailKind.Clean ? null : reader.ReadFrom(0),
            TailReason =
                reader.IsOfOtherVersion ? "another version of Estat wrote it"
                : reader.IsSpare ? "it was begun but never synced"
                : reader.Length == 0 ? "it is empty"
                : kind == TailKind.Clean ? "it holds nothing but zeros"
                : "the head is not readable",
            IsDamaged = !reader.IsSpare && (kind != TailKind.Clean || Spool.IsNamedWhole(name)),
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
                ? $"no whole record after event {events}"
                : $"{events} of {reader.Seal!.Events} sealed events are readable",
            IsDamaged = kind == TailKind.Damaged || !isWhatWasSealed,
        };
    }

    // A file that is somebody else's to close.
    private sealed class LentFile(IJournalFile file) : IJournalFile
    {
        public long Length => file.Length;

        public bool? HasName(string name) => file.HasName(name);

        public void Write(long offset, ReadOnlySpan<byte> bytes) => file.Write(offset, bytes);

        public void Write(long offset, ReadOnlyMemory<byte> first, ReadOnlyMemory<byte> second) => file.Write(offset, first, second);

        public int Read(long offset, Span<byte> bytes) => file.Read(offset, bytes);

        public void Sync() => file.Sync();

        public void Truncate(long length) => file.Truncate(length);

        public void Dispose()
        {
        }
    }
}
