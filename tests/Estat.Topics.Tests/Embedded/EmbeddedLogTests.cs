// The embedded log in use: messages at their positions, its feed, more partitions, and times.
using Estat.Topics.Log;

namespace Estat.Topics.Tests.Embedded;

public sealed class EmbeddedLogTests : EmbeddedLogRig
{
    [Fact]
    public async Task Messages_are_read_at_their_positions_with_all_they_were_sent_with()
    {
        Produced produced = await Log.ProduceAsync(
            new Production("notifications", [Message("a", "1") with { Headers = [new("x", "y"u8.ToArray()), new("x", null)] }, Message(null, "2")]),
            default);
        Assert.Equal(ProduceOutcome.Taken, produced.Outcome);
        MessagePosition first = produced.Positions[0]!.Value;
        Assert.Equal(KeyPartitioner.PartitionOf("a"u8, 3), first.Partition);
        LogMessage read = Assert.Single(await Log.ReadAsync(first.Of, first.Offset, 1, 1_000, default));
        Assert.Equal(("a", "1"), (Text(read.Key), Text(read.Value)));
        Assert.Equal([("x", "y"), ("x", null)], read.Headers.Select(header => (header.Name, header.Value is null ? null : Text(header.Value))));
        Assert.Equal(Time.UtcNow.ToUnixTimeMilliseconds(), read.Time);
        MessagePosition second = produced.Positions[1]!.Value;
        Assert.Null(Assert.Single(await Log.ReadAsync(second.Of, second.Offset, 1, 1_000, default)).Key);
    }

    [Fact]
    public async Task Before_a_cut_keys_lie_by_the_old_number_of_partitions_and_behind_it_by_the_new_one()
    {
        _ = Log;
        using var ending = new CancellationTokenSource();
        Task[] producers = [.. Enumerable.Range(0, 4).Select(producer => Task.Run(async () =>
        {
            for (int number = 0; !ending.IsCancellationRequested; number++)
            {
                await Log.ProduceAsync(
                    new Production("user-activities", [.. Enumerable.Range(0, 5).Select(each => Message($"{producer}-{number % 50}-{each}", "1"))]),
                    default);
            }
        }))];
        for (int partitions = 4; partitions < 12; partitions++)
        {
            await Wait.UntilAsync(
                () => Log.FindTopic("user-activities")!.Partitions[^1].End > 20, Patience, $"messages in partition {partitions - 1}");
            await Log.AddPartitionsAsync("user-activities", partitions, default);
        }

        await ending.CancelAsync();
        await Task.WhenAll(producers);
        await ReopenAsync();
        LogTopic topic = Log.FindTopic("user-activities")!;
        Assert.Equal(8, topic.Cuts.Count);
        for (int number = 0; number < topic.Partitions.Count; number++)
        {
            foreach (LogMessage message in await Log.ReadAsync(new TopicPartition(topic.Name, number), 0, int.MaxValue, int.MaxValue, default))
            {
                PartitionCut? cut = topic.Cuts.LastOrDefault(cut => number >= cut.Offsets.Count || message.At.Offset >= cut.Offsets[number]);
                Assert.Equal(number, KeyPartitioner.PartitionOf(message.Key!.Value.Span, cut?.Partitions ?? 3));
            }
        }
    }

    [Fact]
    public async Task A_feed_that_goes_back_gives_what_it_gave_again_and_others_go_on()
    {
        await ProduceAsync(900, "user-activities");
        await ProduceAsync(90, "system-metrics");
        await using ILogFeed feed = Log.OpenFeed();
        FeedReading assigned = await feed.ReadAsync(1, 1, default);
        foreach (TopicPartition partition in assigned.Assigned)
        {
            feed.Seek(partition, 0);
        }

        Dictionary<TopicPartition, List<long>> read = [];
        await TakeAsync(500);
        var back = new TopicPartition("user-activities", 1);
        int before = read[back].Count;
        feed.Seek(back, 10);
        await TakeAsync(490 + before - 10);
        Assert.Equal([.. Enumerable.Range(0, before), .. Enumerable.Range(10, read[back].Count - before)], read[back].Select(offset => (int)offset));
        Assert.All(read.Where(of => of.Key != back), of => Assert.Equal(Enumerable.Range(0, of.Value.Count), of.Value.Select(offset => (int)offset)));

        async Task TakeAsync(int count)
        {
            while (count > 0)
            {
                FeedReading reading = await feed.ReadAsync(Math.Min(count, 37), int.MaxValue, new CancellationTokenSource(Patience).Token);
                count -= reading.Messages.Count;
                foreach (LogMessage message in reading.Messages)
                {
                    (read.TryGetValue(message.At.Of, out List<long>? offsets) ? offsets : read[message.At.Of] = []).Add(message.At.Offset);
                }
            }
        }
    }

    [Fact]
    public async Task A_feed_hears_of_new_topics_and_of_messages_that_come()
    {
        await using ILogFeed feed = Log.OpenFeed();
        foreach (TopicPartition partition in (await feed.ReadAsync(1, 1, default)).Assigned)
        {
            feed.Seek(partition, 0);
        }

        Task<FeedReading> waiting = feed.ReadAsync(10, 1_000, default).AsTask();
        Assert.False(waiting.IsCompleted);
        await Log.CreateTopicAsync("orders", 2, default);
        FeedReading made = await waiting;
        Assert.Equal([new("orders", 0), new("orders", 1)], made.Assigned);
        feed.Seek(new TopicPartition("orders", 0), 0);
        feed.Seek(new TopicPartition("orders", 1), 0);
        waiting = feed.ReadAsync(10, 1_000, default).AsTask();
        await Log.ProduceAsync(new Production("orders", [Message("a", "1")]), default);
        Assert.Equal("orders", Assert.Single((await waiting).Messages).At.Topic);
    }

    [Fact]
    public async Task An_offset_is_found_by_time()
    {
        Options = Options with { Partitions = 1 };
        long[] times = new long[40];
        for (int number = 0; number < times.Length; number++)
        {
            Time.Advance(TimeSpan.FromSeconds(20));
            times[number] = Time.UtcNow.ToUnixTimeMilliseconds();
            await Log.ProduceAsync(new Production("user-activities", [Message("a", "1")]), default);
        }

        var partition = new TopicPartition("user-activities", 0);
        for (int number = 0; number < times.Length; number++)
        {
            Assert.Equal(number, await Log.FindOffsetAsync(partition, times[number], default));
            Assert.Equal(number + 1, await Log.FindOffsetAsync(partition, times[number] + 1, default));
        }

        Assert.Equal(0, await Log.FindOffsetAsync(partition, 0, default));
    }

    [Fact]
    public async Task Who_waits_for_an_offset_hears_of_it()
    {
        var partition = new TopicPartition("notifications", KeyPartitioner.PartitionOf("a"u8, 3));
        ValueTask waiting = Log.WaitForAsync(partition, 0, default);
        Assert.False(waiting.IsCompleted);
        await Log.ProduceAsync(new Production("notifications", [Message("a", "1")]), default);
        await waiting.AsTask().WaitAsync(Patience);
    }
}
