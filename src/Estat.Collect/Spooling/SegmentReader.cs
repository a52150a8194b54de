// A segment that nobody writes any more: whose it is, what it was sealed as, its records. What of it is a batch, RecoveredSegment decides.
using Estat.Base.Journal;
using Estat.Base.Storage;

namespace Estat.Collect.Spooling;

/// <summary>Its head is read at once, its records (<see cref="RecordReader"/>) when asked for. One user.</summary>
internal sealed class SegmentReader : IDisposable
{
    private readonly IJournalFile _file;
    private readonly RecordReader _records;

    private SegmentReader(IJournalFile file, string name)
    {
        _file = file;
        Length = file.Length;
        var head = new byte[SegmentFormat.HeadBytes];
        int read = RecordReader.ReadFully(file, 0, head);
        Identity = SegmentFormat.ReadHead(head.AsSpan(0, read), name);
        IsSpare = SegmentFormat.IsSpare(head.AsSpan(0, read), name);
        if (Identity is null && SegmentFormat.IsOfOtherVersion(head))
        {
            SegmentFormat.WriteVersion(head);
            Identity = SegmentFormat.ReadHead(head.AsSpan(0, read), name);
            HasDamagedVersion = Identity is not null;
            IsOfOtherVersion = Identity is null;
        }

        Seal = Identity is null ? null : SegmentFormat.ReadSeal(head, Identity.Nonce);
        _records = new RecordReader(file, Identity?.Nonce);
    }

    /// <summary>Whose segment it is; null when the head is not readable, and then nothing else is either.</summary>
    internal SegmentIdentity? Identity { get; }

    /// <summary>The seal; null when it was never sealed.</summary>
    internal Seal? Seal { get; }

    /// <summary>Whether another version of Estat wrote it, for all that can be seen: not ours to judge.</summary>
    internal bool IsOfOtherVersion { get; }

    /// <summary>Whether this version wrote it and only the version in its head was damaged.</summary>
    internal bool HasDamagedVersion { get; }

    /// <summary>Whether no batch ever had it.</summary>
    internal bool IsSpare { get; }

    /// <summary>Bytes of the file.</summary>
    internal long Length { get; }

    /// <summary>Opens a segment and reads its head.</summary>
    /// <exception cref="IOException">It cannot be read.</exception>
    internal static SegmentReader Open(IJournalFiles files, string name) => Of(files.Open(name), name);

    /// <summary>Reads the head of an open segment; the file is the reader's from now on.</summary>
    /// <exception cref="IOException">It cannot be read.</exception>
    internal static SegmentReader Of(IJournalFile file, string name)
    {
        try
        {
            return new SegmentReader(file, name);
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    /// <summary>Walks over the good run; in a sealed segment no further than the seal says.</summary>
    /// <param name="onRecord">Called with each record's lines, in order.</param>
    /// <returns>Events in the good run, and where it ends.</returns>
    internal (long Events, long End) ReadGoodRun(RecordReader.RecordAction onRecord) =>
        _records.ReadGoodRun(SegmentFormat.HeadBytes, Seal?.Events ?? long.MaxValue, onRecord);

    /// <summary>What lies from <paramref name="end"/> on.</summary>
    internal TailKind Examine(long end) => _records.Examine(end);

    /// <summary>The bytes from <paramref name="offset"/> on, as they are.</summary>
    internal byte[] ReadFrom(long offset)
    {
        var bytes = new byte[Math.Max(0, Math.Min(Length - offset, RecordReader.LargestRecord))];
        return bytes[..RecordReader.ReadFully(_file, offset, bytes)];
    }

    /// <summary>Makes what will be read durable.</summary>
    /// <exception cref="IOException">The device did not take it.</exception>
    internal void Sync() => _file.Sync();

    /// <summary>Cuts the tail off and seals, both durably: from here on this is the batch.</summary>
    internal void CutAndSeal(long end, Seal seal)
    {
        if (end < Length)
        {
            _file.Truncate(end);
            _file.Sync(); // before the seal: a sealed segment has no tail
        }

        _file.Write(SegmentFormat.SealOffset, SegmentFormat.SealSlot(Identity!.Nonce, seal));
        _file.Sync();
    }

    public void Dispose() => _file.Dispose();
}
