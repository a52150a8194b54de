// Orders about DLQ files while recovery works on them: each file ends once, whoever comes first.
using Estat.Base.Acks;
using Estat.Base.Storage;
using Estat.Collect.Conservation;
using Estat.Collect.Dlq;
using Estat.Collect.Options;

namespace Estat.Collect.Tests.Recovery;

public sealed class DlqOfficeTests : IDisposable
{
    private readonly TempFolder _folder = new();

    private string Dlq => _folder["dlq"];

    [Fact]
    public async Task Each_file_ends_once_however_recovery_retries_and_discards_meet_at_it()
    {
        const int Files = 400;
        string[] names = [.. Enumerable.Range(0, Files).Select(number => Put($"file {number}"))];
        await using TestNode node = new TestNode(_folder, new CollectOptions { RecoveryInterval = TimeSpan.FromMilliseconds(1) }).Start();
        await StockAsync(node, names[0]);
        int discarded = 0;
        int stored = 0;
        int seed = 0;
        await Parallel.ForAsync(0, 4, TestContext.Current.CancellationToken, async (_, _) =>
        {
            var dice = new Random(Interlocked.Increment(ref seed));
            for (int turn = 0; turn < 1_000; turn++)
            {
                string name = names[dice.Next(Files)];
                OrderResult result = dice.Next(2) == 0 ? await node.Engine.Dlq.RetryAsync(name) : node.Engine.Dlq.Discard(name, 1, "a test");
                Interlocked.Add(ref discarded, result.End == OrderEnd.Discarded ? 1 : 0);
                Interlocked.Add(ref stored, result.End == OrderEnd.Stored ? 1 : 0);
                Assert.Contains(result.End, new[] { OrderEnd.Stored, OrderEnd.Discarded, OrderEnd.Missing, OrderEnd.Busy });
                node.AssertConserved();
            }
        });
        await node.UntilAsync(() => node.Balance.Dlq == 0, "an empty DLQ");

        Assert.True(discarded > 0 && stored > 0, $"{discarded} discarded, {stored} stored on demand: nothing met");
        Assert.Equal(new Balance(0, Files, Files - discarded, 0, 0, 0, 0, discarded), node.Balance);
        Assert.Equal(Files - discarded, node.Stored.Distinct().Count());
        Assert.Equal(Files - discarded, node.Stored.Length);
        Assert.Equal((0, 0), (node.Engine.DlqFiles, node.Engine.DlqBytes));
        await node.UntilAsync(() => node.DlqNames.Length == 0, "the last file to leave the DLQ"); // a meta goes after its events are counted
    }

    [Fact]
    public async Task A_file_that_is_being_tried_is_neither_tried_again_nor_discarded()
    {
        string name = Put("slow");
        await using TestNode node = new TestNode(_folder, Calm).Start();
        await StockAsync(node, name);
        node.Store.Gate = new TaskCompletionSource();
        Task<OrderResult> trying = node.Engine.Dlq.RetryAsync(name);
        await node.UntilAsync(() => node.Store.Creates == 1, "the attempt");
        Assert.Equal(OrderEnd.Busy, (await node.Engine.Dlq.RetryAsync(name)).End);
        Assert.Equal(OrderEnd.Busy, node.Engine.Dlq.Discard(name, 1, "a test").End);
        node.Store.Gate.SetResult();
        Assert.Equal(OrderEnd.Stored, (await trying).End);
        Assert.Equal(1, node.Store.Creates);
    }

    [Fact]
    public async Task A_file_that_is_being_tried_is_nobody_else_s_and_leaves_its_folder_when_that_was_moved_away_meanwhile()
    {
        string name = Put("slow");
        await using TestNode node = new TestNode(_folder, Calm).Start();
        await StockAsync(node, name);
        node.Store.Gate = new TaskCompletionSource();
        Task<OrderResult> trying = node.Engine.Dlq.RetryAsync(name);
        await node.UntilAsync(() => node.Store.Creates == 1, "the attempt");
        Directory.Move(Dlq, _folder["elsewhere"]);
        await node.UntilAsync(() => !node.Engine.IsReady, "the loss to be noticed");
        Assert.NotNull(node.Engine.Dlq.Find(name)); // by the way that is still open
        Assert.Equal(OrderEnd.Busy, node.Engine.Dlq.Discard(name, 1, "a test").End);
        node.Store.Gate.SetResult();
        Assert.Equal(OrderEnd.Stored, (await trying).End);
        Assert.Equal((0, 1, 0), (node.Balance.Dlq, node.Balance.Stored, node.Balance.Dropped));
        Assert.Empty(DlqFiles.NamesIn(_folder["elsewhere"]));
        Directory.Move(_folder["elsewhere"], Dlq);
    }

