// A segment while its batch is being filled: the side that writes.
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
    private readonly ISpoolFile _file;
    private readonly ulong _nonce;
    private readonly byte[] _frame = new byte[SegmentFormat.FrameBytes];
    private long _end;
    private long _sequence;
    private long _syncedEnd;
    private long _syncedSequence;
    private bool _ended;
    private bool _syncFailed;
    private bool _deleted;

    private Segment(Spool spool, string name, ISpoolFile file, ulong nonce)
    {
        _spool = spool;
        Name = name;
        _file = file;
        _nonce = nonce;
    }

    /// <summary>The file's name.</summary>
    internal string Name { get; }

    /// <summary>Events whose sync succeeded.</summary>
    internal long Events => _syncedSequence;

    /// <summary>
    /// Whether what was acknowledged is there, and nothing else: no sync ever failed, what a failed write left was cut off, and the spool's folder
    /// is where it was.
    /// </summary>
    internal bool IsTrusted { get => field && !_spool.IsGone; private set; } = true;

    /// <summary>Whether it may be left to the disk: the next start would find it, whole.</summary>
    internal bool IsSafe => IsTrusted && _file.HasName(Name) == true;

    /// <summary>Gives an empty file, whose entry is durable, its identity. Durable with the first sync of records.</summary>
    /// <exception cref="IOException">The disk refuses.</exception>
    internal static Segment Begin(Spool spool, string name, ISpoolFile file, string key, DateTimeOffset opened)
    {
        Span<byte> head = stackalloc byte[SegmentFormat.HeadBytes];
        ulong nonce = RandomBits.Next();
        SegmentFormat.WriteHead(head, name, new SegmentIdentity(key, opened, nonce));
        file.Write(0, head);
        spool.OnGrown(SegmentFormat.HeadBytes);
        return new Segment(spool, name, file, nonce) { _end = SegmentFormat.HeadBytes, _syncedEnd = SegmentFormat.HeadBytes };
    }

    /// <summary>Adds whole lines as one record. Not synced.</summary>
    /// <exception cref="IOException">The disk refuses; the segment takes nothing more.</exception>
    internal void Append(ReadOnlyMemory<byte> lines, int events)
    {
        ObjectDisposedException.ThrowIf(_ended, this);
        SegmentFormat.WriteFrame(_frame, _nonce, _sequence + 1, events, lines.Span);
        try
        {
            _file.Write(_end, _frame, lines);
        }
        catch
        {
            _ended = true;
            IsTrusted = false;
            throw;
        }

        int length = SegmentFormat.FrameBytes + lines.Length;
        _end += length;
        _sequence += events;
        _spool.OnGrown(length);
    }

    /// <summary>Syncs what was appended.</summary>
    /// <exception cref="IOException">Nothing since the last sync may be believed; the segment takes nothing more.</exception>
    internal void Sync()
    {
        try
        {
            _file.Sync();
        }
        catch
        {
            _ended = true;
            _syncFailed = true;
            IsTrusted = false;
            throw;
        }

        _syncedEnd = _end;
        _syncedSequence = _sequence;
    }

    /// <summary>
    /// Cuts off what was written and never acknowledged, as far as a failing disk lets us. Recovery copes when it does not; a segment without a
    /// failed sync can be relied upon again when it does.
    /// </summary>
    internal void CutUnsynced()
    {
        try
        {
            _file.Truncate(_syncedEnd);
            _file.Sync();
            _spool.OnGrown(_syncedEnd - _end);
            _end = _syncedEnd;
            _sequence = _syncedSequence;
            IsTrusted = !_syncFailed;
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            _syncFailed = true; // the failure that led here was logged and counted
        }
    }

    /// <summary>Writes the seal, durably. Before this nothing of the batch may be uploaded.</summary>
    /// <exception cref="IOException">The disk refuses.</exception>
    internal void WriteSeal(Seal seal)
    {
        _file.Write(SegmentFormat.SealOffset, SegmentFormat.SealSlot(_nonce, seal));
        _file.Sync();
        _spool.OnEnded(_end);
    }

    /// <summary>Nobody may rely on it any more: what it holds must be secured from memory.</summary>
    internal void Distrust() => IsTrusted = false;

    /// <summary>Removes the file: all of its events are safe elsewhere.</summary>
    internal void Delete()
    {
        if (!_deleted)
        {
            _deleted = true;
            _file.Dispose();
            _spool.Delete(Name, _end);
        }
    }

    /// <summary>Leaves the file to the backlog.</summary>
    /// <returns>Its size, bytes; and the open file if it was taken from under us, or nobody knows, as it could not be opened again.</returns>
    internal (long Bytes, ISpoolFile? Held) Leave()
    {
        _spool.OnLeft(Name);
        if (_file.HasName(Name) != true)
        {
            return (_end, _file);
        }

        _file.Dispose();
        return (_end, null);
    }
}
