// Where an answer is written before anything of it is sent: pooled pieces, so that a large one is no large object.
using System.Buffers;

namespace Estat.Topics.Querying;

/// <summary>A writer's memory. A connection to the database is free again before a slow client reads. One thread at a time; owned by its
/// answer.</summary>
internal sealed class AnswerBuffer : IBufferWriter<byte>, IDisposable
{
    private const int Piece = 32 * 1024;

    private readonly List<ReadOnlyMemory<byte>> _full = [];
    private readonly List<byte[]> _rented = [];
    private byte[] _current = [];
    private int _used;

    /// <summary>Bytes that were written.</summary>
    internal long Length { get; private set; }

    /// <summary>What was written, in order.</summary>
    internal IEnumerable<ReadOnlyMemory<byte>> Pieces => _full.Append(_current.AsMemory(0, _used));

    /// <inheritdoc/>
    public void Advance(int count)
    {
        _used += count;
        Length += count;
    }

    /// <inheritdoc/>
    public Memory<byte> GetMemory(int sizeHint = 0)
    {
        if (_current.Length - _used < Math.Max(1, sizeHint))
        {
            if (_used > 0)
            {
                _full.Add(_current.AsMemory(0, _used));
            }

            _current = ArrayPool<byte>.Shared.Rent(Math.Max(Piece, sizeHint));
            _rented.Add(_current);
            _used = 0;
        }

        return _current.AsMemory(_used);
    }

    /// <inheritdoc/>
    public Span<byte> GetSpan(int sizeHint = 0) => GetMemory(sizeHint).Span;

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (byte[] piece in _rented)
        {
            ArrayPool<byte>.Shared.Return(piece);
        }

        _rented.Clear();
        _full.Clear();
        _current = [];
        _used = 0;
        Length = 0;
    }
}
