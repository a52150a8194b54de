// What an earlier start left in the spool is stored once under the keys that its answers named, whatever state it is in.
using Estat.Core.Batching;
using Estat.Core.Conservation;
using Estat.Core.Ingest;
using Estat.Core.Options;
using Estat.Core.Spooling;
using Estat.Core.Storage;
using Microsoft.Extensions.Logging;

namespace Estat.Core.Tests.Spooling;

public sealed class SpoolRecoveryTests : IDisposable
{
    private static readonly EstatOptions Quick = new() { RecoveryInterval = TimeSpan.FromMilliseconds(10), Partitions = 1 };
    private readonly TempFolder _folder = new();
    private readonly List<TempFolder> _crashed = [];

    public void Dispose()
    {
        _folder.Dispose();
        _crashed.ForEach(folder => folder.Dispose());
    }

    [Theory]
    [InlineData(AckLevel.Disk)]
    [InlineData(AckLevel.Stored)]
    public async Task What_a_killed_start_left_open_is_stored_once_under_the_keys_that_its_answers_named(AckLevel level)
    {
        var keys = new Dictionary<string, string>();
        TempFolder left;
        await using (TestNode node = new TestNode(_folder, Quick with { BatchSize = 30, UploadQueue = 1, UploadConcurrency = 1 }).Start())
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
        await using (TestNode node = new TestNode(_folder, Quick with { BatchSize = 10 }).Start())
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
        await using (TestNode node = new TestNode(_folder, Quick).Start())
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

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_damaged_record_sends_what_is_behind_it_to_the_quarantine_byte_for_byte_with_a_critical_line(bool isSealed)
    {
        (TempFolder left, string key) = await LeaveAsync(isSealed, 6);
        string segment = Assert.Single(Snapshot.Segments(left));
        byte[] content = File.ReadAllBytes(segment);
        int third = RecordStart(content, 2);
        content[third + 40] ^= 0x10;
        File.WriteAllBytes(segment, content);

        await using TestNode next = new TestNode(left, Quick).Start();
        await next.UntilAsync(() => next.Balance.Stored == 2 && next.Engine.SpoolWaiting == 0, "the good part to be stored");
        Assert.Equal([key], next.Keys);
        Assert.Equal(EventLines.Bodies(2), next.Stored);
        string tail = Assert.Single(next.Quarantine);
        Assert.Equal($"raw_dlq/{ObjectKeys.NameOf(key)}_tail.jsonl", tail);
        Assert.Equal(content[third..], next.Read(tail));
        string critical = Assert.Single(next.Log.Of(LogLevel.Critical));
        Assert.Contains(Path.GetFileName(segment), critical, StringComparison.Ordinal);
        Assert.Contains(tail, critical, StringComparison.Ordinal);
        // A seal says how many are missing; an open segment says nothing of what can no longer be read.
        Assert.Equal(isSealed ? new Balance(0, 6, 2, 0, 0, 0, 4, 0) : new Balance(0, 2, 2, 0, 0, 0, 0, 0), next.Balance);
        await AssertNothingIsLeftAsync(left, next);
    }

    [Fact]
    public async Task A_segment_that_was_damaged_after_its_upload_is_recognised_by_its_seal()
    {
        TempFolder left;
        await using (TestNode node = new TestNode(_folder, Quick with { BatchSize = 5 }).Start())
        {
            HoldUploads(node);
            await SendOneByOneAsync(node, 5);
            await node.UntilAsync(() => node.Store.Creates == 1, "the upload to begin");
            left = Crash();
            node.Store.Gate!.SetResult();
            await node.UntilAsync(() => node.Balance.Stored == 5, "the upload to end");
            CopyData(left);
        }

        string segment = Assert.Single(Snapshot.Segments(left));
        byte[] content = File.ReadAllBytes(segment);
        content[RecordStart(content, 1) + 40] ^= 1;
        File.WriteAllBytes(segment, content);
        await using TestNode next = new TestNode(left, Quick).Start();
        await UntilStoredAsync(next, 5);
        Assert.Equal(EventLines.Bodies(5), next.Stored);
        Assert.Empty(next.Quarantine);
        Assert.Empty(next.Log.Of(LogLevel.Critical));
        await AssertNothingIsLeftAsync(left, next);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(23)]
    [InlineData(60)]
    public async Task A_torn_tail_is_cut_off_and_kept_in_the_quarantine_without_alarm(int bytes)
    {
        (TempFolder left, string key) = await LeaveAsync(isSealed: false, 4);
        string segment = Assert.Single(Snapshot.Segments(left));
        byte[] content = File.ReadAllBytes(segment);
        int end = RecordStart(content, 4);
        Array.Resize(ref content, Math.Max(content.Length, end + bytes)); // it was prefilled, or not
        content.AsSpan(SegmentFormat.HeadBytes, bytes).CopyTo(content.AsSpan(end)); // a record that did not get further
        File.WriteAllBytes(segment, content);

        await using TestNode next = new TestNode(left, Quick).Start();
        await UntilStoredAsync(next, 4);
        Assert.Equal([key], next.Keys);
        Assert.Equal(EventLines.Bodies(4), next.Stored);
        Assert.Equal(content[end..], next.Read(Assert.Single(next.Quarantine)));
        Assert.Empty(next.Log.Of(LogLevel.Critical));
        Assert.Contains(next.Log.Of(LogLevel.Warning), line => line.Contains("no whole record", StringComparison.Ordinal));
        await AssertNothingIsLeftAsync(left, next);
    }

    [Fact]
    public async Task Segments_without_content_vanish()
    {
        Directory.CreateDirectory(_folder["spool"]);
        File.WriteAllBytes(_folder["spool/0a-000001-000000001.seg"], []);
        File.WriteAllBytes(_folder["spool/0a-000001-000000002.seg"], new byte[100]);
        File.WriteAllBytes(_folder["spool/0a-000001-000000003.seg"], new byte[300_000]);
        File.WriteAllText(_folder["spool/identity"], $"{ObjectKeys.NewInstance()} 1\n");

        await using TestNode node = new TestNode(_folder, Quick).Start();
        await node.UntilAsync(() => Directory.GetFiles(_folder["spool"], "0a-*").Length == 0, "they to be gone");
        await node.DrainAsync();
        Assert.Equal(default, node.Balance);
        Assert.Empty(node.Keys);
        Assert.Empty(node.Quarantine);
        Assert.All([LogLevel.Warning, LogLevel.Error, LogLevel.Critical], level => Assert.Empty(node.Log.Of(level)));
    }

    [Fact]
    public async Task A_segment_whose_head_is_not_readable_goes_to_the_quarantine_whole_and_keeps_nobody_else_from_recovery()
    {
        (TempFolder left, string key) = await LeaveAsync(isSealed: false, 3);
        string segment = Assert.Single(Snapshot.Segments(left));
        byte[] content = File.ReadAllBytes(segment);
        byte[] spoilt = [.. content];
        spoilt[10] ^= 1;
        string before = Path.Combine(left["spool"], "0a-000001-000000001.seg");
        File.WriteAllBytes(before, spoilt);
        byte[] garbage = [.. Enumerable.Range(0, 5000).Select(n => (byte)(n * 7))];
        File.WriteAllBytes(Path.Combine(left["spool"], "0a-000001-000000002.seg"), garbage);

        await using TestNode next = new TestNode(left, Quick).Start();
        await UntilStoredAsync(next, 3);
        await next.UntilAsync(() => next.Quarantine.Length == 2, "both to be in the quarantine");
        Assert.Equal([key], next.Keys);
        Assert.Contains(next.Quarantine, name => next.Read(name).AsSpan().SequenceEqual(spoilt));
        Assert.Contains(next.Quarantine, name => next.Read(name).AsSpan().SequenceEqual(garbage));
        Assert.Equal(2, next.Log.Of(LogLevel.Critical).Length);
        await AssertNothingIsLeftAsync(left, next);
    }

    [Fact]
    public async Task What_had_reached_the_quarantine_before_a_kill_lies_there_once()
    {
        Directory.CreateDirectory(_folder["spool"]);
        byte[] garbage = [.. Enumerable.Range(0, 5000).Select(n => (byte)(n * 7))];
        for (int start = 1; start <= 2; start++)
        {
            File.WriteAllBytes(_folder["spool/0a-000001-000000001.seg"], garbage); // the second time as if its deletion had been lost
            await using TestNode node = new TestNode(_folder, Quick).Start();
            await node.UntilAsync(() => !File.Exists(_folder["spool/0a-000001-000000001.seg"]), "the segment to leave");
            Assert.Equal(garbage, node.Read(Assert.Single(node.Quarantine)));
        }
    }

    [Fact]
    public async Task Newcomers_are_served_while_a_large_backlog_is_recovered()
    {
        TempFolder left;
        await using (TestNode node = new TestNode(_folder, Quick with { BatchSize = 20, UploadQueue = 1, UploadConcurrency = 1 }).Start())
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

    [Fact]
    public async Task Starts_are_counted_and_stand_in_the_keys()
    {
        var instances = new List<string>();
        for (int start = 1; start <= 3; start++)
        {
            await using TestNode node = new TestNode(_folder, Quick).Start();
            string name = ObjectKeys.NameOf((await node.AskAsync($"start {start}")).Key);
            instances.Add(name.Split('_')[1]);
            await node.DrainAsync();
        }

        string id = instances[0].Split('-')[0];
        Assert.Equal(32, id.Length);
        Assert.Equal([$"{id}-1", $"{id}-2", $"{id}-3"], instances);
        Assert.Equal($"{id} 3\n", File.ReadAllText(_folder["spool/identity"]));
    }

    [Theory]
    [InlineData("")]
    [InlineData("garbage")]
    [InlineData("garbage 7\n")]
    [InlineData("\0\0\0\0\0\0\0\0\0\0")]
    [InlineData("0123456789abcdef0123456789abcdef\n")]
    [InlineData("0123456789abcdef0123456789abcdef -7\n")]
    [InlineData("0123456789abcdef0123456789abcdef 9223372036854775807\n")]
    public async Task An_identity_that_is_not_readable_is_replaced_with_a_warning_and_segments_are_recovered_all_the_same(string identity)
    {
        (TempFolder left, string key) = await LeaveAsync(isSealed: false, 3);
        File.WriteAllText(left["spool/identity"], identity);
        await using TestNode next = new TestNode(left, Quick).Start();
        await UntilStoredAsync(next, 3);
        Assert.Equal([key], next.Keys);
        Assert.Contains(next.Log.Of(LogLevel.Warning), line => line.Contains("identity", StringComparison.Ordinal));
        string[] words = File.ReadAllText(left["spool/identity"]).Split(' ', '\n');
        Assert.NotEqual("0123456789abcdef0123456789abcdef", words[0]);
        Assert.Equal((32, "1"), (words[0].Length, words[1]));
        string name = ObjectKeys.NameOf((await next.AskAsync("new")).Key);
        Assert.Equal($"{words[0]}-1", name.Split('_')[1]);
    }

    [Fact]
    public async Task A_second_node_on_the_same_spool_does_not_start()
    {
        await using TestNode node = new TestNode(_folder, Quick).Start();
        IOException error = Assert.Throws<IOException>(() => new TestNode(_folder, Quick with { DlqDir = _folder["dlq2"] }));
        Assert.StartsWith($"SPOOL_DIR={_folder["spool"]}: another process owns this folder", error.Message, StringComparison.Ordinal);
        await node.SendAsync("still served");
    }

    [Fact]
    public async Task A_spool_that_forgets_is_refused_above_memory_unless_that_is_accepted()
    {
        Assert.SkipUnless(SmallDisk.Available(out string reason), reason);
        using var disk = new SmallDisk(16 << 20);
        EstatOptions options = Quick with { SpoolDir = Path.Combine(disk.Path, "spool"), DiskMinFreeBytes = 0 };
        AckLevel[][] above = [[AckLevel.Disk], [AckLevel.Memory, AckLevel.Stored]];
        Assert.All(
            [options, options with { Ack = AckLevel.Stored }, .. above.Select(allowed => options with { Ack = allowed[0], AckAllowed = allowed })],
            refused => Assert.Contains("SPOOL_VOLATILE", Assert.Throws<IOException>(() => new TestNode(_folder, refused)).Message, StringComparison.Ordinal));

        await using (TestNode node = new TestNode(_folder, options with { Ack = AckLevel.Memory }).Start())
        {
            Assert.Equal([AckLevel.Memory], node.Engine.Levels);
            await node.SendAsync("in memory");
        }

        await using TestNode accepted = new TestNode(_folder, options with { SpoolVolatile = true }).Start();
        Assert.Equal(AckLevels.OfOneNode, accepted.Engine.Levels);
        await accepted.SendAsync("on a disk that forgets");
    }

    [Fact]
    public async Task With_a_full_upload_queue_batches_wait_on_disk_and_the_lane_goes_on()
    {
        EstatOptions small = Quick with { BatchSize = 5, UploadQueue = 1, UploadConcurrency = 1, ChannelSize = 10 };
        await using TestNode node = new TestNode(_folder, small).Start();
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
    [InlineData(true)]
    [InlineData(false)]
    public async Task What_a_drain_without_storage_left_in_the_spool_is_stored_by_the_next_start(bool hangs)
    {
        var keys = new HashSet<string>();
        await using (TestNode node = new TestNode(_folder, Quick with { BatchSize = 10, UploadQueue = 1, UploadConcurrency = 1 }).Start())
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

        await using TestNode next = new TestNode(_folder, Quick).Start();
        await UntilStoredAsync(next, 95);
        Assert.Equal(EventLines.Bodies(95).Order(StringComparer.Ordinal), next.Stored);
        Assert.Equal(keys.Order(StringComparer.Ordinal), next.Keys);
        Assert.Equal(new Balance(0, 95, 95, 0, 0, 0, 0, 0), next.Balance);
        await AssertNothingIsLeftAsync(_folder, next);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_batch_that_was_not_compressed_is_read_again_from_the_spool_and_loses_nothing(bool linesAreGone)
    {
        FailingCompressor.Disposal disposal = linesAreGone ? FailingCompressor.Disposal.Fails : FailingCompressor.Disposal.Works;
        int opened = 0;
        await using TestNode node = new TestNode(
            _folder, Quick with { BatchSize = 500 },
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
            _folder, Quick with { BatchSize = 3 }, openCompressor: content => new FailingCompressor(content, linesAreGone ? 2 : 1, disposal)).Start();
        await node.SendAsync(EventLines.Bodies(3));
        await node.UntilAsync(() => node.Balance is { Spooled: 0, Accepted: 3 }, "the attempts to be over", 2 * TestNode.Limit);
        Assert.Equal(new Balance(3, 0, 0, 0, 0, 0, 3, 0), node.Balance);
        Assert.Equal(EventLines.Bodies(3), EventLines.Decode(node.Read(Assert.Single(node.Quarantine))));
        await node.UntilAsync(() => node.Engine is { SpoolWaiting: 0, SpoolBytes: 0 }, "the spool to be empty");
        node.AssertConserved();
    }

    private static void HoldUploads(TestNode node) => node.Store.Gate = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);

    // One record for each event.
    private static async Task<string> SendOneByOneAsync(TestNode node, int events)
    {
        string key = "";
        foreach (string body in EventLines.Bodies(events))
        {
            Ack ack = await node.AskAsync(body);
            Assert.Equal(Admission.Accepted, ack.Admission);
            key = ack.Key;
        }

        return key;
    }

    private static async Task UntilStoredAsync(TestNode node, long events)
    {
        await node.UntilAsync(() => node.Balance.Stored >= events, $"{events} events to be stored");
        node.AssertConserved();
        Assert.Equal(0, node.Balance.Dropped);
    }

    // Spares aside, which the next start removes.
    private static async Task AssertNothingIsLeftAsync(TempFolder folder, TestNode node)
    {
        Assert.Equal(0, await node.DrainAsync());
        node.AssertConserved();
        Assert.Equal((0, 0), (node.Balance.Spooled, node.Engine.SpoolWaiting));
        Assert.Empty(Snapshot.Segments(folder));
        Assert.Empty(node.DlqNames);
    }

    // Frame: magic, length, first sequence, events, checksum.
    private static int RecordStart(byte[] segment, int record)
    {
        int at = SegmentFormat.HeadBytes;
        for (; record > 0; record--)
        {
            at += SegmentFormat.FrameBytes + BitConverter.ToInt32(segment, at + 4);
        }

        return at;
    }

    private TempFolder Crash(TempFolder? of = null)
    {
        TempFolder left = Snapshot.Of(of ?? _folder);
        _crashed.Add(left);
        return left;
    }

    private void CopyData(TempFolder to, TempFolder? from = null)
    {
        foreach (string path in Directory.EnumerateFiles((from ?? _folder)["data"], "*", SearchOption.AllDirectories))
        {
            string target = Path.Combine(to["data"], Path.GetRelativePath((from ?? _folder)["data"], path));
            Directory.CreateDirectory(Path.GetDirectoryName(target)!);
            File.Copy(path, target, overwrite: true);
        }
    }

    // What a kill leaves: segments that are open, or sealed and not uploaded.
    private async Task<(TempFolder Left, string LastKey)> LeaveAsync(bool isSealed, int events, int? batchSize = null)
    {
        EstatOptions options = Quick with { BatchSize = batchSize ?? (isSealed ? events : 5000), UploadQueue = 1, UploadConcurrency = 1 };
        await using TestNode node = new TestNode(_folder, options).Start();
        HoldUploads(node);
        string key = await SendOneByOneAsync(node, events);
        if (isSealed)
        {
            int batches = (events + options.BatchSize - 1) / options.BatchSize;
            await node.UntilAsync(() => node.Store.Creates + node.Engine.UploadQueueDepth + node.Engine.SpoolWaiting >= batches, "all batches to be sealed");
        }

        return (Crash(), key);
    }
}
