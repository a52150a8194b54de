// The spool's disk fails: who was not acknowledged is told so, who was is stored, and nothing is believed that a failed sync was to secure.
using Estat.Base.Acks;
using Estat.Base.Storage;
using Estat.Collect.Batching;
using Estat.Collect.Options;
using Microsoft.Extensions.Logging;

namespace Estat.Collect.Tests.Spooling;

public sealed class DiskTroubleTests : IDisposable
{
    private static readonly CollectOptions Quick = new() { RecoveryInterval = TimeSpan.FromMilliseconds(10), Partitions = 1 };
    private readonly TempFolder _folder = new();

    /// <summary>How a write or a sync of an open segment fails.</summary>
    public static TheoryData<string> Faults => ["write: no space", "write: broken", "sync: broken", "sync: no space"];

    public void Dispose() => _folder.Dispose();

    [Theory]
    [MemberData(nameof(Faults))]
    public async Task An_event_that_the_disk_refuses_is_told_so_those_before_it_are_stored_and_the_next_gets_a_fresh_segment(string fault)
    {
        await using TestNode node = NewNode().Start();
        string key = await SendAsync(node, EventLines.Bodies(3));
        await ArmAsync(node, fault);
        Ack refused = await node.AskAsync("refused");
        Assert.Equal((Admission.DiskFailed, ""), (refused.Admission, refused.Key));
        // Nobody waits for FLUSH_INTERVAL: what was acknowledged is no longer sure in its segment.
        await node.UntilAsync(() => node.Balance.Stored == 3, "the acknowledged to be stored");
        Assert.Equal([key], node.Keys);
        Assert.Equal(EventLines.Bodies(3), node.Stored);
        Assert.Equal(1, node.Metrics.Value("estat_spool_errors_total"));
        Assert.Equal(1, node.Metrics.Value("estat_batches_sealed_total{reason=\"disk_failure\"}"));
        Assert.True(node.Engine.IsReady, "one failure is none yet");

        string next = await SendAsync(node, EventLines.Bodies(2, first: 3));
        Assert.NotEqual(key, next);
        node.AssertConserved();
        Assert.Equal(0, await node.DrainAsync());
        Assert.Equal(EventLines.Bodies(5), node.Stored);
        Assert.Equal(5, node.Balance.Accepted);
        Assert.Empty(Snapshot.Segments(_folder));
    }

    [Theory]
    [MemberData(nameof(Faults))]
    public async Task What_was_acknowledged_before_is_safe_while_storage_is_away_too(string fault)
    {
        await using (TestNode node = NewNode().Start())
        {
            node.Store.Fails = StorageFailure.Refused;
            await SendAsync(node, EventLines.Bodies(3));
            await ArmAsync(node, fault);
            Assert.Equal(Admission.DiskFailed, await node.TrySendAsync("refused"));
            await node.UntilAsync(() => node.Balance is { Spooled: 0, Dlq: 3 }, "the acknowledged to be in the DLQ");
            Assert.Equal(0, await node.DrainAsync());
        }

        await using TestNode next = NewNode().Start();
        await next.UntilAsync(() => next.Balance.Stored == 3, "the next start to store them");
        Assert.Equal(EventLines.Bodies(3), next.Stored);
        next.AssertConserved();
    }

    [Theory]
    [MemberData(nameof(Faults))]
    public async Task A_kill_right_after_the_failure_costs_nothing_that_was_acknowledged_and_doubles_nothing(string fault)
    {
        string key;
        TempFolder left;
        await using (TestNode node = NewNode().Start())
        {
            node.Store.Gate = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            key = await SendAsync(node, EventLines.Bodies(3));
            await ArmAsync(node, fault);
            Assert.Equal(Admission.DiskFailed, await node.TrySendAsync("refused"));
            await node.UntilAsync(() => node.Store.Creates == 1, "the acknowledged to be on their way");
            left = Snapshot.Of(_folder);
        }

        using (left)
        {
            await using TestNode next = new TestNode(left, Quick).Start();
            await next.UntilAsync(() => next.Balance.Stored >= 3, "what was acknowledged to be stored");
            Assert.Equal([key], next.Keys);
            Assert.Equal(EventLines.Bodies(3), next.Stored.Except(["refused"]));
            Assert.Empty(next.Log.Of(LogLevel.Critical));
            Assert.Equal(0, await next.DrainAsync());
            Assert.Empty(Snapshot.Segments(left));
        }
    }

