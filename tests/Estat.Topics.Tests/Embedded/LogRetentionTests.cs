// What goes from the embedded log, when, and what keeps it.
using Estat.Topics.Embedded;
using Estat.Topics.Log;

namespace Estat.Topics.Tests.Embedded;

public sealed class LogRetentionTests : EmbeddedLogRig
{
    [Fact]
    public async Task What_is_older_than_the_retention_goes_once_it_is_stored_and_offsets_go_on()
    {
        Options = Options with { Sink = true, Retention = TimeSpan.FromHours(1) };
        await ProduceAsync(3_000, "user-activities");
        Time.Advance(TimeSpan.FromHours(2));
        await ProduceAsync(3, "system-metrics");
        await Log.KeepOnceAsync();
        Assert.Equal(0, Log.Journal.Start);
        Assert.True(Log.Pin is { Topic: "user-activities", Why: LogPinReason.NotStored }, $"pinned by {Log.Pin}");

        foreach (LogTopic topic in Log.Topics)
        {
            for (int partition = 0; partition < topic.Partitions.Count; partition++)
            {
                Log.OnStored(new TopicPartition(topic.Name, partition), topic.Partitions[partition].End);
            }
        }

        await Log.KeepOnceAsync();
        Assert.True(Log.Journal.Start > 0, "no segment was deleted");
        LogTopic activities = Log.FindTopic("user-activities")!;
        Assert.All(activities.Partitions, partition => Assert.Equal(partition.End, partition.Start));
        long[] ends = Ends();
        await ReopenAsync();
        File.Delete(Folder["index"]);
        await ReopenAsync();
        Assert.Equal(string.Join(' ', ends), string.Join(' ', Ends()));
        Produced next = await Log.ProduceAsync(new Production("user-activities", [Message("user-1", "x")]), default);
        MessagePosition at = next.Positions[0]!.Value;
        Assert.Equal(activities.Partitions[at.Partition].End, at.Offset);
    }

    [Fact]
    public async Task What_was_stored_before_a_restart_may_go_although_nothing_more_comes()
    {
        Options = Options with { Sink = true, Retention = TimeSpan.FromHours(1) };
        await ProduceAsync(3_000, "user-activities");
        await StoreAllAsync();
        await ReopenAsync();
        Time.Advance(TimeSpan.FromHours(2));
        await StoreAllAsync(); // finds that everything is stored
        await Log.KeepOnceAsync();
        await Log.KeepOnceAsync();
        Assert.All(Log.FindTopic("user-activities")!.Partitions, partition => Assert.Equal(partition.End, partition.Start));
        Assert.True(Log.Journal.Start > 0, "no segment was deleted");

        async Task StoreAllAsync()
        {
            await using ILogFeed feed = Log.OpenFeed();
            foreach (TopicPartition partition in (await feed.ReadAsync(1, 1, default)).Assigned)
            {
                feed.Seek(partition, Log.BoundsOf(partition)!.Value.End);
            }
        }
    }

    [Fact]
    public async Task A_small_log_deletes_too()
    {
        Options = Options with { Retention = TimeSpan.FromHours(1), SegmentBytes = 64 << 20, MaxSizeBytes = 200_000 };
        for (int hour = 0; hour < 10; hour++)
        {
            await ProduceAsync(800, "user-activities");
            Time.Advance(TimeSpan.FromHours(2));
            await Log.KeepOnceAsync();
            await Log.KeepOnceAsync();
        }
    }

    [Fact]
    public async Task A_quiet_topic_expires_too()
    {
        Options = Options with { Retention = TimeSpan.FromHours(1) };
        await ProduceAsync(10, "user-activities");
        Time.Advance(TimeSpan.FromHours(2));
        await Log.KeepOnceAsync();
        await Log.KeepOnceAsync();
        Assert.All(Log.FindTopic("user-activities")!.Partitions, partition => Assert.Equal(partition.End, partition.Start));
        long end = Log.Journal.End;
        await Log.KeepOnceAsync();
        Assert.Equal(end, Log.Journal.End); // it makes no point a second time
    }

    [Fact]
    public async Task A_topic_with_a_longer_retention_keeps_its_messages_while_the_others_expire()
    {
        Options = Options with { Retention = TimeSpan.FromHours(1) };
        await Log.SetRetentionAsync("error-logs", TimeSpan.FromHours(10), default);
        await ProduceAsync(5, "error-logs");
        await ProduceAsync(500, "user-activities");
        Time.Advance(TimeSpan.FromHours(2));
        await ProduceAsync(1, "system-metrics");
        await Log.KeepOnceAsync();
        Assert.All(Log.FindTopic("user-activities")!.Partitions, partition => Assert.Equal(partition.End, partition.Start));
        Assert.Equal(5, Log.FindTopic("error-logs")!.Partitions.Sum(partition => partition.End - partition.Start));
        Assert.True(Log.Pin is { Topic: "error-logs", Why: LogPinReason.Retention }, $"pinned by {Log.Pin}");
    }

    [Fact]
    public async Task A_log_that_idempotency_keys_keep_full_says_so_until_they_are_forgotten()
    {
        Options = Options with { Retention = TimeSpan.FromMinutes(1), Dedup = TimeSpan.FromMinutes(10), MaxSizeBytes = 100_000 };
        Produced produced = new(ProduceOutcome.Taken, []);
        for (int number = 0; produced.Outcome == ProduceOutcome.Taken && number < 10_000; number++)
        {
            Time.Advance(TimeSpan.FromMilliseconds(100));
            produced = await Log.ProduceAsync(Keyed($"{number}", 1, "a"), default);
        }

        Time.Advance(TimeSpan.FromMinutes(5));
        await Log.KeepOnceAsync();
        await Log.KeepOnceAsync();
        produced = await Log.ProduceAsync(new Production("system-metrics", [Message("k", "1")]), default);
        Assert.Equal(ProduceOutcome.Full, produced.Outcome);
        Assert.Contains("TOPICS_DEDUP", produced.Detail, StringComparison.Ordinal);

        Time.Advance(TimeSpan.FromMinutes(6));
        await Log.KeepOnceAsync();
        await Log.KeepOnceAsync();
        produced = await Log.ProduceAsync(new Production("system-metrics", [Message("k", "1")]), default);
        Assert.Equal(ProduceOutcome.Taken, produced.Outcome);
    }

    [Fact]
    public async Task A_full_log_takes_nothing_and_names_the_topic_that_keeps_it_full()
    {
        Options = Options with { Sink = true, MaxSizeBytes = 200_000 };
        Produced produced = new(ProduceOutcome.Taken, []);
        for (int number = 0; produced.Outcome == ProduceOutcome.Taken && number < 10_000; number++)
        {
            produced = await Log.ProduceAsync(new Production("user-activities", [Message("k", new string('1', 200))]), default);
        }

        await Log.KeepOnceAsync();
        produced = await Log.ProduceAsync(new Production("system-metrics", [Message("k", "1")]), default);
        Assert.Equal(ProduceOutcome.Full, produced.Outcome);
        Assert.Contains("topic user-activities", produced.Detail, StringComparison.Ordinal);
    }
}
