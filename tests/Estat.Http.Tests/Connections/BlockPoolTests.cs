// What connections read into and write from is kept while it is needed, and no longer.
using System.Buffers;
using Estat.Http.Connections;

namespace Estat.Http.Tests.Connections;

public sealed class BlockPoolTests : IDisposable
{
    private readonly ManualTimeProvider _time = new();
    private readonly BlockPools _pools;
    private readonly MemoryPool<byte> _pool;

    public BlockPoolTests()
    {
        _pools = new BlockPools(_time);
        _pool = _pools.Create();
    }

    private long Idle => _pools.IdleBytes / BlockPool.BlockBytes;

    public void Dispose()
    {
        _pool.Dispose();
        _pools.Dispose();
    }

    [Fact]
    public void What_an_attack_took_is_let_go_within_20_s_although_others_go_on_sending()
    {
        Use(7000);
        Assert.Equal(7000, Idle);
        for (int second = 0; second < 20; second++)
        {
            Use(5); // the others
            _time.Advance(TimeSpan.FromSeconds(1));
        }

        Assert.Equal(5, Idle);
    }

    [Fact]
    public void What_is_needed_every_10_s_is_kept()
    {
        for (int i = 0; i < 12; i++)
        {
            Use(100);
            _time.Advance(BlockPools.LetGoEvery);
            Assert.Equal(100, Idle);
        }
    }

    [Fact]
    public void What_is_in_use_is_not_let_go_and_is_kept_when_it_comes_back()
    {
        using (IMemoryOwner<byte> block = _pool.Rent())
        {
            block.Memory.Span.Fill(7);
            _time.Advance(TimeSpan.FromMinutes(1));
            Assert.Equal(0, Idle);
            Assert.Equal(BlockPool.BlockBytes, block.Memory.Length);
            Assert.Equal(-1, block.Memory.Span.IndexOfAnyExcept((byte)7));
        }

        Assert.Equal(1, Idle);
    }

    [Fact]
    public async Task Many_threads_at_once_each_have_a_block_of_their_own()
    {
        const int Threads = 8;
        using var ending = new CancellationTokenSource();
        Task lettingGo = Task.Run(() =>
        {
            while (!ending.IsCancellationRequested)
            {
                _time.Advance(BlockPools.LetGoEvery);
            }
        });
        await Task.WhenAll(Enumerable.Range(1, Threads).Select(number => Task.Run(() =>
        {
            for (int i = 0; i < 20_000; i++)
            {
                using IMemoryOwner<byte> block = _pool.Rent(1);
                block.Memory.Span[..64].Fill((byte)number);
                Thread.Yield();
                Assert.Equal(-1, block.Memory.Span[..64].IndexOfAnyExcept((byte)number));
            }
        })));
        await ending.CancelAsync();
        await lettingGo;
        Assert.InRange(Idle, 0, Threads);
    }

    [Fact]
    public void More_than_a_block_is_refused() =>
        Assert.Throws<ArgumentOutOfRangeException>(() => _pool.Rent(BlockPool.BlockBytes + 1));

    private void Use(int blocks)
    {
        IMemoryOwner<byte>[] used = [.. Enumerable.Range(0, blocks).Select(_ => _pool.Rent())];
        foreach (IMemoryOwner<byte> block in used)
        {
            block.Dispose();
        }
    }
}
