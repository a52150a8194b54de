// A file of records while it is being written.
namespace Estat.Base.Journal;

/// <summary>
/// Appends records behind a head. One user at a time. After a failed write or sync it takes nothing more, and nobody may rely on what was written
/// since the last sync.
/// </summary>
/// <param name="file">Where to; its owner's still.</param>
/// <param name="nonce">The file's; begins every checksum.</param>
/// <param name="end">Where the next record goes, bytes; all before it is durable.</param>
/// <param name="items">Items before it.</param>
internal sealed class RecordFile(IJournalFile file, ulong nonce, long end, long items = 0)
{
    private readonly byte[] _frame = new byte[RecordFormat.FrameBytes];
    private long _end = end;
    private long _items = items;
    private long _syncedItems = items;
    private long _syncedEnd = end;
    private bool _hasEnded;
    private bool _syncFailed;

    /// <summary>Where the next record goes, bytes.</summary>
    internal long End => _end;

    /// <summary>Where the last record ends whose sync succeeded.</summary>
    internal long SyncedEnd => _syncedEnd;

    /// <summary>Items whose sync succeeded.</summary>
    internal long SyncedItems => _syncedItems;

    /// <summary>Whether what was synced is there, and nothing else: no sync ever failed, and what a failed write left was cut off.</summary>
    internal bool IsTrusted { get; private set; } = true;

    /// <summary>Whether it takes more.</summary>
    internal bool HasEnded => _hasEnded;

    /// <summary>Adds a record. Not synced.</summary>
    /// <param name="content">At least one byte.</param>
    /// <param name="count">Its items, at least 1.</param>
    /// <returns>Bytes that the file grew by.</returns>
    /// <exception cref="IOException">The disk refuses; the file takes nothing more.</exception>
    internal int Append(ReadOnlyMemory<byte> content, int count)
    {
        ObjectDisposedException.ThrowIf(_hasEnded, this);
        RecordFormat.WriteFrame(_frame, nonce, _items + 1, count, content.Span);
        try
        {
            file.Write(_end, _frame, content);
        }
        catch
        {
            _hasEnded = true;
            IsTrusted = false;
            throw;
        }

        int length = RecordFormat.FrameBytes + content.Length;
        _end += length;
        _items += count;
        return length;
    }

    /// <summary>Syncs what was appended.</summary>
    /// <exception cref="IOException">Nothing since the last sync may be believed; the file takes nothing more.</exception>
    internal void Sync()
    {
        try
        {
            file.Sync();
        }
        catch
        {
            _hasEnded = true;
            _syncFailed = true;
            IsTrusted = false;
            throw;
        }

        _syncedEnd = _end;
        _syncedItems = _items;
    }

    /// <summary>
    /// Cuts off what was written and never synced, as far as a failing disk lets us. Recovery copes when it does not; a file without a failed sync
    /// can be relied upon again when it does. It takes nothing more.
    /// </summary>
    /// <returns>Bytes that the file lost.</returns>
    internal long CutUnsynced()
    {
        _hasEnded = true;
        try
        {
            file.Truncate(_syncedEnd);
            file.Sync();
            long cut = _end - _syncedEnd;
            _end = _syncedEnd;
            _items = _syncedItems;
            IsTrusted = !_syncFailed;
            return cut;
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            _syncFailed = true; // the failure that led here was logged and counted
            return 0;
        }
    }

    /// <summary>Nobody may rely on it any more.</summary>
    internal void Distrust() => IsTrusted = false;
}