    [Theory]
    [InlineData(DiskCall.Create)]
    [InlineData(DiskCall.SyncFolder)]
    internal async Task A_batch_that_gets_no_segment_is_refused_and_the_next_one_gets_one(DiskCall call)
    {
        await using TestNode node = NewNode(Quick with { BatchSize = 1 }).Start();
        node.Disk!.FailAlways(call, FaultingFiles.Broken());
        var accepted = new List<string>();
        Admission admission = Admission.Accepted;
        for (int n = 0; admission == Admission.Accepted && n < 10; n++)
        {
            // Segments that had been made in advance are used up first.
            string body = $"{n}";
            admission = await node.TrySendAsync(body);
            accepted.AddRange(admission == Admission.Accepted ? [body] : []);
        }

        Assert.Equal(Admission.DiskFailed, admission);
        node.Disk.Fault = null;
        accepted.Add("later");
        Assert.Equal(Admission.Accepted, await node.TrySendAsync("later"));
        Assert.Equal(0, await node.DrainAsync());
        Assert.Equal(accepted.Order(StringComparer.Ordinal), node.Stored);
        node.AssertConserved();
    }

    [Fact]
    public async Task Two_failures_in_a_row_make_the_node_unready_and_a_test_write_that_succeeds_makes_it_ready_again()
    {
        await using TestNode node = NewNode().Start();
        await SendAsync(node, EventLines.Bodies(3));
        node.Disk!.FailAlways(DiskCall.Sync, FaultingFiles.Broken());
        Assert.Equal(Admission.DiskFailed, await node.TrySendAsync("first refused"));
        Assert.True(node.Engine.IsReady);
        Assert.Equal(Admission.DiskFailed, await node.TrySendAsync("second refused"));
        Assert.Contains("SPOOL_DIR fails", node.Engine.NotReadyBecause, StringComparison.Ordinal);
        Assert.Equal(1, node.Metrics.Value("estat_spool_failing"));
        Assert.Equal((Admission.DiskFailed, Admission.DiskFailed),
            (node.Engine.Ingest.Outlook(AckLevel.Disk), node.Engine.Ingest.Outlook(AckLevel.Stored)));
        Assert.Equal(Admission.Accepted, node.Engine.Ingest.Outlook(AckLevel.Memory)); // asked for by name, it needs no disk
        Assert.True((await node.AskAsync("in memory", AckLevel.Memory)).IsAccepted);
        await node.UntilAsync(
            () => node.Log.Of(LogLevel.Debug).Any(line => line.Contains("still fails", StringComparison.Ordinal)), "a test write to fail");
        Assert.False(node.Engine.IsReady);

        node.Disk.Fault = null;
        await node.UntilAsync(() => node.Engine.IsReady, "a test write to succeed");
        Assert.Equal(Admission.Accepted, node.Engine.Ingest.Outlook(AckLevel.Disk));
        await SendAsync(node, ["later"]);
        Assert.Equal(0, await node.DrainAsync());
        Assert.Equal([.. EventLines.Bodies(3), "in memory", "later"], node.Stored);
        Assert.Single(node.Log.Of(LogLevel.Critical));
        node.AssertConserved();
    }

    [Fact]
    public async Task Failures_with_a_success_between_them_do_not_make_the_node_unready()
    {
        await using TestNode node = NewNode().Start();
        for (int round = 0; round < 3; round++)
        {
            await SendAsync(node, [$"before {round}"]);
            await ArmAsync(node, "sync: broken");
            Assert.Equal(Admission.DiskFailed, await node.TrySendAsync("refused"));
            await SendAsync(node, [$"after {round}"]);
            Assert.True(node.Engine.IsReady);
            await ArmAsync(node, "write: broken");
            Assert.Equal(Admission.DiskFailed, await node.TrySendAsync("refused"));
        }

        Assert.Equal(0, await node.DrainAsync());
        Assert.Equal(6, node.Stored.Length);
    }

