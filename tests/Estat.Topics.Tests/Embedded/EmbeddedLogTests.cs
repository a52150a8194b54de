using System.Text;
using Estat.Topics.Embedded;
using Estat.Topics.Log;
using Estat.Topics.Options;
using Microsoft.Extensions.Logging;

namespace Estat.Topics.Tests.Embedded;

public sealed class EmbeddedLogTests : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);
    private readonly TempFolder _folder = new();
    private readonly ManualTimeProvider _time = new();
    private readonly LogLines _lines = new();
    private EmbeddedLog? _log;

    private EmbeddedLog Log => _log ??= Open();

    private TopicsOptions Options { get; set; } = new() { MinFreeBytes = 0, SegmentBytes = 20_000, Sink = false };

    public async ValueTask DisposeAsync()
    {
        await (_log?.DisposeAsync() ?? ValueTask.CompletedTask);
        _folder.Dispose();
    }

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
        Assert.Equal(_time.UtcNow.ToUnixTimeMilliseconds(), read.Time);
        MessagePosition second = produced.Positions[1]!.Value;
        Assert.Null(Assert.Single(await Log.ReadAsync(second.Of, second.Offset, 1, 1_000, default)).Key);
    }

    [Fact]
    public async Task A_start_goes_on_where_the_last_one_ended_and_reads_only_what_its_index_does_not_know()
    {
        await ProduceAsync(2_000, "user-activities");
        (long[] ends, string id) = (Ends(), Log.Id);
        await ReopenAsync();
        Assert.Equal((id, string.Join(' ', ends)), (Log.Id, string.Join(' ', Ends())));
        File.Delete(_folder["index"]);
        await ReopenAsync();
        Assert.Equal((id, string.Join(' ', ends)), (Log.Id, string.Join(' ', Ends())));
    }

    [Fact]
    public async Task A_log_whose_messages_are_gone_gets_another_id_and_says_so()
    {
        await ProduceAsync(10, "user-activities");
        string id = Log.Id;
        await CloseAsync();
        foreach (string segment in Directory.GetFiles(_folder.Path, "*.journal"))
        {
            File.Delete(segment);
        }

        Assert.NotEqual(id, Log.Id);
        Assert.Contains(_lines.Of(LogLevel.Critical), line => line.Contains("are gone", StringComparison.Ordinal));
        Assert.Equal(0, Ends().Sum());
    }

    [Fact]
    public async Task Without_its_topics_file_messages_cannot_be_read_and_the_start_says_so()
    {
        await ProduceAsync(10, "user-activities");
        await CloseAsync();
        File.Delete(_folder["topics.json"]);
        Assert.Contains("topics.json", Assert.Throws<IOException>(Open).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_is_older_than_the_retention_goes_once_it_is_stored_and_offsets_go_on()
    {
        Options = Options with { Sink = true, Retention = TimeSpan.FromHours(1) };
        await ProduceAsync(3_000, "user-activities");
        _time.Advance(TimeSpan.FromHours(2));
        await ProduceAsync(3, "system-metrics");
        await Log.KeepOnceAsync();
        Assert.Equal(0, Log.Journal.Start);
        Assert.True(Log.Pin is { Topic: "user-activities", IsUnstored: true }, $"pinned by {Log.Pin}");

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
        File.Delete(_folder["index"]);
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
        _time.Advance(TimeSpan.FromHours(2));
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
    public async Task A_topics_file_that_is_older_than_the_messages_ends_the_start()
    {
        await ProduceAsync(1, "user-activities");
        File.Copy(_folder["topics.json"], _folder["older"]);
        await Log.CreateTopicAsync("orders", 3, default);
        await ProduceAsync(30, "orders");
        await CloseAsync();
        File.Delete(_folder["index"]);
        File.Move(_folder["older"], _folder["topics.json"], overwrite: true);
        Assert.Contains("topics.json is older", Assert.ThrowsAny<IOException>(Open).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_journal_that_is_shorter_than_it_was_ends_the_start(bool byIndex)
    {
        Options = Options with { Retention = TimeSpan.FromHours(1) };
        await ProduceAsync(500, "user-activities");
        _time.Advance(TimeSpan.FromMinutes(2));
        await ProduceAsync(500, "user-activities");
        if (!byIndex)
        {
            _time.Advance(TimeSpan.FromHours(2));
            await ProduceAsync(1, "system-metrics");
            await Log.KeepOnceAsync();
            Assert.True(Log.Journal.Start > 0);
        }

        await CloseAsync();
        string[] segments = [.. Directory.GetFiles(_folder.Path, "*.journal").Order(StringComparer.Ordinal)];
        foreach (string segment in byIndex ? segments[1..] : segments)
        {
            File.Delete(segment);
        }

        if (!byIndex)
        {
            File.Delete(_folder["index"]);
            // What an older copy of the folder has.
            await using var older = new Base.Journal.SegmentedJournal(new Base.Journal.DiskFiles(_folder.Path), 20_000, 1 << 20);
            Assert.True(older.TryAppend(new byte[100], out ValueTask<Base.Journal.JournalPosition> appended));
            await appended;
        }

        Assert.ThrowsAny<IOException>(Open);
    }

    [Fact]
    public async Task A_segment_that_is_removed_is_missed()
    {
        await ProduceAsync(10, "user-activities");
        await Log.KeepOnceAsync();
        Assert.Null(Log.Fault);
        File.Delete(Directory.GetFiles(_folder.Path, "*.journal")[0]);
        await Log.KeepOnceAsync();
        Assert.Contains("was removed", Log.Fault, StringComparison.Ordinal);
        Assert.Equal(ProduceOutcome.Failed, (await Log.ProduceAsync(new Production("notifications", [Message("a", "1")]), default)).Outcome);
    }

    [Fact]
    public async Task A_small_log_deletes_too()
    {
        Options = Options with { Retention = TimeSpan.FromHours(1), SegmentBytes = 64 << 20, MaxSizeBytes = 200_000 };
        for (int hour = 0; hour < 10; hour++)
        {
            await ProduceAsync(800, "user-activities");
            _time.Advance(TimeSpan.FromHours(2));
            await Log.KeepOnceAsync();
            await Log.KeepOnceAsync();
        }
    }

    [Fact]
    public async Task Keys_outlive_a_retention_that_is_shorter()
    {
        Options = Options with { Retention = TimeSpan.FromMinutes(2), Dedup = TimeSpan.FromHours(1) };
        Produced first = await Log.ProduceAsync(Keyed("once", 1, "a"), default);
        await ProduceAsync(1_000, "user-activities");
        _time.Advance(TimeSpan.FromMinutes(10));
        await ProduceAsync(1, "user-activities");
        await Log.KeepOnceAsync();
        await ReopenAsync();
        Produced again = await Log.ProduceAsync(Keyed("once", 1, "a"), default);
        Assert.Equal(ProduceOutcome.Repeated, again.Outcome);
        Assert.Equal(first.Positions, again.Positions);
    }

    [Fact]
    public async Task What_was_taken_is_answered_again_by_a_full_log_and_by_a_node_that_drains()
    {
        Options = Options with { MaxSizeBytes = 50_000, Sink = true };
        Produced first = await Log.ProduceAsync(Keyed("once", 1, "a"), default);
        var large = new Production("user-activities", [Message("k", new string('1', 900))]);
        while ((await Log.ProduceAsync(large, default)).Outcome == ProduceOutcome.Taken)
        {
        }

        Assert.Equal(first.Positions, (await Log.ProduceAsync(Keyed("once", 1, "a"), default)).Positions);
        Assert.Equal(first.Positions, (await Log.ProduceAsync(Keyed("once", 1, "a") with { OnlyRepeats = true }, default)).Positions);
        Assert.Equal(ProduceOutcome.Draining, (await Log.ProduceAsync(Keyed("new", 1, "a") with { OnlyRepeats = true }, default)).Outcome);
    }

    [Fact]
    public async Task A_clock_that_jumps_ahead_for_a_moment_changes_nothing()
    {
        await ProduceAsync(10, "user-activities");
        DateTimeOffset right = _time.UtcNow;
        _time.UtcNow += TimeSpan.FromDays(365);
        await ProduceAsync(10, "user-activities");
        await Log.KeepOnceAsync();
        Assert.Contains(_lines.Of(LogLevel.Warning), line => line.Contains("set the clock right", StringComparison.Ordinal));
        _time.UtcNow = right + TimeSpan.FromSeconds(1);
        Produced produced = await Log.ProduceAsync(new Production("notifications", [Message("a", "1")]), default);
        MessagePosition at = produced.Positions[0]!.Value;
        Assert.Equal(right.ToUnixTimeMilliseconds() + 1_000, (await Log.ReadAsync(at.Of, at.Offset, 1, 1, default))[0].Time);
    }

    [Fact]
    public void A_clock_that_stands_by_its_jump_is_believed()
    {
        var clock = new LogClock(_time);
        long before = clock.Now();
        _time.UtcNow += TimeSpan.FromDays(1);
        Assert.Equal(before, clock.Now());
        _time.Advance(TimeSpan.FromMinutes(9));
        Assert.Equal(before + 540_000, clock.Now());
        _time.Advance(TimeSpan.FromMinutes(2));
        Assert.Equal(_time.UtcNow.ToUnixTimeMilliseconds(), clock.Now());
    }

    [Fact]
    public async Task A_quiet_topic_expires_too()
    {
        Options = Options with { Retention = TimeSpan.FromHours(1) };
        await ProduceAsync(10, "user-activities");
        _time.Advance(TimeSpan.FromHours(2));
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
        _time.Advance(TimeSpan.FromHours(2));
        await ProduceAsync(1, "system-metrics");
        await Log.KeepOnceAsync();
        Assert.All(Log.FindTopic("user-activities")!.Partitions, partition => Assert.Equal(partition.End, partition.Start));
        Assert.Equal(5, Log.FindTopic("error-logs")!.Partitions.Sum(partition => partition.End - partition.Start));
        Assert.True(Log.Pin is { Topic: "error-logs", IsUnstored: false }, $"pinned by {Log.Pin}");
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

    [Fact]
    public async Task A_repeated_key_gets_the_same_positions_over_a_restart_and_another_body_is_refused()
    {
        Production production = Keyed("once", 1, "a", "b");
        Produced first = await Log.ProduceAsync(production, default);
        await ReopenAsync();
        Produced again = await Log.ProduceAsync(production, default);
        Assert.Equal((ProduceOutcome.Repeated, 2), (again.Outcome, again.Positions.Count));
        Assert.Equal(first.Positions, again.Positions);
        Assert.Equal(ProduceOutcome.OtherBody, (await Log.ProduceAsync(Keyed("once", 2, "a"), default)).Outcome);
        _time.Advance(Options.Dedup + TimeSpan.FromSeconds(1));
        Assert.Equal(ProduceOutcome.Taken, (await Log.ProduceAsync(production, default)).Outcome);
    }

    [Fact]
    public async Task Two_at_once_with_one_key_are_one()
    {
        Produced[] produced = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => Log.ProduceAsync(Keyed("k", 1, "a"), default).AsTask()));
        Assert.Equal(1, produced.Count(one => one.Outcome == ProduceOutcome.Taken));
        Assert.Equal(7, produced.Count(one => one.Outcome == ProduceOutcome.Repeated));
        Assert.Equal(1, Log.FindTopic("notifications")!.Partitions.Sum(partition => partition.End));
    }

    [Fact]
    public async Task Keys_are_bounded()
    {
        Options = Options with { DedupMax = 2 };
        Assert.Equal(ProduceOutcome.Taken, (await Log.ProduceAsync(Keyed("1", 1, "a"), default)).Outcome);
        Assert.Equal(ProduceOutcome.Taken, (await Log.ProduceAsync(Keyed("2", 1, "a"), default)).Outcome);
        Assert.Equal(ProduceOutcome.TooManyKeys, (await Log.ProduceAsync(Keyed("3", 1, "a"), default)).Outcome);
        Assert.Equal(ProduceOutcome.Taken, (await Log.ProduceAsync(new Production("notifications", [Message("a", "1")]), default)).Outcome);
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
            _time.Advance(TimeSpan.FromSeconds(20));
            times[number] = _time.UtcNow.ToUnixTimeMilliseconds();
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

    [Fact]
    public async Task The_clock_may_go_back_and_times_do_not()
    {
        await Log.ProduceAsync(new Production("notifications", [Message("a", "1")]), default);
        long time = _time.UtcNow.ToUnixTimeMilliseconds();
        _time.UtcNow -= TimeSpan.FromHours(3);
        await ReopenAsync();
        Produced produced = await Log.ProduceAsync(new Production("notifications", [Message("a", "2")]), default);
        MessagePosition at = produced.Positions[0]!.Value;
        Assert.Equal(time, (await Log.ReadAsync(at.Of, at.Offset, 1, 1, default))[0].Time);
    }

    [Fact]
    public async Task A_second_process_cannot_open_the_folder()
    {
        await ProduceAsync(1, "notifications");
        Assert.Contains("TOPICS_DIR", Assert.ThrowsAny<IOException>(Open).Message, StringComparison.Ordinal);
    }

    private static NewMessage Message(string? key, string value) =>
        new(key is null ? (ReadOnlyMemory<byte>?)null : Encoding.UTF8.GetBytes(key), [], Encoding.UTF8.GetBytes(value));

    private static Production Keyed(string key, byte body, params string[] keys) =>
        new("notifications", [.. keys.Select(each => Message(each, "1"))], new Idempotency("", key, new[] { body }));

    private static string Text(ReadOnlyMemory<byte>? bytes) => Encoding.UTF8.GetString(bytes!.Value.Span);

    private EmbeddedLog Open() => new(Options, LogFolder.Take(_folder.Path, Options.MinFreeBytes), _time, _lines, keeps: false);

    private async Task ReopenAsync()
    {
        _ = Log;
        await CloseAsync();
        _ = Log;
    }

    private async Task CloseAsync()
    {
        await _log!.DisposeAsync();
        _log = null;
    }

    private long[] Ends() => [.. Log.Topics.SelectMany(topic => topic.Partitions).Select(partition => partition.End)];

    private async Task ProduceAsync(int count, string topic)
    {
        foreach (int[] numbers in Enumerable.Range(0, count).Chunk(10))
        {
            Produced produced = await Log.ProduceAsync(
                new Production(topic, [.. numbers.Select(number => Message($"user-{number % 17}", $"{{\"number\":{number}}}"))]), default);
            Assert.Equal(ProduceOutcome.Taken, produced.Outcome);
        }
    }
}
