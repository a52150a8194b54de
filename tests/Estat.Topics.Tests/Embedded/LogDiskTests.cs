// The embedded log on a disk that fails, hangs, loses files or changes them.
using Estat.Base.Journal;
using Estat.Topics.Log;

namespace Estat.Topics.Tests.Embedded;

public sealed class LogDiskTests : EmbeddedLogRig
{
    [Fact]
    public async Task A_segment_that_is_removed_is_missed()
    {
        await ProduceAsync(10, "user-activities");
        await Log.KeepOnceAsync();
        Assert.Null(Log.Fault);
        File.Delete(Directory.GetFiles(Folder.Path, "*.journal")[0]);
        await Log.KeepOnceAsync();
        Assert.Contains("was removed", Log.Fault, StringComparison.Ordinal);
        Assert.Equal(ProduceOutcome.Failed, (await Log.ProduceAsync(new Production("notifications", [Message("a", "1")]), default)).Outcome);
    }

    [Fact]
    public async Task A_disk_that_failed_and_works_again_takes_messages_again()
    {
        HeldFiles disk = Disk = new HeldFiles(new DiskFiles(Folder.Path));
        await ProduceAsync(10, "user-activities");
        disk.SyncFails = true;
        Produced failed = await Log.ProduceAsync(new Production("notifications", [Message("a", "1")]), default);
        Assert.Equal(ProduceOutcome.Perhaps, failed.Outcome);
        await Assert.ThrowsAsync<TopicLogException>(Log.KeepOnceAsync);
        Assert.Contains("refuses messages", Log.Fault, StringComparison.Ordinal);
        disk.SyncFails = false;
        await Log.KeepOnceAsync();
        Assert.Null(Log.Fault);
        await ProduceAsync(10, "user-activities");
        await ReopenAsync();
        Assert.Equal(20, Log.FindTopic("user-activities")!.Partitions.Sum(partition => partition.End));
    }

    [Fact]
    public async Task What_waits_for_a_disk_that_hangs_is_perhaps_there_until_the_disk_goes_on()
    {
        HeldFiles disk = Disk = new HeldFiles(new DiskFiles(Folder.Path));
        Open(keeps: true);
        await ProduceAsync(10, "user-activities");
        disk.Hang();
        Production keyed = Keyed("once", 1, "a");
        Task<Produced> waiting = Log.ProduceAsync(keyed, default).AsTask();
        Produced perhaps = await waiting.WaitAsync(Patience);
        Assert.Equal((ProduceOutcome.Perhaps, 1), (perhaps.Outcome, perhaps.Positions.Count));
        Assert.Contains("has not answered", Log.Fault, StringComparison.Ordinal);
        Assert.Equal(ProduceOutcome.Failed, (await Log.ProduceAsync(new Production("notifications", [Message("b", "1")]), default)).Outcome);
        Assert.Equal(ProduceOutcome.Perhaps, (await Log.ProduceAsync(keyed, default)).Outcome);

        disk.GoOn();
        await Wait.UntilAsync(() => Log.Fault is null, Patience, "the log to find that its disk goes on");
        Produced again = await Log.ProduceAsync(keyed, default);
        Assert.Equal(ProduceOutcome.Repeated, again.Outcome);
        MessagePosition at = Assert.Single(again.Positions)!.Value;
        Assert.Equal("a", Text(Assert.Single(await Log.ReadAsync(at.Of, at.Offset, 10, 1_000, default)).Key));
        Assert.Equal(1, Log.FindTopic("notifications")!.Partitions.Sum(partition => partition.End));
    }

    [Fact]
    public async Task Nothing_behind_a_byte_that_changed_is_read()
    {
        Options = Options with { Partitions = 1 };
        await ProduceAsync(3_000, "user-activities");
        string[] segments = [.. Directory.GetFiles(Folder.Path, "*.journal").Order(StringComparer.Ordinal)];
        Assert.True(segments.Length > 4, $"{segments.Length} segments");
        using (FileStream segment = File.Open(segments[2], FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite))
        {
            segment.Position = segment.Length / 2;
            int value = segment.ReadByte();
            segment.Position--;
            segment.WriteByte((byte)(value ^ 1));
        }

        var partition = new TopicPartition("user-activities", 0);
        long end = Log.BoundsOf(partition)!.Value.End;
        long next = 0;
        await Assert.ThrowsAsync<TopicLogException>(ReadOnAsync);
        Assert.InRange(next, 1, end - 1);
        long reached = next;
        await Assert.ThrowsAsync<TopicLogException>(ReadOnAsync);
        Assert.Equal(reached, next);

        await using ILogFeed feed = Log.OpenFeed();
        await feed.ReadAsync(1, 1, default);
        feed.Seek(partition, next = 0);
        await Assert.ThrowsAsync<TopicLogException>(FeedOnAsync);
        Assert.InRange(next, 1, reached);
        await Assert.ThrowsAsync<TopicLogException>(() => feed.ReadAsync(7, int.MaxValue, default).AsTask());

        async Task ReadOnAsync()
        {
            while (next < end)
            {
                Take(await Log.ReadAsync(partition, next, 7, int.MaxValue, default));
            }
        }

        async Task FeedOnAsync()
        {
            while (next < end)
            {
                Take((await feed.ReadAsync(7, int.MaxValue, default)).Messages);
            }
        }

        void Take(IEnumerable<LogMessage> messages)
        {
            Assert.NotEmpty(messages);
            foreach (LogMessage message in messages)
            {
                Assert.Equal(next++, message.At.Offset);
            }
        }
    }
}