    [Fact]
    public async Task A_block_of_which_the_disk_refused_a_part_is_refused_and_what_was_synced_counts_as_taken()
    {
        await using TestNode node = NewNode(Quick with { BatchSize = 260 }).Start();
        await SendAsync(node, EventLines.Bodies(1));
        await ArmAsync(node, "write: no space");
        using (LineBlock block = node.Engine.Ingest.NewBlock())
        {
            foreach (string body in EventLines.Bodies(500, first: 1))
            {
                block.Add(EventLines.Header(), System.Text.Encoding.UTF8.GetBytes(body + new string('x', 1000)));
            }

            Ack ack = await node.Engine.Ingest.AcceptAsync(block, AckLevel.Disk);
            Assert.Equal((Admission.DiskFailed, ""), (ack.Admission, ack.Key));
        }

        Assert.Equal(1, node.Engine.AcceptedRequests);
        Assert.Equal(0, await node.DrainAsync());
        node.AssertConserved();
        // Its first events went to the segment that failed, the others to the next one: refused events may be there, once.
        Assert.InRange(node.Stored.Length, 100, 400);
        Assert.Equal(node.Stored.Length, node.Stored.Distinct().Count());
        Assert.Equal(node.Balance.Accepted, node.Stored.Length);
        Assert.Contains("event-0", node.Stored);
    }

    [Fact]
    public async Task Requests_that_share_a_failed_sync_are_all_refused()
    {
        await using TestNode node = NewNode().Start();
        await SendAsync(node, ["before"]);
        using var hold = new ManualResetEventSlim();
        string segment = OpenSegment();
        int calls = 0;
        node.Disk!.Fault = (call, name) =>
        {
            if (call != DiskCall.Sync || name != segment)
            {
                return null;
            }

            if (Interlocked.Increment(ref calls) == 1)
            {
                hold.Wait(TestNode.Limit); // the first sync takes until the others wait for the next
                return null;
            }

            return calls == 2 ? FaultingFiles.Broken() : null;
        };
        Task<Ack> first = node.AskAsync("first").AsTask();
        await node.UntilAsync(() => Volatile.Read(ref calls) == 1, "the first sync to begin");
        Task<Ack>[] others = [.. Enumerable.Range(0, 50).Select(n => node.AskAsync($"other {n}").AsTask())];
        Assert.All([first, .. others], ask => Assert.False(ask.IsCompleted));
        hold.Set();
        Assert.Equal(Admission.Accepted, (await first).Admission);
        Ack[] acks = await Task.WhenAll(others);
        Assert.All(acks, ack => Assert.Equal(Admission.DiskFailed, ack.Admission));
        Assert.Equal(0, await node.DrainAsync());
        Assert.Equal(["before", "first"], node.Stored);
        Assert.Equal((2, 2), (node.Balance.Accepted, node.Engine.AcceptedRequests));
    }

    [Fact]
    public async Task A_seal_that_cannot_be_written_sends_the_batch_off_from_memory()
    {
        await using TestNode node = NewNode(Quick with { BatchSize = 4 }).Start();
        string key = await SendAsync(node, EventLines.Bodies(3));
        string segment = OpenSegment();
        int syncs = 0;
        node.Disk!.Fault = (call, name) =>
            call == DiskCall.Sync && name == segment && Interlocked.Increment(ref syncs) == 2 ? FaultingFiles.Broken() : null;
        await SendAsync(node, EventLines.Bodies(1, first: 3)); // its sync is the first, the seal's the second
        await node.UntilAsync(() => node.Balance.Stored == 4, "the batch to be stored");
        Assert.Equal([key], node.Keys);
        Assert.Equal(EventLines.Bodies(4), node.Stored);
        Assert.Equal(0, await node.DrainAsync());
        Assert.Empty(Snapshot.Segments(_folder));
        node.AssertConserved();
    }

    [Fact]
    public async Task A_sync_that_hangs_makes_the_node_unready_until_it_ends()
    {
        var time = new ManualTimeProvider();
        await using TestNode node = NewNode(time: time).Start();
        await SendAsync(node, ["before"]);
        using var hold = new ManualResetEventSlim();
        string segment = OpenSegment();
        bool hangs = false;
        node.Disk!.Fault = (call, name) =>
        {
            if (call == DiskCall.Sync && name == segment)
            {
                Volatile.Write(ref hangs, true);
                hold.Wait(TestNode.Limit);
            }

            return null;
        };
        Task<Ack> waiting = node.AskAsync("waits").AsTask();
        await node.UntilAsync(() => Volatile.Read(ref hangs), "the sync to hang");
        Assert.True(node.Engine.IsReady);
        await time.AdvanceUntilAsync(TimeSpan.FromSeconds(1), () => !node.Engine.IsReady, "the hanging sync to be noticed");
        Assert.Equal(Admission.DiskFailed, node.Engine.Ingest.Outlook(AckLevel.Disk));
        hold.Set();
        Assert.Equal(Admission.Accepted, (await waiting).Admission);
        await time.AdvanceUntilAsync(TimeSpan.FromSeconds(1), () => node.Engine.IsReady, "its end to be noticed");
        node.Disk.Fault = null;
        await SendAsync(node, ["after"]);
        Task<long> drain = node.DrainAsync();
        await time.AdvanceUntilAsync(TimeSpan.FromMilliseconds(20), () => drain.IsCompleted, "the drain to end");
        Assert.Equal(["after", "before", "waits"], node.Stored);
    }

