// What a crash left in the spool: found by the next start, stored once, never in the way of new events.
using Estat.Base.Acks;
using Estat.Base.Storage;
using Estat.Collect.Conservation;
using Estat.Lake.Names;
using Microsoft.Extensions.Logging;

namespace Estat.Collect.Tests.Spooling;

public sealed class SpoolRecoveryTests : SpoolTests
{
    [Theory]
    [InlineData(AckLevel.Disk)]
    [InlineData(AckLevel.Stored)]
    public async Task What_a_killed_start_left_open_is_stored_once_under_the_keys_that_its_answers_named(AckLevel level)
    {
        var keys = new Dictionary<string, string>();
        TempFolder left;
        await using (TestNode node = new TestNode(Folder, Quick with { BatchSize = 30, UploadQueue = 1, UploadConcurrency = 1 }).Start())
        {
            HoldUploads(node);
            Task<Ack>[] asked = [.. EventLines.Bodies(100).Select(body => node.AskAsync(body, level).AsTask())];
            foreach ((Task<Ack> ask, string body) in asked.Zip(EventLines.Bodies(100)))
            {
                keys[body] = (await ask).Key; // stored does not come, and is disk after a second
            }

            left = Crash();
        }

        await using TestNode next = new TestNode(left, Quick).Start();
        await UntilStoredAsync(next, 100);
        Assert.All(keys, pair => Assert.Contains(pair.Key, EventLines.DecodeGzip(next.Read(pair.Value))));
        Assert.Equal(keys.Values.Distinct().Order(StringComparer.Ordinal), next.Keys);
        Assert.Equal(EventLines.Bodies(100).Order(StringComparer.Ordinal), next.Stored);
        Assert.Equal(new Balance(0, 100, 100, 0, 0, 0, 0, 0), next.Balance);
        await AssertNothingIsLeftAsync(left, next);
    }

    [Fact]
    public async Task A_batch_that_was_sealed_and_uploaded_before_the_kill_gets_no_second_object()
    {
        TempFolder left;
        await using (TestNode node = new TestNode(Folder, Quick with { BatchSize = 10 }).Start())
        {
            HoldUploads(node);
            await node.SendAsync(EventLines.Bodies(10));
            await node.UntilAsync(() => node.Store.Creates == 1, "the upload to begin");
            left = Crash();
            node.Store.Gate!.SetResult();
            await node.UntilAsync(() => node.Balance.Stored == 10, "the upload to end");
            CopyData(left);
        }

        await using TestNode next = new TestNode(left, Quick).Start();
        await UntilStoredAsync(next, 10);
        Assert.Equal(1, next.Store.Creates);
        Assert.Single(next.Keys);
        Assert.Equal(EventLines.Bodies(10), next.Stored);
        Assert.Equal(0, next.Metrics.Value("estat_key_conflicts_total"));
        await AssertNothingIsLeftAsync(left, next);
    }

    [Fact]
    public async Task A_start_that_is_killed_during_recovery_changes_nothing_for_the_one_after_it()
    {
        string key;
        TempFolder left;
        await using (TestNode node = new TestNode(Folder, Quick).Start())
        {
            HoldUploads(node);
            key = await SendOneByOneAsync(node, 5);
            left = Crash();
        }

        TempFolder again;
        await using (TestNode second = new TestNode(left, Quick).Start())
        {
            HoldUploads(second);
            await second.UntilAsync(() => second.Store.Creates == 1, "its upload to begin");
            again = Crash(left);
            second.Store.Gate!.SetResult();
            await UntilStoredAsync(second, 5);
            CopyData(again, left);
        }

        await using TestNode third = new TestNode(again, Quick).Start();
        await UntilStoredAsync(third, 5);
        Assert.Equal([key], third.Keys);
        await AssertNothingIsLeftAsync(again, third);
    }

    [Fact]
    public async Task Segments_of_an_earlier_version_without_content_vanish_with_one_warning()
    {
        Directory.CreateDirectory(Folder["spool"]);
        File.WriteAllBytes(Folder["spool/0a-000001-000000001.seg"], []);
        File.WriteAllBytes(Folder["spool/0a-000001-000000002.seg"], new byte[100]);
        File.WriteAllBytes(Folder["spool/0a-000001-000000003.seg"], new byte[300_000]);
        File.WriteAllText(Folder["spool/identity"], $"{ObjectKeys.NewInstance()} 1\n");

        await using TestNode node = new TestNode(Folder, Quick).Start();
        await node.UntilAsync(() => Directory.GetFiles(Folder["spool"], "0a-*").Length == 0, "they to be gone");
        await node.DrainAsync();
        Assert.Equal(default, node.Balance);
        Assert.Empty(node.Keys);
        Assert.Empty(node.Quarantine);
        // its spares were as empty
        Assert.StartsWith("Removed 3 empty segments", Assert.Single(node.Log.Of(LogLevel.Warning)), StringComparison.Ordinal);
        Assert.All([LogLevel.Error, LogLevel.Critical], level => Assert.Empty(node.Log.Of(level)));
    }

    [Fact]
    public async Task Segments_that_were_made_in_advance_vanish_and_are_told_of_as_such()
    {
        await using (TestNode node = new TestNode(Folder, Quick).Start())
        {
            await node.UntilAsync(() => Directory.GetFiles(Folder["spool"], "*.seg").Length >= 2, "spares");
            TempFolder left = Crash();
            await using TestNode next = new TestNode(left, Quick).Start();
            await next.UntilAsync(() => next.Log.Of(LogLevel.Information).Any(line => line.Contains("made in advance", StringComparison.Ordinal)),
                "the spares to be gone");
            Assert.All([LogLevel.Warning, LogLevel.Error, LogLevel.Critical], level => Assert.Empty(next.Log.Of(level)));
            await AssertNothingIsLeftAsync(left, next);
            Assert.Equal(default, next.Balance);
        }
    }

