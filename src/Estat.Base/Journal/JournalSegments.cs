// A journal's folder: which segments there are, the one that is written, and what a start makes of them.
using System.Buffers;
using Estat.Base.Files;
using Estat.Base.Threading;

namespace Estat.Base.Journal;

/// <summary>
/// Blocks of records over segments (docs/decisions/0009-journal.md has what it promises, and why it is so). <see cref="Write"/> has one user at a
/// time, and so has <see cref="DeleteBefore"/>; the rest any number.
/// </summary>
internal sealed class JournalSegments : IDisposable
{
    private readonly IJournalFiles _files;
    private readonly long _segmentBytes;
    private readonly Lock _gate = new();
    private RecordFile? _records;
    private IJournalFile? _file;
    private long[] _starts;
    private long _start; // of the segment that is written
    private long _end;
    private bool _isFolderDirty;

    /// <summary>Reads what is there, and makes durable what can be read of it.</summary>
    /// <param name="files">The folder; the journal's own from now on.</param>
    /// <param name="segmentBytes">Bytes after which a segment ends.</param>
    /// <exception cref="JournalDamagedException">Something is missing or changed that had been synced.</exception>
    /// <exception cref="IOException">The disk refuses.</exception>
    internal JournalSegments(IJournalFiles files, long segmentBytes)
    {
        _files = files;
        _segmentBytes = segmentBytes;
        IReadOnlyList<string> names = files.Names();
        foreach (string name in names.Where(name => AtomicFile.IsTemporary(name)))
        {
            files.Delete(name);
        }

        _starts = [.. names.Select(JournalFormat.StartOf).OfType<long>().Order()];
        files.SyncFolder(); // a process that was killed may have named a segment and not synced the name
        for (int i = 0; i + 1 < _starts.Length; i++)
        {
            CheckLength(_starts[i], _starts[i + 1]);
        }

        if (_starts.Length > 0)
        {
            Recover(_starts[^1]);
        }
    }

    /// <summary>Where the oldest block begins that is still there.</summary>
    internal long Start
    {
        get
        {
            lock (_gate)
            {
                return _starts.Length == 0 ? 0 : _starts[0];
            }
        }
    }

    /// <summary>Where the next block will begin: all before it is durable.</summary>
    internal long End => Volatile.Read(ref _end);

    /// <summary>The folder, for messages.</summary>
    internal string Folder => _files.Folder;

    /// <summary>Looks whether all segments are still in the folder. Not while <see cref="DeleteBefore"/> runs.</summary>
    /// <returns>The name of one that is missing; null when none is.</returns>
    internal string? FindMissing()
    {
        long[] starts;
        lock (_gate)
        {
            // One without a durable block is no loss: the next one is made in its place.
            starts = [.. _starts.Where(start => start < End)];
        }

        var names = _files.Names().ToHashSet(StringComparer.Ordinal);
        return starts.Select(JournalFormat.NameOf).FirstOrDefault(name => !names.Contains(name));
    }

    /// <summary>Writes a block and syncs it. Whatever a disk's refusal is made of, such as a file that may not grow any more, the segment ends with
    /// it.</summary>
    /// <param name="content">At least one byte.</param>
    /// <param name="records">Records in it, at least 1.</param>
    /// <returns>Where it begins.</returns>
    /// <exception cref="JournalFailedException">It is not durable.</exception>
    internal long Write(ReadOnlyMemory<byte> content, int records)
    {
        if (_records is null || _records.HasEnded || (_records.SyncedItems > 0 && _records.End >= _segmentBytes))
        {
            BeginSegment();
        }

        long position = End;
        try
        {
            _records.Append(content, records);
        }
        catch (Exception error)
        {
            _records.CutUnsynced();
            throw new JournalFailedException(_records.IsTrusted, error);
        }

        try
        {
            _records.Sync();
        }
        catch (Exception error)
        {
            _records.CutUnsynced();
            throw new JournalFailedException(isCertainlyNotThere: false, error);
        }

        Volatile.Write(ref _end, _start + _records.SyncedEnd - JournalFormat.HeadBytes);
        return position;
    }

    /// <summary>Deletes segments that lie wholly before a position, durably; never the last that holds a block.</summary>
    /// <returns>Segments deleted.</returns>
    /// <exception cref="IOException">The disk refuses; what was deleted before stays deleted.</exception>
    internal int DeleteBefore(long position)
    {
        int deleted = 0;
        SyncFolderIfDirty();
        while (TryForgetFirst(position) is { } start)
        {
            // One by one: a power cut must not bring back a segment and not the one behind it.
            _isFolderDirty = true;
            try
            {
                _files.Delete(JournalFormat.NameOf(start));
            }
            catch
            {
                Remember(start); // or the next call would delete what lies behind it
                throw;
            }

            SyncFolderIfDirty();
            deleted++;
        }

        return deleted;
    }