    [Fact]
    public async Task A_look_for_room_that_hangs_makes_the_node_unready_and_keeps_no_drain_from_its_end()
    {
        var time = new ManualTimeProvider();
        await using TestNode node = NewNode(time: time).Start();
        await SendAsync(node, ["before"]);
        using var hold = new ManualResetEventSlim();
        node.Disk!.Fault = (call, _) =>
        {
            if (call == DiskCall.Measure)
            {
                hold.Wait(TestNode.Limit);
            }

            return null;
        };
        await time.AdvanceUntilAsync(TimeSpan.FromSeconds(1), () => !node.Engine.IsReady, "the hanging look to be noticed");
        Task<long> drain = node.DrainAsync();
        await time.AdvanceUntilAsync(TimeSpan.FromMilliseconds(20), () => drain.IsCompleted, "the drain to end");
        Assert.Equal(["before"], node.Stored);
        hold.Set();
    }

    [Fact]
    public async Task A_spool_at_its_size_turns_new_requests_away_until_batches_have_left()
    {
        await using TestNode node = NewNode(Quick with { SpoolMaxSizeBytes = 1 << 20 }).Start();
        node.Store.Gate = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        string body = new('x', 10_000);
        int taken = 0;
        while (node.Engine.Ingest.Outlook(AckLevel.Disk) == Admission.Accepted)
        {
            Assert.InRange(taken++, 0, 1000);
            Assert.Equal(Admission.Accepted, await node.TrySendAsync(body));
        }

        Assert.InRange(taken, 90, 110);
        Assert.Equal(Admission.StorageFull, node.Engine.Ingest.Outlook(AckLevel.Disk));
        Assert.Contains("SPOOL_MAX_SIZE_BYTES", node.Engine.NotReadyBecause, StringComparison.Ordinal);
        Assert.InRange(node.Engine.SpoolBytes, 1 << 20, 2 << 20);
        // What fills it is the open batch itself: it is sealed without FLUSH_INTERVAL having passed.
        await node.UntilAsync(() => node.Store.Creates == 1, "the open batch to leave");
        Assert.False(node.Engine.IsReady);
        node.Store.Gate.SetResult();
        await node.UntilAsync(() => node.Engine.IsReady, "room");
        Assert.Equal(Admission.Accepted, await node.TrySendAsync("later"));
        Assert.Equal(0, await node.DrainAsync());
        Assert.Equal(taken + 1, node.Stored.Length);
        node.AssertConserved();
    }

    private static async Task<string> SendAsync(TestNode node, IEnumerable<string> bodies)
    {
        string key = "";
        foreach (string body in bodies)
        {
            Ack ack = await node.AskAsync(body);
            Assert.Equal(Admission.Accepted, ack.Admission);
            key = ack.Key;
        }

        return key;
    }

    private TestNode NewNode(CollectOptions? options = null, TimeProvider? time = null) => new(_folder, options ?? Quick, time, withFaults: true);

    // The one that holds a batch: spares hold zeros.
    private string OpenSegment() => Path.GetFileName(Assert.Single(Snapshot.Segments(_folder)));

    private async Task ArmAsync(TestNode node, string fault)
    {
        await Wait.UntilAsync(() => Snapshot.Segments(_folder).Length == 1, TestNode.Limit, "older segments to be gone");
        DiskCall call = fault.StartsWith("write", StringComparison.Ordinal) ? DiskCall.Write : DiskCall.Sync;
        node.Disk!.FailOnce(
            call, OpenSegment(), fault.EndsWith("space", StringComparison.Ordinal) ? FaultingFiles.NoSpace() : FaultingFiles.Broken());
    }
}
