// A journal that many append to: group commit over segments.
using System.Buffers.Binary;
using System.Collections.Concurrent;
using Estat.Base.Threading;

namespace Estat.Base.Journal;

/// <summary>
/// Records, appended by any thread, durable before their append ends, read again by position (docs/decisions/0009-journal.md has what it promises).
/// A thread of its own writes all that wait as one block, and syncs it.
/// </summary>
public sealed class SegmentedJournal : IAsyncDisposable, IGathered<JournalAppend>
{
    // A block is read as a whole, and written by one call. Larger ones hold one record.
    private const int MostBlockBytes = 1 << 20;

    private readonly JournalSegments _segments;
    private readonly long _mostWaiting;
    private readonly IJournalStamps? _stamps;
    private readonly Lock _gate = new();
    private readonly GroupCommit _groupCommit = new();
    private readonly ConcurrentQueue<JournalAppend> _idle = new();
    private readonly List<JournalAppend> _group = [];
    private readonly Task _writing;
    private readonly List<JournalAppend> _waiting = [];
    private byte[] _block = new byte[64 * 1024];
    private long _waitingBytes;
    private bool _isClosed;
    private volatile bool _hasEnded;
    private volatile TaskCompletionSource? _grown;

    /// <summary>Opens a journal: checks the folder, and makes durable what can be read of it.</summary>
    /// <param name="files">The folder; the journal's own from now on.</param>
    /// <param name="segmentBytes">Bytes after which a segment ends; what <see cref="DeleteBefore"/> deletes at once.</param>
    /// <param name="mostWaiting">Bytes of records that may wait for the disk.</param>
    /// <param name="stamps">Numbers records; null: they are written as they were appended.</param>
    /// <exception cref="JournalDamagedException">Something is missing or changed that had been synced.</exception>
    /// <exception cref="IOException">The disk refuses.</exception>
    internal SegmentedJournal(IJournalFiles files, long segmentBytes, long mostWaiting, IJournalStamps? stamps = null)
    {
        _stamps = stamps;
        _segments = new JournalSegments(files, segmentBytes);
        _mostWaiting = mostWaiting;
        _writing = OwnThread.Run("estat-journal", Work);
    }

    /// <summary>Where the oldest block begins that is still there.</summary>
    public long Start => _segments.Start;

    /// <summary>Where the next block will begin: all before it is durable.</summary>
    public long End => _segments.End;

    /// <summary>Bytes of records that wait for the disk.</summary>
    public long WaitingBytes => Volatile.Read(ref _waitingBytes);

    /// <summary>Ends when the journal's writer has ended, and faults with what ended it early: it takes nothing more then.</summary>
    public Task Completion => _writing;

    /// <inheritdoc/>
    Lock IGathered<JournalAppend>.Gate => _gate;

    /// <inheritdoc/>
    bool IGathered<JournalAppend>.IsClosed => _isClosed;

    /// <summary>Appends a record unless too many wait.</summary>
    /// <param name="record">At most 1 GiB less 4 bytes. It must not change until the append has ended.</param>
    /// <param name="appended">Where it is, once it is durable; to be awaited once. Faults with <see cref="JournalFailedException"/>.</param>
    /// <param name="owner">What <see cref="IJournalStamps"/> is told about it.</param>
    /// <returns>False when it was not taken: so many bytes wait for the disk, or the journal is closed.</returns>
    public bool TryAppend(ReadOnlyMemory<byte> record, out ValueTask<JournalPosition> appended, object? owner = null)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(record.Length, RecordReader.LargestRecord - JournalBlock.LengthBytes);
        JournalAppend append = _idle.TryDequeue(out JournalAppend? idle) ? idle : new JournalAppend(_idle);
        append.Begin(record, owner);
        bool wake;
        lock (_gate)
        {
            if (_isClosed || (_waitingBytes > 0 && _waitingBytes + record.Length > _mostWaiting))
            {
                appended = default;
                _idle.Enqueue(append);
                return false;
            }

            _waiting.Add(append);
            _waitingBytes += Weight(append);
            _groupCommit.Add();
            wake = _groupCommit.TakeWake();
        }

