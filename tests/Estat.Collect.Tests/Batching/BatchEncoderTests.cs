// A batch is gzip and its seal; when gzip fails, it is the lines as they are.
using System.Globalization;
using System.Security.Cryptography;
using Estat.Base.Storage;
using Estat.Collect.Batching;
using Estat.Collect.Metrics;
using static Estat.Tests.Support.FailingCompressor;

namespace Estat.Collect.Tests.Batching;

public sealed class BatchEncoderTests
{
    private long _dropped;

    [Theory]
    [InlineData(1)]
    [InlineData(6)]
    [InlineData(9)]
    public void The_seal_is_that_of_the_lines_that_the_gzip_holds(int level)
    {
        using SealedBatch batch = Encode(BatchEncoder.Gzip(level), 40, chunks: 5);
        byte[] lines = StoredEvents.Decompress(batch.Key, EventLines.ReadAll(batch.OpenContent()));
        Assert.Equal(new Seal(200, lines.Length, Convert.ToHexStringLower(SHA256.HashData(lines)), 200), batch.Seal);
        Assert.Equal(EventLines.Bodies(200), EventLines.Decode(lines));
        Assert.Equal(batch.ContentBytes, EventLines.ReadAll(batch.OpenContent()).Length);
    }

    [Fact]
    public void A_compressor_that_does_not_open_leaves_a_raw_batch_with_all_lines()
    {
        using SealedBatch batch = Encode(_ => throw new InvalidOperationException("no compressor"), 10, chunks: 3);
        AssertRawWithAll(batch, 30);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(5)]
    public void A_compressor_that_fails_at_a_write_leaves_a_raw_batch_with_all_lines(int write)
    {
        using SealedBatch batch = Encode(content => new FailingCompressor(content, write, Disposal.Works), 100, chunks: 5);
        AssertRawWithAll(batch, 500);
    }

    [Fact]
    public void A_compressor_that_fails_at_the_end_leaves_a_raw_batch_with_all_lines()
    {
        using SealedBatch batch = Encode(content => new FailingCompressor(content, 0, Disposal.FailsOnce), 100, chunks: 5);
        AssertRawWithAll(batch, 500);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(3)]
    [InlineData(40)]
    public void Lines_that_are_gone_with_the_compressor_are_counted_and_the_others_kept_whole(int failingWrite)
    {
        using SealedBatch batch = Encode(content => new FailingCompressor(content, failingWrite, Disposal.Fails), 400, chunks: 50);
        byte[] content = EventLines.ReadAll(batch.OpenContent());
        Assert.Equal(BatchForm.Raw, batch.Form);
        Assert.Equal(50 * 400, batch.Seal.Events + _dropped);
        Assert.InRange(_dropped, 1, 50 * 400);
        Assert.Equal(content.Length, batch.Seal.Bytes);
        Assert.Equal(Convert.ToHexStringLower(SHA256.HashData(content)), batch.Seal.Sha256);
        // All that is counted is there whole; one line may be cut where the compressor's output ends.
        Assert.Equal(batch.Seal.Events, System.Text.Encoding.UTF8.GetString(content).Split('\n')
            .Count(line => line.EndsWith("\"}", StringComparison.Ordinal)));
    }

    [Fact]
    public void The_batch_after_a_failed_one_is_gzip_again()
    {
        int opened = 0;
        using var encoder = new BatchEncoder(
            content => new FailingCompressor(content, opened++ == 0 ? 1 : 0, Disposal.Works), NullLogger.Instance, _ => { });
        encoder.Append(Batches.NewOpen("a"), EventLines.Bodies(3));
        using SealedBatch first = encoder.Seal(FlushReason.Time);
        encoder.Append(Batches.NewOpen("b"), EventLines.Bodies(3));
        using SealedBatch second = encoder.Seal(FlushReason.Bytes);
        Assert.Equal(("a", BatchForm.Raw, FlushReason.Time), (first.Key, first.Form, first.Reason));
        Assert.Equal(("b", BatchForm.Gzip, FlushReason.Bytes), (second.Key, second.Form, second.Reason));
        Assert.Equal(first.Seal, second.Seal);
    }

    private void AssertRawWithAll(SealedBatch batch, int events)
    {
        Assert.Equal(BatchForm.Raw, batch.Form);
        byte[] content = EventLines.ReadAll(batch.OpenContent());
        Assert.Equal(EventLines.Bodies(events), EventLines.Decode(content));
        Assert.Equal(new Seal(events, content.Length, Convert.ToHexStringLower(SHA256.HashData(content)), events), batch.Seal);
        Assert.Equal(0, _dropped);
    }

    private SealedBatch Encode(Func<Stream, Stream> openCompressor, int eventsPerChunk, int chunks)
    {
        using var encoder = new BatchEncoder(openCompressor, NullLogger.Instance, events => _dropped += events);
        OpenBatch batch = Batches.NewOpen(string.Create(CultureInfo.InvariantCulture, $"raw/{chunks}.jsonl.gz"));
        for (int i = 0; i < chunks; i++)
        {
            encoder.Append(batch, EventLines.Bodies(eventsPerChunk, first: i * eventsPerChunk));
        }

        return encoder.Seal(FlushReason.Count);
    }
}