    [Fact]
    public async Task An_attempt_that_hangs_does_not_hold_up_a_drain_and_orders_after_it_are_refused()
    {
        string name = Put("hangs");
        await using TestNode node = new TestNode(_folder, Calm).Start();
        await StockAsync(node, name);
        node.Store.Gate = new TaskCompletionSource();
        Task<OrderResult> trying = node.Engine.Dlq.RetryAsync(name);
        await node.UntilAsync(() => node.Store.Creates == 1, "the attempt");
        await node.DrainAsync().WaitAsync(TestNode.Limit, TestContext.Current.CancellationToken);
        Assert.Equal(OrderEnd.NotNow, (await trying).End);
        Assert.Equal(OrderEnd.NotNow, node.Engine.Dlq.Discard(name, 1, "a test").End);
        Assert.NotEmpty(node.DlqNames);
    }

    [Fact]
    public async Task A_file_without_a_meta_is_discarded_by_the_lines_that_it_holds()
    {
        string name = Path.GetFileNameWithoutExtension(
            Path.GetFileNameWithoutExtension(DlqFiles.Put(Dlq, DlqFiles.NewKey(), ["a", "b"], withMeta: false)));
        await using TestNode node = new TestNode(_folder, Calm).Start();
        await StockAsync(node, name);
        Assert.Equal(new OrderResult(OrderEnd.OtherCount, 2), node.Engine.Dlq.Discard(name, 0, "a test"));
        Assert.Equal(new OrderResult(OrderEnd.Discarded, 2), node.Engine.Dlq.Discard(name, 2, "a test"));
        Assert.Equal(new Balance(0, 2, 0, 0, 0, 0, 0, 2), node.Balance);
    }

    [Fact]
    public async Task A_page_of_many_files_reads_the_metas_of_that_page_alone_and_pages_cover_every_file_once()
    {
        string[] names = [.. Enumerable.Range(0, 250).Select(number => Put($"file {number}")).Order(StringComparer.Ordinal)];
        await using TestNode node = new TestNode(_folder, Calm).Start();
        node.Store.Fails = StorageFailure.Transient;
        var seen = new List<string>();
        string? after = null;
        do
        {
            DlqPage page = node.Engine.Dlq.List(100, after);
            seen.AddRange(page.Files.Select(file => file.Name));
            after = page.Next;
        }
        while (after is not null);
        Assert.Equal(names, seen);
    }

    [Fact]
    public async Task A_file_that_is_being_uploaded_is_not_evicted_and_counts_as_stored()
    {
        string key = DlqFiles.NewKey();
        string name = Path.GetFileName(DlqFiles.Put(Dlq, key, ["old"]))[..^".jsonl.gz".Length];
        await using TestNode node = new TestNode(
            _folder,
            Calm with { Ack = AckLevel.Memory, DlqFull = DlqFullPolicy.Evict, DlqMaxSizeBytes = 1, BatchSize = 1, S3AppRetries = 0 }).Start();
        await StockAsync(node, name);
        var gate = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        node.Store.Gate = gate;
        Task<OrderResult> trying = node.Engine.Dlq.RetryAsync(name);
        await node.UntilAsync(() => node.Store.Creates == 1, "the attempt");

        // Another batch needs the room.
        node.Store.Gate = null;
        node.Store.FailsFor = other => other != key;
        node.Store.Fails = StorageFailure.Refused;
        await node.SendAsync("new");
        await node.UntilAsync(() => node.Balance.Dlq == 2, "the new batch to be in the DLQ beside it");
        gate.SetResult();
        Assert.Equal(OrderEnd.Stored, (await trying).End);
        Assert.Equal(new Balance(1, 1, 1, 0, 0, 1, 0, 0), node.Balance);

        // Nobody is at it any more: the next one evicts what is there.
        await node.SendAsync("newer");
        await node.UntilAsync(() => node.Balance is { Dropped: 1, Dlq: 1 }, "an eviction");
        Assert.Equal(1, node.Metrics.Value("dlq_events_dropped_total"));
        node.AssertConserved();
    }

    public void Dispose() => _folder.Dispose();

    // Before the folder is counted whole, every order is refused.
    private static Task StockAsync(TestNode node, string name) =>
        node.UntilAsync(() => node.Engine.Dlq.Discard(name, -1, "a test").End is OrderEnd.OtherCount or OrderEnd.Missing or OrderEnd.Busy, "stock");

    private static CollectOptions Calm => new() { RecoveryInterval = TimeSpan.FromHours(1) };

    private string Put(string body)
    {
        string file = Path.GetFileName(DlqFiles.Put(Dlq, DlqFiles.NewKey(), [body]));
        return file[..^".jsonl.gz".Length];
    }
}
