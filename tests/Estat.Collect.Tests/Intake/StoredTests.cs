// ACK=stored: the answer waits for the store, for a bounded time, and nobody can force tiny objects on the rest.
using Estat.Base.Acks;
using Estat.Base.Storage;
using Estat.Collect.Batching;
using Estat.Collect.Options;

namespace Estat.Collect.Tests.Intake;

public sealed class StoredTests : IDisposable
{
    private static readonly CollectOptions Options = new() { Partitions = 2, S3AppRetries = 0 };
    private static readonly TimeSpan Pace = Options.StoredMaxWait;
    private static readonly TimeSpan Tick = TimeSpan.FromTicks(1);

    private readonly TempFolder _folder = new();
    private readonly ManualTimeProvider _time = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task The_first_one_is_stored_without_any_time_passing()
    {
        await using TestNode node = NewNode().Start();
        Ack ack = await WithinAsync(node.AskAsync("a", AckLevel.Stored));
        Assert.Equal((Admission.Accepted, AckLevel.Stored), (ack.Admission, ack.Level));
        Assert.Equal(["a"], EventLines.DecodeGzip(node.Read(ack.Key))); // at the moment of the answer
        Assert.Equal(1, node.Metrics.Value("estat_batches_sealed_total{reason=\"awaited\"}"));
        await EndAsync(node);
    }

    [Fact]
    public async Task The_next_batch_leaves_no_earlier_than_STORED_MAX_WAIT_and_takes_all_who_came_meanwhile()
    {
        await using TestNode node = NewNode().Start();
        Ack first = await WithinAsync(node.AskAsync("a", AckLevel.Stored));
        Task<Ack>[] waiting = [.. EventLines.Bodies(20).Select(body => node.AskAsync(body, AckLevel.Stored).AsTask())];
        await node.UntilAsync(() => node.Balance.Accepted == 21, "all to be synced");
        _time.Advance(Pace - Tick);
        Assert.Equal(Pace - Tick, node.Engine.OldestUnflushed); // a timer fires within Advance: the batch is still open
        Assert.Equal(1, node.Store.Creates);
        _time.Advance(Tick);
        Ack[] acks = await Task.WhenAll(waiting).WaitAsync(TestNode.Limit, TestContext.Current.CancellationToken);
        Assert.All(acks, ack => Assert.Equal(AckLevel.Stored, ack.Level));
        Assert.Equal(acks[0].Key, Assert.Single(acks.Select(ack => ack.Key).Distinct()));
        Assert.NotEqual(first.Key, acks[0].Key);
        Assert.Equal(2, node.Store.Creates);
        await EndAsync(node);
    }

    [Fact]
    public async Task After_a_pause_the_next_one_leaves_at_once_again()
    {
        await using TestNode node = NewNode().Start();
        await WithinAsync(node.AskAsync("a", AckLevel.Stored));
        _time.Advance(Pace);
        Ack ack = await WithinAsync(node.AskAsync("b", AckLevel.Stored));
        Assert.Equal(AckLevel.Stored, ack.Level);
        await EndAsync(node);
    }

    [Fact]
    public async Task Those_who_wait_for_the_store_do_not_end_the_batches_of_others()
    {
        await using TestNode node = NewNode().Start();
        Ack disk = await WithinAsync(node.AskAsync("disk"));
        Ack stored = await WithinAsync(node.AskAsync("stored", AckLevel.Stored));
        Assert.NotEqual(disk.Key, stored.Key);
        Assert.Equal([stored.Key], node.Keys);
        Assert.Equal(1, node.Balance.Spooled);
        await EndAsync(node);
    }

    [Fact]
    public async Task A_store_that_takes_too_long_gives_disk_and_the_event_is_stored_once_all_the_same()
    {
        await using TestNode node = NewNode().Start();
        node.Store.Gate = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        Task<Ack> waiting = node.AskAsync("a", AckLevel.Stored).AsTask();
        await node.UntilAsync(() => node.Store.Creates == 1, "the upload to begin");
        Assert.False(waiting.IsCompleted);
        await _time.AdvanceUntilAsync(TimeSpan.FromMilliseconds(50), () => waiting.IsCompleted, "patience to end");
        Ack ack = await waiting;
        Assert.Equal((Admission.Accepted, AckLevel.Disk), (ack.Admission, ack.Level));
        Assert.Equal(1, node.Balance.Spooled);
        node.Store.Gate.SetResult();
        await node.UntilAsync(() => node.Balance.Stored == 1, "the upload to end");
        Assert.Equal([ack.Key], node.Keys);
        await EndAsync(node);
    }

