// Batches that stay on disk for a while: no room to upload them, or no compressor that takes them.
using Estat.Collect.Batching;
using Estat.Collect.Conservation;
using Estat.Collect.Options;

namespace Estat.Collect.Tests.Spooling;

public sealed class SpooledBatchTests : SpoolTests
{
    [Fact]
    public async Task With_a_full_upload_queue_batches_wait_on_disk_and_the_partition_goes_on()
    {
        CollectOptions small = Quick with { BatchSize = 5, UploadQueue = 1, UploadConcurrency = 1, ChannelSize = 10 };
        await using TestNode node = new TestNode(Folder, small).Start();
        HoldUploads(node);
        await node.SendPatientlyAsync(EventLines.Bodies(200));
        await node.UntilAsync(() => node.Engine.SpoolWaiting > 30, "batches to wait in the spool");
        Assert.Equal(new Balance(200, 0, 0, 0, 200, 0, 0, 0), node.Balance);
        Assert.Empty(node.DlqNames);
        node.Store.Gate!.SetResult();
        await node.UntilAsync(() => node.Balance.Stored == 200, "all to be stored");
        await node.UntilAsync(() => node.Engine is { SpoolWaiting: 0, SpoolBytes: 0 }, "the spool to be empty");
        Assert.Equal(EventLines.Bodies(200).Order(StringComparer.Ordinal), node.Stored);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_batch_that_was_not_compressed_is_read_again_from_the_spool_and_loses_nothing(bool linesAreGone)
    {
        FailingCompressor.Disposal disposal = linesAreGone ? FailingCompressor.Disposal.Fails : FailingCompressor.Disposal.Works;
        int opened = 0;
        await using TestNode node = new TestNode(
            Folder, Quick with { BatchSize = 500 },
            openCompressor: content => ++opened == 1 ? new FailingCompressor(content, 2, disposal) : BatchEncoder.Gzip(1)(content)).Start();
        await node.SendAsync(EventLines.Bodies(500));
        await node.UntilAsync(() => node.Balance.Stored == 500, "the second compressor to do better");
        Assert.Equal(new Balance(500, 0, 500, 0, 0, 0, 0, 0), node.Balance);
        Assert.Equal(EventLines.Bodies(500).Order(StringComparer.Ordinal), node.Stored);
        Assert.Equal(0, node.Metrics.Value("dlq_events_dropped_total"));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_batch_that_no_compressor_takes_ends_in_the_quarantine_whole(bool linesAreGone)
    {
        FailingCompressor.Disposal disposal = linesAreGone ? FailingCompressor.Disposal.Fails : FailingCompressor.Disposal.Works;
        await using TestNode node = new TestNode(
            Folder, Quick with { BatchSize = 3 }, openCompressor: content => new FailingCompressor(content, linesAreGone ? 2 : 1, disposal)).Start();
        await node.SendAsync(EventLines.Bodies(3));
        await node.UntilAsync(() => node.Balance is { Spooled: 0, Accepted: 3 }, "the attempts to be over", 2 * TestNode.Limit);
        Assert.Equal(new Balance(3, 0, 0, 0, 0, 0, 3, 0), node.Balance);
        Assert.Equal(EventLines.Bodies(3), EventLines.Decode(node.Read(Assert.Single(node.Quarantine))));
        await node.UntilAsync(() => node.Engine is { SpoolWaiting: 0, SpoolBytes: 0 }, "the spool to be empty");
        node.AssertConserved();
    }
}