        appended = append.Task;
        _groupCommit.Wake(wake);
        return true;
    }

    /// <summary>Reads from a block on.</summary>
    /// <param name="position">Where the block begins, as <see cref="JournalPosition.Block"/> says, or <see cref="Start"/> or
    /// <see cref="End"/>.</param>
    public JournalCursor Read(long position) => _segments.Read(position);

    /// <summary>Waits until there is something durable behind a position.</summary>
    /// <param name="position">A position, such as a cursor's.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <exception cref="ObjectDisposedException">The journal has ended, and nothing will come.</exception>
    public async Task WaitBeyondAsync(long position, CancellationToken cancellationToken)
    {
        while (End <= position)
        {
            var mine = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            TaskCompletionSource grown = Interlocked.CompareExchange(ref _grown, mine, null) ?? mine;
            if (End <= position)
            {
                ObjectDisposedException.ThrowIf(_hasEnded, this);
                await grown.Task.WaitAsync(cancellationToken).ConfigureAwait(false);
            }
        }
    }

    /// <summary>Deletes segments that lie wholly before a position, durably; never the last that holds a block. One caller at a time.</summary>
    /// <returns>Segments deleted.</returns>
    /// <exception cref="IOException">The disk refuses; what was deleted before stays deleted.</exception>
    public int DeleteBefore(long position) => _segments.DeleteBefore(position);

    /// <summary>Looks whether all segments are still in the folder. Not while <see cref="DeleteBefore"/> runs.</summary>
    /// <returns>The name of one that is missing; null when none is, or when that cannot be asked.</returns>
    /// <exception cref="IOException">The folder cannot be read.</exception>
    public string? FindMissing() => _segments.FindMissing();

    /// <inheritdoc/>
    void IGathered<JournalAppend>.TakeAll(List<JournalAppend> group)
    {
        group.AddRange(_waiting);
        _waiting.Clear();
    }

    /// <summary>Takes nothing more, and ends once all that waits is durable or has failed.</summary>
    public async ValueTask DisposeAsync()
    {
        bool wake;
        lock (_gate)
        {
            _isClosed = true;
            _groupCommit.Hurry();
            wake = _groupCommit.TakeWake();
        }

        _groupCommit.Wake(wake);
        await _writing.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _groupCommit.Dispose();
        _segments.Dispose();
    }

    // What a record takes in a block; an empty one is something as well.
    private static int Weight(JournalAppend append) => JournalBlock.LengthBytes + append.Record.Length;

    private void Work()
    {
        try
        {
            while (_groupCommit.WaitForGroup(this, _group))
            {
                CommitGroup();
            }
        }
        catch (Exception error)
        {
            RefuseAll(error);
            throw;
        }
        finally
        {
            _hasEnded = true;
            WakeReaders();
        }
    }

    private void CommitGroup()
    {
        while (_group.Count > 0)
        {
            int count = 0;
            long bytes = 0;
            while (count < _group.Count && (count == 0 || bytes + Weight(_group[count]) <= MostBlockBytes))
            {
                bytes += Weight(_group[count++]);
            }

            Commit(count, checked((int)bytes));
        }
    }

    private void Commit(int count, int bytes)
    {
        JournalFailedException? failure = TryWrite(count, bytes, out long position);
        if (failure is null)
        {
            _stamps?.Commit(position); // what it throws ends the writer: the block is durable, and nobody may be told that it is not
        }
        else
        {
            _stamps?.Undo();
        }

        lock (_gate)
        {
            _waitingBytes -= bytes;
        }

        // Off the list before anybody goes on: nobody is told twice.
        JournalAppend[] done = [.. _group.Take(count)];
        _group.RemoveRange(0, count);
        for (int index = 0; index < done.Length; index++)
        {
            if (failure is null)
            {
                done[index].Complete(new JournalPosition(position, index));
            }
            else
            {
                done[index].Fail(failure);
            }
        }

        if (failure is null)
        {
            WakeReaders();
        }
    }

    private JournalFailedException? TryWrite(int count, int bytes, out long position)
    {
        position = 0;
        ReadOnlyMemory<byte> content;
        try
        {
            content = Encode(count, bytes);
        }
        catch (OutOfMemoryException error)
        {
            return new JournalFailedException(isCertainlyNotThere: true, error); // one record may be a GiB; the others need not hear of it
        }

        try
        {
            position = _segments.Write(content, count);
            return null;
        }
        catch (JournalFailedException error)
        {
            return error;
        }
    }

    private void WakeReaders() => Interlocked.Exchange(ref _grown, null)?.SetResult();

    private ReadOnlyMemory<byte> Encode(int count, int bytes)
    {
        if (_block.Length < bytes || (_block.Length > MostBlockBytes && bytes <= MostBlockBytes))
        {
            _block = GC.AllocateUninitializedArray<byte>(Math.Max(bytes, Math.Min(2 * bytes, MostBlockBytes)));
        }

        _stamps?.Begin();
        Span<byte> rest = _block;
        foreach (JournalAppend append in _group.Take(count))
        {
            BinaryPrimitives.WriteInt32LittleEndian(rest, append.Record.Length);
            append.Record.Span.CopyTo(rest[JournalBlock.LengthBytes..]);
            _stamps?.Stamp(append.Owner, rest.Slice(JournalBlock.LengthBytes, append.Record.Length));
            rest = rest[Weight(append)..];
        }

        return _block.AsMemory(0, bytes);
    }

    // A bug ended the writer: nobody may wait for a sync that will not come.
    private void RefuseAll(Exception error)
    {
        lock (_gate)
        {
            _isClosed = true;
            _group.AddRange(_waiting);
            _waiting.Clear();
            _waitingBytes = 0;
        }

        var failure = new JournalFailedException(isCertainlyNotThere: false, error);
        _group.ForEach(append => append.Fail(failure));
        _group.Clear();
    }
}
