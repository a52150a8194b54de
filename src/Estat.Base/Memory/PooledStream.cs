// Growing memory in pooled segments: what a batch's gzip is written to while it grows and read from as often as an upload is tried.
using System.Buffers;

namespace Estat.Base.Memory;

/// <summary>
/// Append-only while it is written, then readable by any number of <see cref="OpenRead"/> streams one after another. One writer; no reader before
/// the last write; no reader after <see cref="Stream.Dispose()"/>, which returns the segments.
/// </summary>
internal sealed class PooledStream : Stream
{
    private const int SegmentBytes = 64 * 1024;
    private readonly List<byte[]> _segments = [];
    private long _length;
    private bool _disposed;

    public override bool CanRead => false;

    public override bool CanSeek => false;

    public override bool CanWrite => !_disposed;

    public override long Length => _length;

    public override long Position
    {
        get => _length;
        set => throw new NotSupportedException();
    }

    public override void Write(ReadOnlySpan<byte> buffer)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        while (!buffer.IsEmpty)
        {
            int offset = (int)(_length % SegmentBytes);
            if (offset == 0 && _length == (long)_segments.Count * SegmentBytes)
            {
                _segments.Add(ArrayPool<byte>.Shared.Rent(SegmentBytes));
            }

            int count = Math.Min(buffer.Length, SegmentBytes - offset);
            buffer[..count].CopyTo(_segments[^1].AsSpan(offset));
            buffer = buffer[count..];
            _length += count;
        }
    }

    public override void Write(byte[] buffer, int offset, int count) => Write(buffer.AsSpan(offset, count));

    /// <summary>A seekable stream over what was written.</summary>
    internal Stream OpenRead()
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        return new Reader(this);
    }

    public override void Flush()
    {
    }

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    protected override void Dispose(bool disposing)
    {
        if (disposing && !_disposed)
        {
            _disposed = true;
            foreach (byte[] segment in _segments)
            {
                ArrayPool<byte>.Shared.Return(segment);
            }

            _segments.Clear();
        }

        base.Dispose(disposing);
    }

    private sealed class Reader(PooledStream owner) : Stream
    {
        public override bool CanRead => true;

        public override bool CanSeek => true;

        public override bool CanWrite => false;

        public override long Length => owner._length;

        public override long Position { get; set; }

        public override int Read(Span<byte> buffer)
        {
            // A reader that outlives its batch must not see memory that now belongs to another.
            ObjectDisposedException.ThrowIf(owner._disposed, owner);
            int offset = (int)(Position % SegmentBytes);
            int count = (int)Math.Min(Math.Min(buffer.Length, SegmentBytes - offset), Length - Position);
            if (count <= 0)
            {
                return 0;
            }

            owner._segments[(int)(Position / SegmentBytes)].AsSpan(offset, count).CopyTo(buffer);
            Position += count;
            return count;
        }

        public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) =>
            ValueTask.FromResult(Read(buffer.Span));

        public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
            Task.FromResult(Read(buffer.AsSpan(offset, count)));

        public override long Seek(long offset, SeekOrigin origin) => Position = origin switch
        {
            SeekOrigin.Begin => offset,
            SeekOrigin.Current => Position + offset,
            _ => Length + offset,
        };

        public override void Flush()
        {
        }

        public override void SetLength(long value) => throw new NotSupportedException();

        public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();
    }
}
