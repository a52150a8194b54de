// What every log promises, whichever keeps it.
using System.Globalization;
using System.Text;
using Estat.Topics.Log;

namespace Estat.Topics.Tests.Log;

/// <summary>Each adapter's tests are these; a row that its broker cannot show skips by name.</summary>
public abstract class TopicLogCompliance : IAsyncLifetime
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);
    private ITopicLog? _log;

    private protected ITopicLog Log => _log!;

    private protected string Topic { get; } = "t-" + Guid.NewGuid().ToString("N")[..10];

    private int Partitions => Log.FindTopic(Topic)!.Partitions.Count;

    private protected virtual string? WhyNoAdministration => null;

    private protected virtual string? WhyNoTimes => null;

    public async ValueTask InitializeAsync()
    {
        _log = await OpenAsync();
        await MakeTopicAsync(Topic);
    }

    public async ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        if (_log is not null)
        {
            await _log.DisposeAsync();
        }

        await CloseAsync();
    }

    [Fact]
    public async Task Messages_are_read_with_all_they_were_sent_with()
    {
        NewMessage[] sent =
        [
            new(Bytes("a"), [new("x", Bytes("y")), new("x", null), new("é", new byte[] { 0xff, 0 })], Bytes("1")), new(null, [], Bytes("2")),
            new(Bytes(""), [], Bytes("3")), new(Bytes("k"), [], Bytes("")),
        ];
        Produced produced = await Log.ProduceAsync(new Production(Topic, sent), default);
        Assert.Equal((ProduceOutcome.Taken, 4), (produced.Outcome, produced.Positions.Count));
        for (int index = 0; index < sent.Length; index++)
        {
            MessagePosition at = produced.Positions[index]!.Value;
            Assert.Equal(Topic, at.Topic);
            LogMessage read = Assert.Single(await Log.ReadAsync(at.Of, at.Offset, 1, 1_000, default));
            Assert.Equal(at, read.At);
            Assert.Equal(Hex(sent[index].Key), Hex(read.Key));
            Assert.Equal(Hex(sent[index].Value), Hex(read.Value));
            Assert.Equal(
                sent[index].Headers.Select(header => (header.Name, Hex(header.Value))),
                read.Headers.Select(header => (header.Name, Hex(header.Value))));
        }
    }

    [Fact]
    public async Task A_key_is_in_the_partition_that_the_partitioner_says()
    {
        string[] keys = [.. Enumerable.Range(0, 300).Select(number => $"user-{number}"), "", "é", "한국어", new string('x', 1_000)];
        Produced produced = await ProduceAsync(keys.Select(key => ((string?)key, "v")));
        Assert.Equal(
            keys.Select(key => KeyPartitioner.PartitionOf(Encoding.UTF8.GetBytes(key), Partitions)),
            produced.Positions.Select(at => at!.Value.Partition));
    }

    [Fact]
    public async Task Messages_of_a_key_keep_their_order()
    {
        var sent = Enumerable.Range(0, 300).Select(number => (Key: (string?)$"k{number % 7}", Value: $"{number}")).ToArray();
        foreach (var part in sent.Chunk(70))
        {
            await ProduceAsync(part);
        }

        var read = await ReadAllAsync();
        foreach (var key in sent.GroupBy(message => message.Key))
        {
            Assert.Equal(
                key.Select(message => message.Value), read.Where(message => Text(message.Key) == key.Key).Select(message => Text(message.Value)));
        }
    }

    [Fact]
    public async Task What_was_taken_is_within_the_bounds_at_once()
    {
        Assert.All(Log.FindTopic(Topic)!.Partitions, bounds => Assert.Equal(new LogPartition(0, 0), bounds));
        for (int round = 0; round < 20; round++)
        {
            MessagePosition at = (await ProduceAsync([("k", "v")])).Positions[0]!.Value;
            Assert.Equal(at.Offset + 1, Log.FindTopic(Topic)!.Partitions[at.Partition].End);
        }

        Assert.Contains(Log.Topics, topic => topic.Name == Topic);
    }

    [Fact]
    public async Task Reading_keeps_its_bounds()
    {
        TopicPartition partition = (await ProduceAsync(
            Enumerable.Range(0, 10).Select(number => ((string?)"k", $"{number:0000000000}")))).Positions[0]!.Value.Of;
        Assert.Equal((long[])[3, 4], await OffsetsAsync(3, 2, 1_000));
        Assert.Equal((long[])[3, 4], await OffsetsAsync(3, 9, 22)); // each has 11 bytes
        Assert.Equal((long[])[3], await OffsetsAsync(3, 9, 1));
        Assert.Equal((long[])[0], await OffsetsAsync(-5, 1, 1_000));
        Assert.Equal((long[])[9], await OffsetsAsync(9, 5, 1_000));
        Assert.Empty(await OffsetsAsync(10, 5, 1_000));
        Assert.Empty(await OffsetsAsync(1_000, 5, 1_000));

        async Task<long[]> OffsetsAsync(long offset, int messages, int bytes) =>
            [.. (await Log.ReadAsync(partition, offset, messages, bytes, default)).Select(message => message.At.Offset)];
    }

    [Fact]
    public async Task A_topic_or_partition_that_is_not_there_is_told()
    {
        Assert.Equal(ProduceOutcome.NoTopic, (await Log.ProduceAsync(new Production("no-such-topic", [new(null, [], Bytes("1"))]), default)).Outcome);
        Assert.Null(Log.FindTopic("no-such-topic"));
        await Assert.ThrowsAsync<TopicLogException>(async () => await Log.ReadAsync(new(Topic, Partitions), 0, 1, 1, default));
        await Assert.ThrowsAsync<TopicLogException>(async () => await Log.WaitForAsync(new("no-such-topic", 0), 0, default));
        await Assert.ThrowsAsync<TopicLogException>(async () => await Log.FindOffsetAsync(new("no-such-topic", 0), 0, default));
    }

    [Fact]
    public async Task Waiting_ends_when_there_is_something()
    {
        var partition = new TopicPartition(Topic, KeyPartitioner.PartitionOf("k"u8, Partitions));
        Task waiting = Log.WaitForAsync(partition, 1, default).AsTask();
        await ProduceAsync([("k", "0")]);
        await Log.WaitForAsync(partition, 0, default).AsTask().WaitAsync(Patience);
        Assert.False(waiting.IsCompleted);
        await ProduceAsync([("k", "1")]);
        await waiting.WaitAsync(Patience);
        using var cancelled = new CancellationTokenSource();
        Task more = Log.WaitForAsync(partition, 2, cancelled.Token).AsTask();
        await cancelled.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => more);
    }

    [Fact]
    public async Task The_end_is_found_for_a_time_that_has_not_come()
    {
        TopicPartition partition = (await ProduceAsync([("k", "0"), ("k", "1")])).Positions[0]!.Value.Of;
        Assert.Equal(2, await Log.FindOffsetAsync(partition, long.MaxValue, default));
    }

    [Fact]
    public async Task An_offset_is_found_by_time()
    {
        Assert.SkipWhen(WhyNoTimes is not null, WhyNoTimes ?? "");
        TopicPartition partition = (await ProduceAsync([("k", "0")])).Positions[0]!.Value.Of;
        await Task.Delay(20);
        await ProduceAsync([("k", "1")]);
        LogMessage second = Assert.Single(await Log.ReadAsync(partition, 1, 1, 1_000, default));
        Assert.Equal(0, await Log.FindOffsetAsync(partition, 0, default));
        Assert.Equal(1, await Log.FindOffsetAsync(partition, second.Time, default));
        Assert.Equal(2, await Log.FindOffsetAsync(partition, second.Time + 1, default));
    }

    [Fact]
    public async Task A_feed_gives_nothing_before_it_is_told_where_to_begin()
    {
        await ProduceAsync(Enumerable.Range(0, 50).Select(number => ((string?)$"k{number}", "v")));
        await using ILogFeed feed = Log.OpenFeed();
        var pump = new FeedPump(feed, static _ => null);
        await pump.UntilAsync(() => pump.Own.Count(IsOurs) == Partitions, "all partitions to come");
        await pump.ForAsync(TimeSpan.FromSeconds(1));
        await ProduceAsync([("k", "v")]);
        await pump.ForAsync(TimeSpan.FromSeconds(1));
        Assert.Empty(pump.Read);
    }

    [Fact]
    public async Task A_feed_gives_everything_in_order_and_another_one_goes_on_where_it_is_told()
    {
        var sent = Enumerable.Range(0, 400).Select(number => (Key: (string?)$"k{number % 11}", Value: $"{number}")).ToArray();
        await ProduceAsync(sent[..200]);
        Dictionary<TopicPartition, long> stored;
        var read = new List<LogMessage>();
        await using (ILogFeed feed = Log.OpenFeed())
        {
            var pump = new FeedPump(feed);
            await pump.UntilAsync(() => Ours(pump).Count >= 150, "150 messages");
            foreach (var (partition, next) in pump.Next.Where(next => IsOurs(next.Key)))
            {
                feed.OnStored(partition, next);
            }

            stored = new(pump.Next);
            read.AddRange(Ours(pump));
        }

        await using (ILogFeed feed = Log.OpenFeed())
        {
            var pump = new FeedPump(feed, partition => IsOurs(partition) ? stored.GetValueOrDefault(partition) : null);
            await pump.UntilAsync(() => pump.Own.Count(IsOurs) == Partitions, "all partitions to come");
            await ProduceAsync(sent[200..]);
            await pump.UntilAsync(() => read.Count + Ours(pump).Count >= 400, "the rest");
            read.AddRange(Ours(pump));
        }

        Assert.Equal(400, read.Select(message => message.At).Distinct().Count());
        foreach (var key in sent.GroupBy(message => message.Key))
        {
            Assert.Equal(
                key.Select(message => message.Value), read.Where(message => Text(message.Key) == key.Key).Select(message => Text(message.Value)));
        }
    }

    [Fact]
    public async Task A_feed_goes_back_and_forward_also_when_much_was_read_ahead()
    {
        TopicPartition partition = (await ProduceAsync(Numbers(0, 1_000))).Positions[0]!.Value.Of;
        await using ILogFeed feed = Log.OpenFeed();
        var pump = new FeedPump(feed, found => found == partition ? 0 : null);
        for (int round = 0; round < 5; round++)
        {
            await pump.UntilAsync(() => Ours(pump).Count >= 150, "150 messages");
            Assert.Equal(Numbers(0, Ours(pump).Count).Select(message => message.Value), Ours(pump).Select(message => Text(message.Value)));
            pump.Read.Clear();
            pump.Seek(partition, 0);
        }

        await pump.UntilAsync(() => Ours(pump).Count >= 100, "100 messages");
        pump.Read.Clear();
        pump.Seek(partition, 900);
        await pump.UntilAsync(() => Ours(pump).Count >= 100, "the last 100 messages");
        Assert.Equal(Numbers(900, 100).Select(message => message.Value), Ours(pump).Select(message => Text(message.Value)));
        pump.Seek(partition, 999);
        pump.Seek(partition, 998);
        pump.Read.Clear();
        await pump.UntilAsync(() => Ours(pump).Count >= 2, "the last 2 messages");
        Assert.Equal([998, 999], Ours(pump).Select(message => message.At.Offset));

        static IEnumerable<(string? Key, string Value)> Numbers(int from, int count) =>
            Enumerable.Range(from, count).Select(number => ((string?)"k", number.ToString(CultureInfo.InvariantCulture)));
    }

    [Fact]
    public async Task A_feed_hears_of_new_topics()
    {
        await using ILogFeed feed = Log.OpenFeed();
        var pump = new FeedPump(feed);
        await pump.UntilAsync(() => pump.Own.Count(IsOurs) == Partitions, "all partitions to come");
        string other = Topic + "-new";
        await MakeTopicAsync(other);
        await ProduceAsync([("k", "new")], other);
        await pump.UntilAsync(() => pump.Read.Any(message => message.At.Topic == other), "a message of the new topic");
        Assert.Equal("new", Text(pump.Read.First(message => message.At.Topic == other).Value));
    }

    [Fact]
    public async Task A_repeated_key_gets_the_same_positions()
    {
        Assert.SkipUnless(Log.TakesIdempotencyKeys, "Kafka knows no Idempotency-Key: requests with one get 400");
        var production = new Production(Topic, [new(Bytes("k"), [], Bytes("1"))], new Idempotency("", "once", new byte[32]));
        Produced first = await Log.ProduceAsync(production, default);
        Produced again = await Log.ProduceAsync(production, default);
        Assert.Equal((ProduceOutcome.Taken, ProduceOutcome.Repeated), (first.Outcome, again.Outcome));
        Assert.Equal(first.Positions, again.Positions);
        Assert.Single(await ReadAllAsync());
    }

    [Fact]
    public async Task Topics_are_made_grow_and_are_kept_as_long_as_is_said()
    {
        Assert.SkipWhen(WhyNoAdministration is not null, WhyNoAdministration ?? "");
        string name = Topic + "-made";
        (LogTopic topic, bool isNew) = await Log.CreateTopicAsync(name, 2, default);
        Assert.Equal((true, 2), (isNew, topic.Partitions.Count));
        (topic, isNew) = await Log.CreateTopicAsync(name, 7, default);
        Assert.Equal((false, 2), (isNew, topic.Partitions.Count));
        MessagePosition at = (await ProduceAsync([("k", "0")], name)).Positions[0]!.Value;
        topic = await Log.AddPartitionsAsync(name, 5, default);
        Assert.Equal(5, topic.Partitions.Count);
        Assert.Equal(at.Offset + 1, Assert.Single(topic.Cuts).Offsets[at.Partition]);
        await Assert.ThrowsAsync<TopicLogException>(async () => await Log.AddPartitionsAsync(name, 4, default));
        topic = await Log.SetRetentionAsync(name, TimeSpan.FromHours(2), default);
        Assert.Equal(TimeSpan.FromHours(2), topic.Retention);
        topic = await Log.SetRetentionAsync(name, null, default);
        Assert.Null(topic.Retention);
        Assert.All(BuiltInTopic.All, builtIn => Assert.NotNull(Log.FindTopic(builtIn)));
    }

    private protected abstract Task<ITopicLog> OpenAsync();

    private protected virtual async Task MakeTopicAsync(string name) => await Log.CreateTopicAsync(name, null, default);

    private protected abstract ValueTask CloseAsync();

    private protected static ReadOnlyMemory<byte> Bytes(string text) => Encoding.UTF8.GetBytes(text);

    private protected static string? Text(ReadOnlyMemory<byte>? bytes) => bytes is { } known ? Encoding.UTF8.GetString(known.Span) : null;

    private protected async Task<Produced> ProduceAsync(IEnumerable<(string? Key, string Value)> messages, string? topic = null)
    {
        Produced produced = await Log.ProduceAsync(
            new Production(
                topic ?? Topic,
                [.. messages.Select(message => new NewMessage(message.Key is { } key ? Bytes(key) : null, [], Bytes(message.Value)))]),
            default);
        Assert.True(produced.Outcome == ProduceOutcome.Taken, $"{produced.Outcome}: {produced.Detail}");
        return produced;
    }

    private static string? Hex(ReadOnlyMemory<byte>? bytes) => bytes is { } known ? Convert.ToHexString(known.Span) : null;

    private bool IsOurs(TopicPartition partition) => partition.Topic == Topic;

    private List<LogMessage> Ours(FeedPump pump) => [.. pump.Read.Where(message => message.At.Topic == Topic)];

    private async Task<List<LogMessage>> ReadAllAsync()
    {
        var read = new List<LogMessage>();
        for (int partition = 0; partition < Partitions; partition++)
        {
            long offset = 0;
            while (await Log.ReadAsync(new(Topic, partition), offset, 50, 1 << 20, default) is { Count: > 0 } messages)
            {
                read.AddRange(messages);
                offset = messages[^1].At.Offset + 1;
            }
        }

        return read;
    }
}
