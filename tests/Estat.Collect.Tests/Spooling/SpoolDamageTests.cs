// What a disk did to segments: told, kept byte for byte, and in nobody else's way.
using Estat.Collect.Conservation;
using Estat.Collect.Spooling;
using Estat.Lake.Names;
using Microsoft.Extensions.Logging;

namespace Estat.Collect.Tests.Spooling;

public sealed class SpoolDamageTests : SpoolTests
{
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
        await using (TestNode node = new TestNode(Folder, Quick with { BatchSize = 5 }).Start())
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
        Assert.Contains(next.Log.Of(LogLevel.Warning), line => line.Contains("not a whole record", StringComparison.Ordinal));
        await AssertNothingIsLeftAsync(left, next);
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
        await next.UntilAsync(() => next.Log.Of(LogLevel.Critical).Length == 2, "both to be told"); // after they are there
        Assert.Equal([key], next.Keys);
        Assert.Contains(next.Quarantine, name => next.Read(name).AsSpan().SequenceEqual(spoilt));
        Assert.Contains(next.Quarantine, name => next.Read(name).AsSpan().SequenceEqual(garbage));
        await AssertNothingIsLeftAsync(left, next);
        Assert.Equal(2, next.Log.Of(LogLevel.Critical).Length);
    }

    [Theory]
    [InlineData(0, false)]
    [InlineData(0, true)]
    [InlineData(1, false)]
    [InlineData(700, false)]
    [InlineData(-1, true)] // as long as it was, and all zeros
    public async Task A_segment_that_was_emptied_is_told_and_counted_and_what_is_left_of_it_is_kept(int length, bool isSealed)
    {
        (TempFolder left, _) = await LeaveAsync(isSealed, 3);
        string segment = Assert.Single(Snapshot.Segments(left));
        byte[] content = File.ReadAllBytes(segment);
        File.WriteAllBytes(segment, length < 0 ? new byte[content.Length] : content[..length]);

        await using TestNode next = new TestNode(left, Quick).Start();
        await next.UntilAsync(() => !File.Exists(segment), "the segment to leave");
        string critical = Assert.Single(next.Log.Of(LogLevel.Critical));
        Assert.Contains(Path.GetFileName(segment), critical, StringComparison.Ordinal);
        Assert.Equal(1, next.Metrics.Value("estat_spool_segments_damaged_total"));
        Assert.Equal(length > 0 ? [content[..length]] : [], next.Quarantine.Select(next.Read));
        await AssertNothingIsLeftAsync(left, next);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_version_that_was_damaged_is_mended_by_the_checksum_and_the_events_are_stored_with_a_critical_line(bool isSealed)
    {
        (TempFolder left, string key) = await LeaveAsync(isSealed, 3);
        string segment = Assert.Single(Snapshot.Segments(left));
        byte[] content = File.ReadAllBytes(segment);
        content[4] ^= 0x40;
        File.WriteAllBytes(segment, content);

        await using TestNode next = new TestNode(left, Quick).Start();
        await UntilStoredAsync(next, 3);
        Assert.Equal([key], next.Keys);
        Assert.Equal(EventLines.Bodies(3), next.Stored);
        await next.UntilAsync(() => next.Log.Of(LogLevel.Critical).Length == 1, "the damage to be told");
        Assert.Contains(Path.GetFileName(segment), next.Log.Of(LogLevel.Critical)[0], StringComparison.Ordinal);
        Assert.Equal(1, next.Metrics.Value("estat_spool_segments_damaged_total"));
        await AssertNothingIsLeftAsync(left, next);
    }

    [Fact]
    public async Task A_segment_of_another_version_stays_for_that_version_and_its_bytes_lie_in_the_quarantine_once()
    {
        (TempFolder left, _) = await LeaveAsync(isSealed: true, 3);
        string segment = Assert.Single(Snapshot.Segments(left));
        byte[] content = File.ReadAllBytes(segment);
        content[4] = 2;
        content[9] ^= 1; // its checksum is made in another way, for all that this version knows
        File.WriteAllBytes(segment, content);

        for (int start = 1; start <= 2; start++)
        {
            await using TestNode next = new TestNode(left, Quick).Start();
            await next.UntilAsync(() => next.Log.Of(LogLevel.Critical).Length == 1, "it to be told");
            Assert.Contains(Path.GetFileName(segment), next.Log.Of(LogLevel.Critical)[0], StringComparison.Ordinal);
            Assert.Equal(content, next.Read(Assert.Single(next.Quarantine)));
            Assert.Equal(1, next.Metrics.Value("estat_spool_segments_damaged_total"));
            Assert.Equal(0, await next.DrainAsync());
            Assert.Equal(content, File.ReadAllBytes(segment));
        }
    }

    [Fact]
    public async Task What_is_no_file_under_a_segments_name_is_told_once_and_keeps_nobody_from_recovery_nor_the_node_from_ending()
    {
        Assert.SkipUnless(Command.Exists("mkfifo"), "no mkfifo on PATH");
        (TempFolder left, string key) = await LeaveAsync(isSealed: false, 3);
        string pipe = left["spool/0a-000001-a000000001.seg"];
        await Command.SucceedAsync(TestNode.Limit, "mkfifo", pipe);
        await using TestNode next = new TestNode(left, Quick).Start();
        await UntilStoredAsync(next, 3);
        Assert.Equal([key], next.Keys);
        await next.UntilAsync(() => next.Log.Of(LogLevel.Error).Length == 1, "the pipe to be told");
        Assert.Contains("is a named pipe", next.Log.Of(LogLevel.Error)[0], StringComparison.Ordinal);
        Assert.Equal(0, await next.DrainAsync().WaitAsync(TestNode.Limit, TestContext.Current.CancellationToken));
        Assert.Empty(next.Log.Of(LogLevel.Critical));
    }
}