    /// <summary>Reads from a block on.</summary>
    /// <param name="position">Where the block begins, or <see cref="End"/>.</param>
    internal JournalCursor Read(long position) => new(this, position);

    /// <summary>The segment that holds a position, and where it ends, as far as it is durable.</summary>
    /// <exception cref="JournalDeletedException">It was deleted.</exception>
    internal (long Start, long End) SegmentAt(long position)
    {
        lock (_gate)
        {
            long end = End;
            int index = Array.BinarySearch(_starts, position);
            index = index >= 0 ? index : ~index - 1;
            return index < 0 ? throw new JournalDeletedException(position, Start)
                : (_starts[index], index + 1 < _starts.Length ? Math.Min(_starts[index + 1], end) : end);
        }
    }

    /// <summary>Opens a segment for reading.</summary>
    internal IJournalFile Open(long start) => _files.Open(JournalFormat.NameOf(start));

    public void Dispose() => _file?.Dispose();

    [System.Diagnostics.CodeAnalysis.MemberNotNull(nameof(_records))]
    private void BeginSegment()
    {
        try
        {
            _file?.Dispose();
            _file = null;
            ulong nonce = RandomBits.Next();
            // Of one that failed before its first block was durable, or could not be finished.
            _files.Delete(JournalFormat.NameOf(End));
            _file = NamedFile.Create(_files, JournalFormat.NameOf(End), file => file.Write(0, JournalFormat.Head(End, nonce)));
            _records = new RecordFile(_file, nonce, JournalFormat.HeadBytes);
        }
        catch (Exception error)
        {
            throw new JournalFailedException(isCertainlyNotThere: true, error);
        }

        _start = End;
        lock (_gate)
        {
            _starts = _starts.Length > 0 && _starts[^1] == _start ? _starts : [.. _starts, _start];
        }
    }

    private long? TryForgetFirst(long position)
    {
        lock (_gate)
        {
            // Without a block in the next one, nothing but this one would say where positions go on.
            if (_starts.Length < 2 || _starts[1] > position || _starts[1] == End)
            {
                return null;
            }

            long first = _starts[0];
            _starts = _starts[1..];
            return first;
        }
    }

    private void Remember(long start)
    {
        lock (_gate)
        {
            _starts = [start, .. _starts];
        }
    }

    private void SyncFolderIfDirty()
    {
        if (_isFolderDirty)
        {
            _files.SyncFolder();
            _isFolderDirty = false;
        }
    }

    // Cheap: what it holds is checked when it is read.
    private void CheckLength(long start, long next)
    {
        using IJournalFile file = Open(start);
        if (file.Length < JournalFormat.HeadBytes + next - start)
        {
            throw new JournalDamagedException(
                start, $"{JournalFormat.NameOf(start)} in {Folder} is shorter than it was, or a segment between it and {JournalFormat.NameOf(next)} "
                    + "is missing");
        }
    }

    private void Recover(long start)
    {
        IJournalFile file = Open(start);
        try
        {
            ulong nonce = JournalFormat.ReadNonce(file, start);
            var reader = new RecordReader(file, nonce);
            (long items, long end) = reader.ReadGoodRun(JournalFormat.HeadBytes, long.MaxValue, static (_, _) => { });
            if (reader.Examine(end) == TailKind.Damaged)
            {
                throw new JournalDamagedException(
                    start + end - JournalFormat.HeadBytes, $"a block in {JournalFormat.NameOf(start)} is not readable, and good ones lie behind it");
            }

            WriteAgain(file, end);
            if (file.Length > end)
            {
                file.Truncate(end);
            }

            file.Sync();
            _file = file;
            _records = new RecordFile(file, nonce, end, items);
            _start = start;
            _end = start + end - JournalFormat.HeadBytes;
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    // After a sync that failed the kernel may show what the device never got, and sync it no more unless it is written again.
    private static void WriteAgain(IJournalFile file, long end)
    {
        byte[] buffer = ArrayPool<byte>.Shared.Rent(1 << 20);
        try
        {
            for (long at = 0; at < end;)
            {
                int read = RecordReader.ReadFully(file, at, buffer.AsSpan(0, (int)Math.Min(buffer.Length, end - at)));
                if (read == 0)
                {
                    throw new IOException("The segment became shorter while it was read.");
                }

                file.Write(at, buffer.AsSpan(0, read));
                at += read;
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }
}
