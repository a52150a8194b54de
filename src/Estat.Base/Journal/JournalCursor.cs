// Reads a journal, block by block.
using System.Buffers;

namespace Estat.Base.Journal;

/// <summary>A place in a journal. One user. It goes on reading a segment that is deleted meanwhile.</summary>
public sealed class JournalCursor : IDisposable
{
    private const int BufferBytes = 64 * 1024;

    private readonly JournalSegments _segments;
    private IJournalFile? _file;
    private RecordReader? _reader;
    private long _start; // of the segment
    private long _end; // of it, as far as it was durable when we looked
    private byte[] _buffer = ArrayPool<byte>.Shared.Rent(BufferBytes);

    internal JournalCursor(JournalSegments segments, long position)
    {
        _segments = segments;
        Seek(position);
    }

    /// <summary>Where the block begins that is read next.</summary>
    public long Position { get; private set; }

    /// <summary>Goes to a block.</summary>
    /// <param name="position">Where it begins, as <see cref="JournalPosition.Block"/> says, or the journal's end.</param>
    public void Seek(long position)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(position);
        Position = position;
        CloseSegment();
    }

    /// <summary>Reads the block and goes to the next.</summary>
    /// <param name="block">The block; valid until this cursor is used again, or disposed of.</param>
    /// <returns>False at the end: nothing durable begins here yet.</returns>
    /// <exception cref="JournalDeletedException">The position was deleted.</exception>
    /// <exception cref="JournalDamagedException">No block begins here, or it was damaged.</exception>
    /// <exception cref="IOException">The disk refuses.</exception>
    public bool TryRead(out JournalBlock block)
    {
        block = default;
        if (Position >= _segments.End)
        {
            return false;
        }

        RecordReader reader = ReaderHere();
        long at = JournalFormat.HeadBytes + Position - _start;
        long limit = JournalFormat.HeadBytes + _end - _start;
        if (reader.TryRead(at, limit, ref _buffer) is not { } frame)
        {
            throw new JournalDamagedException(
                Position, $"no block begins here in {JournalFormat.NameOf(_start)}, or it is not what was written");
        }

        block = new JournalBlock(Position, frame.Items, _buffer.AsMemory(RecordFormat.FrameBytes, frame.Length));
        Position += RecordFormat.FrameBytes + frame.Length;
        return true;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        CloseSegment();
        ArrayPool<byte>.Shared.Return(_buffer);
        _buffer = [];
    }

    private RecordReader ReaderHere()
    {
        if (_reader is not null && Position < _end)
        {
            return _reader;
        }

        (long start, long end) = _segments.SegmentAt(Position);
        if (_reader is null || start != _start)
        {
            CloseSegment();
            _file = Open(start);
            _reader = new RecordReader(_file, JournalFormat.ReadNonce(_file, start));
        }

        (_start, _end) = (start, end);
        return _reader;
    }

    private IJournalFile Open(long start)
    {
        try
        {
            return _segments.Open(start);
        }
        catch (FileNotFoundException)
        {
            _segments.SegmentAt(Position); // says so if it was deleted just now
            throw;
        }
    }

    private void CloseSegment()
    {
        _file?.Dispose();
        _file = null;
        _reader = null;
    }
}
