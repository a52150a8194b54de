using Estat.Topics.Embedded;

namespace Estat.Topics.Tests.Embedded;

public sealed class LogIndexTests
{
    // Three partitions of a journal with a block each 5 MiB; more points than are kept, so that it thins itself out again and again.
    [Fact]
    public void However_long_the_journal_what_is_looked_for_lies_behind_the_point_that_is_named()
    {
        const int Blocks = 40_000;
        const long Apart = 5 << 20;
        var random = new Random(1);
        var index = new LogIndex();
        long[][] next = new long[Blocks + 1][];
        next[0] = new long[3];
        for (int block = 0; block < Blocks; block++)
        {
            index.OnBlock(block * Apart, block, block + 1, false, next[block]);
            next[block + 1] = (long[])next[block].Clone();
            next[block + 1][random.Next(100) == 0 ? 2 : random.Next(2)] += random.Next(1, 5);
        }

        Assert.InRange(index.Count, 1_000, 8_192);
        index = LogIndex.Load(index.Save("id"), "id")!;
        for (int tried = 0; tried < 20_000; tried++)
        {
            int block = random.Next(Blocks);
            int partition = random.Next(3);
            long position = index.PositionOf(partition, next[block][partition], 0);
            int at = (int)(position / Apart);
            Assert.True(next[at][partition] <= next[block][partition], $"{partition}@{next[block][partition]} is looked for at block {at}");
            Assert.True(block - at < 200 || partition == 2, $"from block {at} on for one in block {block}");
            Assert.Equal(next[at], index.OffsetsAt(position, 3));
        }

        long trimmed = index.PointAt(Blocks / 2 * Apart)!.Value;
        index.Trim(trimmed);
        Assert.Equal(next[(int)(trimmed / Apart)], index.OffsetsAt(trimmed, 3));
        Assert.Null(LogIndex.Load(index.Save("id"), "other"));
        byte[] damaged = index.Save("id");
        damaged[100] ^= 1;
        Assert.Null(LogIndex.Load(damaged, "id"));
    }
}
