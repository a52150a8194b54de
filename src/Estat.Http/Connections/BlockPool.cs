// The memory that connections read into and write from, kept for the next while it is needed.
using System.Buffers;
using System.Collections.Concurrent;

namespace Estat.Http.Connections;

/// <summary>
/// Blocks of 4 KB, as Kestrel's own pool has them. That one keeps what an attack made it take: while there is traffic it lets go of at most a
/// hundredth in ten seconds, and its blocks, which the runtime may not move, keep the memory between them from being given back. This one lets go,
/// at every <see cref="LetGo"/>, of all blocks that nobody needed since the last, and the runtime may move the rest: sockets hold them still
/// themselves, for as long as a call takes. Any thread.
/// </summary>
internal sealed class BlockPool : MemoryPool<byte>
{
    /// <summary>Bytes of a block; nobody is given more.</summary>
    internal const int BlockBytes = 4096;

    private readonly ConcurrentQueue<Block> _idle = [];
    private int _count; // of idle ones; never less than the queue has
    private int _least; // that there were since the last time that blocks were let go

    /// <inheritdoc/>
    public override int MaxBufferSize => BlockBytes;

    /// <summary>Blocks that nobody uses.</summary>
    internal int Idle => Volatile.Read(ref _count);

    /// <inheritdoc/>
    public override IMemoryOwner<byte> Rent(int minBufferSize = -1)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(minBufferSize, BlockBytes);
        if (!_idle.TryDequeue(out Block? block))
        {
            _least = 0;
            return new Block(this);
        }

        // Two threads may write here in the wrong order; it costs some blocks too many or too few.
        int left = Interlocked.Decrement(ref _count);
        if (left < _least)
        {
            _least = left;
        }

        return block;
    }

    /// <summary>Lets go of as many blocks as have been idle ever since the last call. The runtime gives their memory back when it collects.</summary>
    internal void LetGo()
    {
        for (int spare = _least; spare > 0 && _idle.TryDequeue(out _); spare--)
        {
            Interlocked.Decrement(ref _count);
        }

        _least = Idle;
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        // Blocks that come back later go with the pool.
    }

    private void Return(Block block)
    {
        Interlocked.Increment(ref _count);
        _idle.Enqueue(block);
    }

    private sealed class Block(BlockPool pool) : IMemoryOwner<byte>
    {
        private readonly byte[] _bytes = GC.AllocateUninitializedArray<byte>(BlockBytes);

        public Memory<byte> Memory => _bytes;

        // Kestrel returns each once.
        public void Dispose() => pool.Return(this);
    }
}
