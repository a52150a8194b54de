// What is written is what is read, however it is cut.
using Estat.Base.Memory;

namespace Estat.Base.Tests.Memory;

public sealed class PooledStreamTests
{
    private const int SegmentBytes = 64 * 1024;

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(SegmentBytes - 1)]
    [InlineData(SegmentBytes)]
    [InlineData(SegmentBytes + 1)]
    [InlineData((5 * SegmentBytes) + 7)]
    public void Content_comes_back_at_every_reading(int length)
    {
        var random = new Random(length);
        var content = new byte[length];
        random.NextBytes(content);
        using var stream = new PooledStream();
        for (int written = 0; written < length;)
        {
            int count = Math.Min(length - written, random.Next(1, 2 * SegmentBytes));
            stream.Write(content, written, count);
            written += count;
        }

        Assert.Equal(length, stream.Length);
        Assert.Equal(content, EventLines.ReadAll(stream.OpenRead()));
        Assert.Equal(content, EventLines.ReadAll(stream.OpenRead()));
    }

    [Fact]
    public void A_reader_may_go_back_and_read_on_from_anywhere()
    {
        byte[] content = [.. Enumerable.Range(0, 3 * SegmentBytes).Select(n => (byte)(n % 251))];
        using var stream = new PooledStream();
        stream.Write(content);
        using Stream reader = stream.OpenRead();
        foreach (int position in new[] { 0, SegmentBytes - 1, SegmentBytes, 2 * SegmentBytes, content.Length - 1, content.Length })
        {
            reader.Seek(position - content.Length, SeekOrigin.End);
            var rest = new byte[content.Length - position];
            reader.ReadExactly(rest);
            Assert.Equal(content[position..], rest);
            Assert.Equal(0, reader.Read(new byte[1]));
        }
    }

    [Fact]
    public void A_reader_that_outlives_its_content_fails_instead_of_reading_what_belongs_to_another()
    {
        var stream = new PooledStream();
        stream.Write("secret"u8);
        Stream reader = stream.OpenRead();
        stream.Dispose();
        Assert.Throws<ObjectDisposedException>(() => reader.ReadByte());
        Assert.Throws<ObjectDisposedException>(() => stream.Write("x"u8));
        Assert.Throws<ObjectDisposedException>(stream.OpenRead);
    }
}
