// A whole node: what it took is stored, or waits in the DLQ for the next start, exactly once.
using System.Diagnostics.Metrics;
using Estat.Base.Acks;
using Estat.Base.Files;
using Estat.Base.Storage;
using Estat.Collect.Batching;
using Estat.Collect.Conservation;
using Estat.Collect.Dlq;
using Estat.Collect.Options;

namespace Estat.Collect.Tests.Hosting;

public sealed class EngineTests : IDisposable
{
    private static readonly CollectOptions Quick = new() { RecoveryInterval = TimeSpan.FromMilliseconds(10) };
    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData(AckLevel.Memory)]
    [InlineData(AckLevel.Disk)]
    public async Task A_drain_stores_everything_that_was_taken(AckLevel level)
    {
        await using TestNode node = new TestNode(_folder, Quick with { Ack = level, Partitions = 4, BatchSize = 70 }).Start();
        await node.SendAsync(EventLines.Bodies(1000));
        Assert.Equal(0, await node.DrainAsync());
        Assert.Equal(EventLines.Bodies(1000).Order(StringComparer.Ordinal), node.Stored);
        Assert.Equal(new Balance(1000, 0, 1000, 0, 0, 0, 0, 0), node.Balance);
        Assert.Equal(Admission.Draining, await node.TrySendAsync("late"));
    }

    [Theory]
    [InlineData(AckLevel.Memory)]
    [InlineData(AckLevel.Disk)]
    public async Task A_node_tells_why_it_is_not_ready(AckLevel level)
    {
        await using var node = new TestNode(_folder, Quick with { Ack = level });
        Assert.Contains("starting", node.Engine.NotReadyBecause, StringComparison.Ordinal);
        node.Start();
        Assert.True(node.Engine.IsReady);
        node.Engine.BeginDrain();
        Assert.Contains("draining", node.Engine.NotReadyBecause, StringComparison.Ordinal);
        Assert.Equal(Admission.Draining, node.Engine.Ingest.Outlook(level));
    }

    [Fact]
    public async Task A_second_start_is_refused_and_the_node_goes_on_as_the_first_one_left_it()
    {
        await using TestNode node = new TestNode(_folder, Quick with { Ack = AckLevel.Disk }).Start();
        InvalidOperationException error = Assert.Throws<InvalidOperationException>(node.Engine.Start);
        Assert.Contains("started before", error.Message, StringComparison.Ordinal);
        await node.SendAsync(EventLines.Bodies(100));
        Assert.Equal(0, await node.DrainAsync());
        Assert.Equal(EventLines.Bodies(100).Order(StringComparer.Ordinal), node.Stored);
    }

    [Fact]
    public async Task The_sink_says_what_a_failed_upload_says_until_nothing_of_it_is_left()
    {
        await using TestNode node = new TestNode(
            _folder, Quick with { Partitions = 1, BatchSize = 1, RecoveryInterval = TimeSpan.FromMinutes(1) }).Start();
        node.Store.FailsFor = key => key.StartsWith("raw/", StringComparison.Ordinal); // what a probe does not see
        node.Store.Fails = StorageFailure.Refused;
        Assert.Null(await node.Engine.AskStorageAsync());
        await node.SendAsync("a");
        await node.UntilAsync(() => node.Balance.Dlq == 1, "the batch to be in the DLQ");
        Assert.Equal(StorageFailure.Refused, (await node.Engine.AskStorageAsync())!.Failure);

        string name = node.DlqNames.First(entry => entry.EndsWith(".gz", StringComparison.Ordinal));
        await node.UntilAsync(() => node.Engine.Dlq.Discard(name, 1, "a test").End is OrderEnd.Discarded, "the batch to be given up");
        // The uploader may not have put its part down yet.
        await Wait.UntilAsync(async () => await node.Engine.AskStorageAsync() is null, TimeSpan.FromSeconds(30), "the sink to be well again");
        Assert.False(node.Engine.StorageFails);
    }

    [Theory]
    [InlineData(AckLevel.Memory)]
    [InlineData(AckLevel.Disk)]
    public async Task A_node_whose_writer_has_crashed_turns_new_requests_away(AckLevel level)
    {
        await using TestNode node = new TestNode(_folder, Quick with { Ack = level, Partitions = 1, BatchSize = 1 }).Start();
        using var listener = new MeterListener(); // its callback runs in the writer, when that counts the batch
        listener.SetMeasurementEventCallback<long>((_, _, _, _) => throw new InvalidOperationException("the test's crash"));
        listener.InstrumentPublished = (instrument, it) =>
        {
            if (ReferenceEquals(instrument.Meter, node.Engine.Instruments.Meter) && instrument.Name == "estat_batches_sealed_total")
            {
                it.EnableMeasurementEvents(instrument);
            }
        };
        listener.Start();
        await node.SendAsync("a");
        await node.UntilAsync(() => node.Engine.NotReadyBecause is not null, "the writer to crash");
        Assert.Contains("crashed", node.Engine.NotReadyBecause, StringComparison.Ordinal);
        Assert.Equal(Admission.Draining, node.Engine.Ingest.Outlook(level));
    }

    [Theory]
    [InlineData(AckLevel.Memory)]
    [InlineData(AckLevel.Disk)]
    public async Task Requests_that_were_let_in_before_the_drain_are_still_taken_and_stored(AckLevel level)
    {
        await using TestNode node = new TestNode(_folder, Quick with { Ack = level }).Start();
        node.Engine.BeginDrain();
        await node.SendAsync("in flight");
        Assert.Equal(0, await node.DrainAsync());
        Assert.Equal(["in flight"], node.Stored);
    }

    [Theory]
    [InlineData(AckLevel.Memory)]
    [InlineData(AckLevel.Disk)]
    public async Task What_dead_storage_did_not_take_is_recovered_by_the_next_start_exactly_once(AckLevel level)
    {
        await using (TestNode node = new TestNode(_folder, Quick with { Ack = level, BatchSize = 40, UploadQueue = 1 }).Start())
        {
            node.Store.Fails = StorageFailure.Refused;
            await node.SendAsync(EventLines.Bodies(200));
            Assert.Equal(0, await node.DrainAsync());
            // Above memory what the queue has no room for waits in the spool.
            Assert.Equal(new Balance(200, 0, 0, 0, level == AckLevel.Memory ? 0 : 200 - node.Balance.Dlq, 200 - node.Balance.Spooled, 0, 0),
                node.Balance);
            Assert.Empty(node.Stored);
        }

        await using (TestNode next = new TestNode(_folder, Quick with { Ack = level }).Start())
        {
            await next.UntilAsync(() => next.Balance is { Found: 200, Stored: 200 }, "DLQ and spool to empty");
            Assert.Equal(0, await next.DrainAsync());
            Assert.Equal(new Balance(0, 200, 200, 0, 0, 0, 0, 0), next.Balance);
            Assert.Empty(next.DlqNames);
        }

        await using TestNode last = new TestNode(_folder, Quick with { Ack = level }).Start();
        await last.DrainAsync();
        Assert.Equal(EventLines.Bodies(200).Order(StringComparer.Ordinal), last.Stored);
    }

    [Theory]
    [InlineData(AckLevel.Memory)]
    [InlineData(AckLevel.Disk)]
    public async Task An_upload_whose_answer_was_lost_before_the_stop_is_not_stored_again(AckLevel level)
    {
        await using (TestNode node = new TestNode(_folder, Quick with { Ack = level }).Start())
        {
            node.Store.LosesAnswers = true;
            await node.SendAsync(EventLines.Bodies(10));
            Assert.Equal(0, await node.DrainAsync());
            Assert.Equal(10, node.Balance.Dlq);
        }

        await using TestNode next = new TestNode(_folder, Quick with { Ack = level }).Start();
        await next.UntilAsync(() => next.Balance.Stored == 10, "recovery to find the object");
        Assert.Equal(EventLines.Bodies(10), next.Stored);
        await next.UntilAsync(() => next.DlqNames.Length == 0, "the last file to leave the DLQ"); // a meta goes after its events are counted
    }

    [Theory]
    [InlineData(AckLevel.Memory)]
    [InlineData(AckLevel.Disk)]
    public async Task A_second_signal_ends_hanging_uploads_and_loses_nothing(AckLevel level)
    {
        await using TestNode node = new TestNode(_folder, Quick with { Ack = level }).Start();
        node.Store.Gate = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await node.SendAsync("a", "b");
        using var hurry = new CancellationTokenSource();
        Task<long> drain = node.DrainAsync(TimeSpan.FromHours(1), hurry);
        await node.UntilAsync(() => node.Store.Creates == 1, "the upload to begin");
        Assert.False(drain.IsCompleted);
        await hurry.CancelAsync();
        Assert.Equal(0, await drain.WaitAsync(TestNode.Limit, TestContext.Current.CancellationToken));
        Assert.Equal(level == AckLevel.Memory ? new Balance(2, 0, 0, 0, 0, 2, 0, 0) : new Balance(2, 0, 0, 0, 2, 0, 0, 0), node.Balance);
    }

    [Theory]
    [InlineData(AckLevel.Memory)]
    [InlineData(AckLevel.Disk)]
    public async Task A_drain_keeps_a_part_of_its_time_for_the_disk_when_uploads_hang(AckLevel level)
    {
        var time = new ManualTimeProvider();
        await using TestNode node = new TestNode(_folder, Quick with { Ack = level }, time).Start();
        node.Store.Gate = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await node.SendAsync("a", "b");
        Task<long> drain = node.DrainAsync(TimeSpan.FromSeconds(25));
        await node.UntilAsync(() => node.Store.Creates == 1, "the upload to begin");
        time.Advance(TimeSpan.FromSeconds(19));
        Assert.False(drain.IsCompleted);
        time.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal(0, await drain.WaitAsync(TestNode.Limit, TestContext.Current.CancellationToken));
        Assert.Equal(2, level == AckLevel.Memory ? node.Balance.Dlq : node.Balance.Spooled);
    }

    [Fact]
    public async Task A_drain_of_memory_that_finds_neither_storage_nor_disk_says_how_much_is_lost()
    {
        Assert.SkipUnless(SmallDisk.Available(out string reason), reason);
        using var disk = new SmallDisk(256 * 1024);
        var time = new ManualTimeProvider();
        await using TestNode node = new TestNode(_folder, new CollectOptions { Ack = AckLevel.Memory, DlqDir = disk.Path, Partitions = 1 }, time)
            .Start();
        File.WriteAllBytes(Path.Combine(disk.Path, "filler"), new byte[disk.FreeBytes]);
        node.Store.Fails = StorageFailure.Refused;
        await node.SendAsync("a", "b", "c");
        Task<long> drain = node.DrainAsync(TimeSpan.FromSeconds(25));
        await time.AdvanceUntilAsync(TimeSpan.FromSeconds(0.5), () => drain.IsCompleted, "the drain to give up");
        Assert.Equal(3, await drain);
        Assert.Equal(new Balance(3, 0, 0, 0, 0, 0, 0, 3), node.Balance);
        Assert.Equal(3, node.Metrics.Value("dlq_events_dropped_total"));
    }

    [Fact]
    public async Task A_batch_that_gzip_refuses_ends_in_the_quarantine_under_DLQ_PREFIX()
    {
        CollectOptions options = Quick with
        {
            Ack = AckLevel.Memory,
            Partitions = 1,
            Storage = Quick.Storage with { DlqPrefix = "unreadable" },
        };
        await using TestNode node = new TestNode(
            _folder, options, openCompressor: content => new FailingCompressor(content, 1, FailingCompressor.Disposal.Works)).Start();
        await node.SendAsync("a", "b");
        Assert.Equal(0, await node.DrainAsync());
        string file = Assert.Single(Directory.GetFiles(Path.Combine(node.Data, "unreadable")));
        Assert.EndsWith(".jsonl", file, StringComparison.Ordinal);
        Assert.Equal(["a", "b"], EventLines.Decode(File.ReadAllBytes(file)));
        Assert.Equal(new Balance(2, 0, 0, 0, 0, 0, 2, 0), node.Balance);
        Assert.Equal(1, node.Metrics.Value("estat_files_quarantined_total"));
        Assert.Empty(node.Stored);
    }

    [Theory]
    [InlineData(AckLevel.Memory)]
    [InlineData(AckLevel.Disk)]
    public async Task At_the_DLQ_s_capacity_reject_turns_new_requests_away_until_there_is_room_again(AckLevel level)
    {
        await using TestNode node = new TestNode(_folder, Quick with { Ack = level, DlqMaxSizeBytes = 1, BatchSize = 1 }).Start();
        node.Store.Fails = StorageFailure.Refused;
        await node.SendAsync("a");
        await node.UntilAsync(() => !node.Engine.IsReady, "the DLQ to be full");
        Assert.Equal(Admission.StorageFull, node.Engine.Ingest.Outlook(level));
        Assert.Contains("DLQ_MAX_SIZE_BYTES", node.Engine.NotReadyBecause, StringComparison.Ordinal);
        node.Store.Fails = null;
        await node.UntilAsync(() => node.Engine.IsReady, "recovery to make room");
        Assert.Equal(["a"], node.Stored);
        Assert.Equal(0, node.Balance.Dropped);
    }

    [Fact]
    public async Task At_the_DLQ_s_capacity_evict_goes_on_and_counts_what_it_drops()
    {
        CollectOptions oneByOne = Quick with { Ack = AckLevel.Memory, BatchSize = 1, Partitions = 1, UploadConcurrency = 1, UploadQueue = 10 };
        await using TestNode node = new TestNode(_folder, oneByOne with { DlqFull = DlqFullPolicy.Evict, DlqMaxSizeBytes = 1 }).Start();
        node.Store.Fails = StorageFailure.Refused;
        await node.SendAsync(EventLines.Bodies(5));
        await node.UntilAsync(() => node.Balance is { Dropped: 4, Dlq: 1 }, "four evictions");
        Assert.True(node.Engine.IsReady);
        Assert.Equal(4, node.Metrics.Value("dlq_events_dropped_total"));
        node.AssertConserved();
    }

    [Fact]
    public async Task A_second_node_on_the_same_DLQ_does_not_start()
    {
        await using TestNode node = new TestNode(_folder).Start();
        IOException error = Assert.Throws<FolderOwnedException>(() => new TestNode(_folder, new CollectOptions { SpoolDir = _folder["spool2"] }));
        Assert.StartsWith("DLQ_DIR=", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(AckLevel.Memory)]
    [InlineData(AckLevel.Disk)]
    public async Task A_block_enters_whole_and_is_stored_whole(AckLevel level)
    {
        await using TestNode node = new TestNode(_folder, Quick with { Ack = level, Partitions = 2 }).Start();
        using (LineBlock block = node.Engine.Ingest.NewBlock())
        {
            foreach (string body in EventLines.Bodies(700))
            {
                block.Add(EventLines.Header(), System.Text.Encoding.UTF8.GetBytes(body));
            }

            Assert.Equal(700, block.Events);
            Ack ack = await node.Engine.Ingest.AcceptAsync(block, level);
            Assert.Equal((Admission.Accepted, level), (ack.Admission, ack.Level));
        }

        Assert.Equal((700, 1), (node.Balance.Accepted, node.Engine.AcceptedRequests));
        await node.DrainAsync();
        Assert.Equal(EventLines.Bodies(700).Order(StringComparer.Ordinal), node.Stored);
    }

    [Theory]
    [InlineData(AckLevel.Memory)]
    [InlineData(AckLevel.Disk)]
    public async Task The_age_of_the_oldest_open_batch_is_told(AckLevel level)
    {
        var time = new ManualTimeProvider();
        await using TestNode node = new TestNode(_folder, Quick with { Ack = level }, time).Start();
        Assert.Equal(TimeSpan.Zero, node.Engine.OldestUnflushed);
        await node.SendAsync("a");
        time.Advance(TimeSpan.FromSeconds(7));
        Assert.Equal(TimeSpan.FromSeconds(7), node.Engine.OldestUnflushed);
        Assert.Equal(7, node.Metrics.Value("estat_oldest_unflushed_seconds"));
    }
}