    [Fact]
    public async Task What_had_reached_the_quarantine_before_a_kill_lies_there_once()
    {
        Directory.CreateDirectory(Folder["spool"]);
        byte[] garbage = [.. Enumerable.Range(0, 5000).Select(n => (byte)(n * 7))];
        for (int start = 1; start <= 2; start++)
        {
            File.WriteAllBytes(Folder["spool/0a-000001-000000001.seg"], garbage); // the second time as if its deletion had been lost
            await using TestNode node = new TestNode(Folder, Quick).Start();
            await node.UntilAsync(() => !File.Exists(Folder["spool/0a-000001-000000001.seg"]), "the segment to leave");
            Assert.Equal(garbage, node.Read(Assert.Single(node.Quarantine)));
        }
    }

    [Fact]
    public async Task New_requests_are_served_while_a_large_backlog_is_recovered()
    {
        TempFolder left;
        await using (TestNode node = new TestNode(Folder, Quick with { BatchSize = 20, UploadQueue = 1, UploadConcurrency = 1 }).Start())
        {
            HoldUploads(node);
            await node.SendAsync(EventLines.Bodies(1000));
            left = Crash();
        }

        await using TestNode next = new TestNode(left, Quick).Start();
        HoldUploads(next);
        await next.UntilAsync(() => next.Balance.Found == 1000, "stock to be taken");
        await next.SendAsync(EventLines.Bodies(100, first: 1000));
        Assert.Equal(new Balance(100, 1000, 0, 0, 1100, 0, 0, 0), next.Balance);
        Assert.True(next.Engine.IsReady);
        next.Store.Gate!.SetResult();
        await UntilStoredAsync(next, 1000);
        await next.DrainAsync();
        Assert.Equal(EventLines.Bodies(1100).Order(StringComparer.Ordinal), next.Stored);
        Assert.Equal(1100, next.Balance.Stored);
    }

    [Fact]
    public async Task Recovery_waits_while_storage_fails_and_drains_once_it_answers()
    {
        (TempFolder left, _) = await LeaveAsync(isSealed: true, 40, batchSize: 4);
        await using TestNode next = new TestNode(left, Quick);
        next.Store.Fails = StorageFailure.Transient;
        next.Start();
        await next.UntilAsync(() => next.Store.Creates >= 3, "some attempts");
        Assert.Equal(new Balance(0, 40, 0, 0, 40, 0, 0, 0), next.Balance);
        Assert.True(next.Engine.IsReady);
        Assert.Empty(next.DlqNames);
        next.Store.Fails = null;
        await UntilStoredAsync(next, 40);
        Assert.Equal(EventLines.Bodies(40).Order(StringComparer.Ordinal), next.Stored);
        await AssertNothingIsLeftAsync(left, next);
    }

    [Fact]
    public async Task While_storage_fails_the_backlog_asks_ever_less_often()
    {
        (TempFolder left, _) = await LeaveAsync(isSealed: true, 40, batchSize: 4);
        var time = new ManualTimeProvider();
        await using TestNode next = new TestNode(left, Quick, time);
        next.Store.Fails = StorageFailure.Transient;
        next.Start();
        // The uploaders that found nothing to tell them otherwise have begun at once; from then on one asks at a time.
        await time.AdvanceUntilAsync(TimeSpan.FromMilliseconds(100), () => next.Store.Creates >= 8, "the outage to be known");
        int before = next.Store.Creates;
        for (int second = 0; second < 60; second++)
        {
            time.Advance(TimeSpan.FromSeconds(1));
            await Task.Yield();
        }

        Assert.InRange(next.Store.Creates - before, 1, 40);
        next.Store.Fails = null;
        await time.AdvanceUntilAsync(TimeSpan.FromMilliseconds(500), () => next.Balance.Stored == 40, "the backlog to drain");
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task What_a_drain_without_storage_left_in_the_spool_is_stored_by_the_next_start(bool hangs)
    {
        var keys = new HashSet<string>();
        await using (TestNode node = new TestNode(Folder, Quick with { BatchSize = 10, UploadQueue = 1, UploadConcurrency = 1 }).Start())
        {
            HoldUploads(node);
            foreach (string body in EventLines.Bodies(95))
            {
                keys.Add((await node.AskAsync(body)).Key);
            }

            await node.UntilAsync(() => node.Engine.SpoolWaiting > 0, "batches to wait in the spool");
            if (!hangs)
            {
                node.Store.Fails = StorageFailure.Refused;
                node.Store.Gate!.SetResult();
            }

            using var hurry = new CancellationTokenSource(hangs ? TimeSpan.FromMilliseconds(200) : Timeout.InfiniteTimeSpan);
            Assert.Equal(0, await node.DrainAsync(hurry: hurry));
            node.AssertConserved();
            Assert.Equal(95, node.Balance.Spooled + node.Balance.Dlq);
            Assert.True(node.Balance.Spooled > 0 && (node.Balance.Dlq == 0 || !hangs), node.Balance.ToString());
        }

        await using TestNode next = new TestNode(Folder, Quick).Start();
        await UntilStoredAsync(next, 95);
        Assert.Equal(EventLines.Bodies(95).Order(StringComparer.Ordinal), next.Stored);
        Assert.Equal(keys.Order(StringComparer.Ordinal), next.Keys);
        Assert.Equal(new Balance(0, 95, 95, 0, 0, 0, 0, 0), next.Balance);
        await AssertNothingIsLeftAsync(Folder, next);
    }
}
