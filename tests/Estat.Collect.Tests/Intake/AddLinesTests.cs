// Lines that another node encoded enter a block whole, in chunks a batch can end at, or not at all.
using System.Text;
using Estat.Collect.Batching;

namespace Estat.Collect.Tests.Intake;

public sealed class AddLinesTests
{
    [Theory]
    [InlineData(1, 100)]
    [InlineData(256, 100)]
    [InlineData(257, 100)]
    [InlineData(1000, 5000)]
    [InlineData(3, 300_000)]
    public void All_lines_are_there_in_order_in_chunks_of_at_most_256_events_none_of_them_split(int events, int length)
    {
        string[] lines = Lines(events, length);
        using var block = new LineBlock(new ChunkPool(), batchSize: 5000);
        block.AddLines(Flat(lines), events);
        Assert.Equal(events, block.Events);
        List<Chunk> chunks = block.TakeChunks();
        Assert.Equal(string.Concat(lines), string.Concat(chunks.Select(chunk => Encoding.UTF8.GetString(chunk.Lines.Span))));
        Assert.Equal(events, chunks.Sum(chunk => chunk.Events));
        Assert.All(chunks, chunk =>
        {
            Assert.InRange(chunk.Events, 1, 256);
            Assert.Equal(chunk.Events, chunk.Lines.Span.Count((byte)'\n'));
            Assert.Equal((byte)'\n', chunk.Lines.Span[^1]);
            Assert.True(chunk.Length <= ChunkPool.ChunkBytes || chunk.Events == 1);
        });
    }

    [Fact]
    public void A_chunk_has_no_more_events_than_a_batch()
    {
        using var block = new LineBlock(new ChunkPool(), batchSize: 10);
        block.AddLines(Flat(Lines(25, 50)), 25);
        Assert.Equal([10, 10, 5], block.TakeChunks().Select(chunk => chunk.Events));
    }

    [Theory]
    [InlineData("", 0)]
    [InlineData("", 1)]
    [InlineData("{\"a\":1}\n", 2)]
    [InlineData("{\"a\":1}\n{\"a\":2}\n", 1)]
    [InlineData("{\"a\":1}\n{\"a\":2}", 2)]
    [InlineData("{\"a\":1}\n\n", 2)]
    [InlineData("{\"a\":1}\n[2]\n", 2)]
    [InlineData("{\"a\":1}\n{\"a\":\n", 2)]
    [InlineData("{\"a\":1}\r\n", 1)]
    [InlineData("{\"a\":\"b\\x\"}\n", 1)]
    [InlineData("{\"a\":\"b\"c\"}\n", 1)]
    [InlineData("{\"a\":1}{\"b\":2}\n", 1)]
    [InlineData("{\"a\":\"\t\"}\n", 1)]
    [InlineData("{\"a\":01}\n", 1)]
    [InlineData("{\"a\":\"\\u12g4\"}\n", 1)]
    [InlineData("{not json at all}\n", 1)]
    public void What_is_not_that_many_whole_lines_is_refused_and_nothing_of_it_added(string lines, int events)
    {
        using var block = new LineBlock(new ChunkPool(), batchSize: 5000);
        Assert.ThrowsAny<ArgumentException>(() => block.AddLines(Encoding.UTF8.GetBytes(lines), events));
        Assert.Equal((0, 0L), (block.Events, block.BufferBytes));
        Assert.Empty(block.TakeChunks());
    }

    private static string[] Lines(int count, int length) =>
        [.. Enumerable.Range(1, count).Select(number => $"{{\"body\":\"{number}{new string('x', length)}\"}}\n")];

    private static byte[] Flat(string[] lines) => Encoding.UTF8.GetBytes(string.Concat(lines));
}