    [Theory]
    [InlineData(StorageFailure.Refused)]
    [InlineData(StorageFailure.Transient)]
    public async Task A_store_that_fails_gives_disk_without_any_time_passing(StorageFailure failure)
    {
        await using TestNode node = NewNode().Start();
        node.Store.Fails = failure;
        Ack ack = await WithinAsync(node.AskAsync("a", AckLevel.Stored));
        Assert.Equal((Admission.Accepted, AckLevel.Disk), (ack.Admission, ack.Level));
        Assert.Equal(1, node.Balance.Dlq + node.Balance.Spooled);
        node.AssertConserved();
        node.Store.Fails = null;
        await _time.AdvanceUntilAsync(TimeSpan.FromSeconds(1), () => node.Balance.Stored == 1, "recovery to store it");
        Assert.Equal([ack.Key], node.Keys);
        await EndAsync(node);
    }

    [Fact]
    public async Task With_a_full_upload_queue_the_answer_is_disk_without_any_time_passing()
    {
        await using TestNode node = NewNode(Options with { BatchSize = 1, UploadQueue = 1, UploadConcurrency = 1 }).Start();
        node.Store.Gate = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        Task<Ack> uploading = node.AskAsync("uploading", AckLevel.Stored).AsTask();
        await node.UntilAsync(() => node.Store.Creates == 1, "the upload to begin");
        Task<Ack> queued = node.AskAsync("queued", AckLevel.Stored).AsTask();
        await node.UntilAsync(() => node.Engine.UploadQueueDepth == 1, "the queue to be full");
        Ack ack = await WithinAsync(node.AskAsync("parked", AckLevel.Stored));
        Assert.Equal(AckLevel.Disk, ack.Level);
        Assert.False(uploading.IsCompleted || queued.IsCompleted);
        node.Store.Gate.SetResult();
        Assert.Equal((AckLevel.Stored, AckLevel.Stored), ((await uploading).Level, (await queued).Level));
        await node.UntilAsync(() => node.Balance.Stored == 3, "all to be stored");
        await EndAsync(node);
    }

    [Fact]
    public async Task A_block_over_several_batches_is_stored_when_all_of_them_are_and_names_them_all()
    {
        await using TestNode node = NewNode(Options with { BatchSize = 10 }).Start();
        Task<Ack> asked = AskBlockAsync(node, 35);
        await _time.AdvanceUntilAsync(TimeSpan.FromMilliseconds(50), () => asked.IsCompleted, "the last batch to leave");
        Ack ack = await asked;
        Assert.Equal((Admission.Accepted, AckLevel.Stored), (ack.Admission, ack.Level));
        string[] keys = ack.Key.Split(", ");
        Assert.Equal(4, keys.Length);
        Assert.Equal(node.Keys, keys.Order(StringComparer.Ordinal));
        Assert.Equal(EventLines.Bodies(35), keys.SelectMany(key => EventLines.DecodeGzip(node.Read(key))));
        await EndAsync(node);
    }

    [Fact]
    public async Task A_block_of_which_one_batch_is_not_stored_is_at_disk()
    {
        await using TestNode node = NewNode(Options with { BatchSize = 10 }).Start();
        string? spared = null;
        node.Store.FailsFor = key => Interlocked.CompareExchange(ref spared, key, null) is { } first && first != key;
        node.Store.Fails = StorageFailure.Refused; // for all but the first
        Task<Ack> asked = AskBlockAsync(node, 20);
        Ack ack = await WithinAsync(new ValueTask<Ack>(asked));
        Assert.Equal((Admission.Accepted, AckLevel.Disk), (ack.Admission, ack.Level));
        Assert.Equal(10, node.Balance.Stored);
        node.Store.Fails = null;
        await EndAsync(node);
        node.AssertConserved();
    }

    [Fact]
    public async Task At_most_eight_keys_are_told()
    {
        await using TestNode node = NewNode(Options with { BatchSize = 1 }).Start();
        Ack ack = await WithinAsync(new ValueTask<Ack>(AskBlockAsync(node, 20, AckLevel.Disk)));
        string[] keys = ack.Key.Split(", ");
        Assert.Equal(8, keys.Distinct().Count());
        await node.UntilAsync(() => node.Balance.Stored == 20, "all to be stored");
        Assert.Subset(node.Keys.ToHashSet(), keys.ToHashSet());
        await EndAsync(node);
    }

    private static async Task<Ack> WithinAsync(ValueTask<Ack> ask) =>
        await ask.AsTask().WaitAsync(TestNode.Limit, TestContext.Current.CancellationToken);

    private static async Task<Ack> AskBlockAsync(TestNode node, int events, AckLevel level = AckLevel.Stored)
    {
        using LineBlock block = node.Engine.Ingest.NewBlock();
        foreach (string body in EventLines.Bodies(events))
        {
            block.Add(EventLines.Header(), System.Text.Encoding.UTF8.GetBytes(body));
        }

        return await node.Engine.Ingest.AcceptAsync(block, level);
    }

    // Whatever waits for time gets it.
    private async Task EndAsync(TestNode node)
    {
        Task<long> drain = node.DrainAsync();
        await _time.AdvanceUntilAsync(TimeSpan.FromMilliseconds(20), () => drain.IsCompleted, "the drain to end");
        Assert.Equal(0, await drain);
        node.AssertConserved();
    }

    private TestNode NewNode(CollectOptions? options = null) => new(_folder, options ?? Options, _time);
}
