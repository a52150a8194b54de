// A segment while its batch is being filled: the side that writes.
using Estat.Base.Journal;
using Estat.Base.Storage;
using Estat.Base.Threading;

namespace Estat.Collect.Spooling;

/// <summary>
/// One batch's file. One user after another: the partition's spool writer appends and syncs; the batch writer seals, once the last record is
/// through; whoever secured the batch elsewhere deletes. After a failed write or sync it takes nothing more, and nobody may rely on it.
/// </summary>
internal sealed class Segment
{
    private readonly Spool _spool;
    private readonly IJournalFile _file;
    private readonly ulong _nonce;
    private readonly RecordFile _records;
    private bool _deleted;

    private Segment(Spool spool, string name, IJournalFile file, ulong nonce)
    {
        _spool = spool;
        Name = name;
        _file = file;
        _nonce = nonce;
        _records = new RecordFile(file, nonce, SegmentFormat.HeadBytes);
    }

    /// <summary>The file's name.</summary>
    internal string Name { get; }

    /// <summary>Events whose sync succeeded.</summary>
    internal long Events => _records.SyncedItems;

    /// <summary>
    /// Whether what was acknowledged is there, and nothing else: no sync ever failed, what a failed write left was cut off, and the spool's folder
    /// is where it was.
    /// </summary>
    internal bool IsTrusted => _records.IsTrusted && !_spool.IsGone;

    /// <summary>Whether it may be left to the disk: the next start would find it, whole.</summary>
    internal bool IsSafe => IsTrusted && _file.HasName(Name) == true;

    /// <summary>Gives an empty file, whose entry is durable, its identity. Durable with the first sync of records.</summary>
    /// <exception cref="IOException">The disk refuses.</exception>
    internal static Segment Begin(Spool spool, string name, IJournalFile file, string key, DateTimeOffset opened)
    {
        Span<byte> head = stackalloc byte[SegmentFormat.HeadBytes];
        ulong nonce = RandomBits.Next();
        SegmentFormat.WriteHead(head, name, new SegmentIdentity(key, opened, nonce));
        file.Write(0, head);
        spool.OnGrown(SegmentFormat.HeadBytes);
        return new Segment(spool, name, file, nonce);
    }

    /// <summary>Adds whole lines as one record. Not synced.</summary>
    /// <exception cref="IOException">The disk refuses; the segment takes nothing more.</exception>
    internal void Append(ReadOnlyMemory<byte> lines, int events) => _spool.OnGrown(_records.Append(lines, events));

    /// <summary>Syncs what was appended.</summary>
    /// <exception cref="IOException">Nothing since the last sync may be believed; the segment takes nothing more.</exception>
    internal void Sync() => _records.Sync();

    /// <summary>
    /// Cuts off what was written and never acknowledged, as far as a failing disk lets us. Recovery copes when it does not; a segment without a
    /// failed sync can be relied upon again when it does.
    /// </summary>
    internal void CutUnsynced() => _spool.OnGrown(-_records.CutUnsynced());

    /// <summary>Writes the seal, durably. Before this nothing of the batch may be uploaded.</summary>
    /// <exception cref="IOException">The disk refuses.</exception>
    internal void WriteSeal(Seal seal)
    {
        _file.Write(SegmentFormat.SealOffset, SegmentFormat.SealSlot(_nonce, seal));
        _file.Sync();
        _spool.OnEnded(_records.End);
    }

    /// <summary>Nobody may rely on it any more: what it holds must be secured from memory.</summary>
    internal void Distrust() => _records.Distrust();

    /// <summary>Removes the file: all of its events are safe elsewhere.</summary>
    internal void Delete()
    {
        if (!_deleted)
        {
            _deleted = true;
            _file.Dispose();
            _spool.Delete(Name, _records.End);
        }
    }

    /// <summary>Leaves the file to the backlog.</summary>
    /// <returns>Its size, bytes; and the open file if it was taken from under us, or nobody knows, as it could not be opened again.</returns>
    internal (long Bytes, IJournalFile? Held) Leave()
    {
        _spool.OnLeft(Name);
        if (_file.HasName(Name) != true)
        {
            return (_records.End, _file);
        }

        _file.Dispose();
        return (_records.End, null);
    }
}
