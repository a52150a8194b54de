// What only the log in Kafka does: sharing partitions out, and brokers that are away.
using System.Diagnostics.Metrics;
using System.Text;
using Confluent.Kafka;
using Estat.Base.Options;
using Estat.Topics.Kafka.Clients;
using Estat.Topics.Kafka.Hosting;
using Estat.Topics.Kafka.Survey;
using Estat.Topics.Log;
using Estat.Topics.Options;
using Estat.Topics.Tests.Log;
using Microsoft.Extensions.Logging;
using TopicPartition = Estat.Topics.Messages.TopicPartition;

namespace Estat.Topics.Tests.Kafka;

public sealed class KafkaLogTests
{
    private const string Topic = "orders";
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);

    [Fact]
    public async Task Two_feeds_share_partitions_and_the_one_that_stays_gets_all_of_them()
    {
        await using var kafka = MockKafka.Start(Topic);
        var options = MockKafka.Options(kafka.Servers);
        await using var log = kafka.Open(options);
        await using var other = kafka.Open(options);
        int all = log.Topics.Sum(topic => topic.Partitions.Count);
        Assert.Equal(5 * MockKafka.Partitions, all);
        await using ILogFeed first = log.OpenFeed();
        var one = new FeedPump(first);
        await one.UntilAsync(() => one.Own.Count == all, "the first feed to have all partitions");
        FeedPump two;
        await using (ILogFeed second = other.OpenFeed())
        {
            two = new FeedPump(second);
            using var enough = new CancellationTokenSource();
            Task reading = PumpAsync(one, enough.Token);
            await two.UntilAsync(() => two.Own.Count == all / 2, "the second feed to have half of them");
            await Wait.UntilAsync(() => one.Own.Count == all / 2, Limit, "the first feed to keep half of them");
            await enough.CancelAsync();
            await reading;
            Assert.Empty(one.Own.Intersect(two.Own));
        }

        await one.UntilAsync(() => one.Own.Count == all, "the first feed to have all partitions again");
    }

    [Fact]
    public async Task A_partition_is_held_until_its_reader_has_let_go()
    {
        await using var kafka = MockKafka.Start(Topic);
        var options = MockKafka.Options(kafka.Servers);
        await using var log = kafka.Open(options);
        await using ILogFeed first = log.OpenFeed();
        var one = new FeedPump(first);
        int all = log.Topics.Sum(topic => topic.Partitions.Count);
        await one.UntilAsync(() => one.Own.Count == all, "the first feed to have all partitions");
        await using ILogFeed second = log.OpenFeed();
        var two = new FeedPump(second);

        // The first one's reader is busy: nobody reads it. The second one gets what is taken from it nevertheless, some seconds later.
        await one.UntilAsync(() => one.Own.Count < all, "the first feed to hear that some went");
        await two.ForAsync(TimeSpan.FromSeconds(2));
        Assert.Empty(two.Own);
        await two.UntilAsync(() => two.Own.Count == all / 2, "the second feed to have half of them");
    }

    [Fact]
    public async Task What_is_sought_where_Kafka_has_nothing_ends_the_feed_and_says_what_there_is()
    {
        await using var kafka = MockKafka.Start(Topic);
        await using var log = kafka.Open();
        TopicPartition partition = (await ProduceAsync(log, "k", 10)).Positions[0]!.Value.Of;
        await using ILogFeed feed = log.OpenFeed();
        var pump = new FeedPump(feed);
        await pump.UntilAsync(() => pump.Own.Contains(partition), "the partition to come");
        feed.Seek(partition, 1_000);
        using var limit = new CancellationTokenSource(Limit);
        var error = await Assert.ThrowsAsync<TopicLogException>(async () =>
        {
            while (true)
            {
                await feed.ReadAsync(10, 1_000, limit.Token);
            }
        });
        Assert.Contains($"{partition} has messages from 0 to 10, and 1000 is wanted", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Progress_is_shown_to_others()
    {
        await using var kafka = MockKafka.Start(Topic);
        var options = MockKafka.Options(kafka.Servers);
        await using var log = kafka.Open(options);
        TopicPartition partition = (await ProduceAsync(log, "k", 10)).Positions[0]!.Value.Of;
        await using ILogFeed feed = log.OpenFeed();
        var pump = new FeedPump(feed);
        await pump.UntilAsync(() => pump.Read.Count == 10, "10 messages");
        feed.OnStored(partition, 7);
        using var display = new ConsumerBuilder<byte[], byte[]>(
                new ConsumerConfig { BootstrapServers = kafka.Servers, GroupId = "estat-sink-" + options.SinkName })
            .SetLogHandler(static (_, _) => { }).Build();
        await Wait.UntilAsync(
            () => display.Committed([new(partition.Topic, partition.Partition)], TimeSpan.FromSeconds(5)).Single().Offset == 7,
            Limit, "the commit to be seen");
    }

    [Fact]
    public async Task What_others_produce_is_read_as_it_is()
    {
        await using var kafka = MockKafka.Start(Topic);
        await using var log = kafka.Open();
        using var stranger = kafka.Stranger();
        byte[] bytes = [0, 0xff, 0xfe];
        foreach (var (key, value) in new (byte[]?, byte[]?)[] { (bytes, bytes), (null, null), ([], []) })
        {
            await stranger.ProduceAsync(new Confluent.Kafka.TopicPartition(Topic, 1), new Message<byte[], byte[]> { Key = key!, Value = value! });
        }

        var partition = new TopicPartition(Topic, 1);
        await log.WaitForAsync(partition, 2, default).AsTask().WaitAsync(Limit);
        await using ILogFeed feed = log.OpenFeed();
        var pump = new FeedPump(feed);
        await pump.UntilAsync(() => pump.Read.Count == 3, "3 messages");
        foreach (var read in new[] { await log.ReadAsync(partition, 0, 10, 1_000, default), pump.Read })
        {
            Assert.Equal(["00FFFE=00FFFE", "null=null", "="], read.Select(message => $"{Hex(message.Key)}={Hex(message.Value)}"));
        }
    }

    [Fact]
    public async Task Without_brokers_the_log_opens_says_so_and_takes_nothing()
    {
        var lines = new LogLines();
        await using var log = KafkaLog.Open(MockKafka.Options($"127.0.0.1:{FreePort.Next()}"), TimeProvider.System, lines);
        Assert.NotNull(log.Fault);
        Assert.Equal(ProduceOutcome.Failed, (await log.ProduceAsync(Messages("k", 1), default)).Outcome);
        Assert.Throws<TopicLogException>(() => log.Id);
        Assert.Empty(log.Topics);
        Assert.Equal(0, Up(log));
        await Wait.UntilAsync(() => lines.Of(LogLevel.Error).Length > 0, Limit, "the log to say that brokers are away");
        Assert.Single(lines.Of(LogLevel.Error));
    }

    [Fact]
    public async Task While_brokers_are_away_nothing_is_taken_and_afterwards_it_goes_on()
    {
        await using var kafka = await MockKafka.StartProcessAsync(Topic);
        var lines = new LogLines();
        await using var log = kafka.Open(MockKafka.Options(kafka.Servers, ("KAFKA_DELIVERY_TIMEOUT_MS", "2000")), lines);
        Assert.Equal(1, Up(log));
        await ProduceAsync(log, "k", 10);
        await using ILogFeed feed = log.OpenFeed();
        var pump = new FeedPump(feed);
        await pump.UntilAsync(() => pump.Read.Count == 10, "10 messages");

        kafka.Process!.Stop();
        Produced sent = await log.ProduceAsync(Messages("k", 5), default).AsTask().WaitAsync(Limit);
        Assert.True(sent is { Outcome: ProduceOutcome.Perhaps, Positions: [null, null, null, null, null] }, $"{sent.Outcome} {sent.Positions.Count}");
        await Wait.UntilAsync(() => log.Fault is not null, Limit, "the log to notice that brokers are away");
        Assert.Equal(ProduceOutcome.Failed, (await log.ProduceAsync(Messages("k", 5), default)).Outcome);
        Assert.Equal(0, Up(log));

        kafka.Process.Continue();
        Assert.SkipUnless(await kafka.ListensAsync(), "librdkafka's mock brokers do not listen any more after their process stood still");
        await Wait.UntilAsync(() => log.Fault is null, Limit, "the log to notice that brokers are back",
            () => $"{log.Fault}; {kafka.Process.HasExited}\n{string.Join('\n', lines.Lines.TakeLast(30))}");
        Produced back = await log.ProduceAsync(Messages("k", 1), default).AsTask().WaitAsync(Limit);
        Assert.True(back.Outcome == ProduceOutcome.Taken, $"{back.Outcome}: {back.Detail}");
        await pump.UntilAsync(() => pump.Read.Any(message => message.At == back.Positions[0]), "the feed to go on");
        // A partition that was another's for a moment is read again from where its reader says.
        int read = pump.Read.Select(message => message.At).Distinct().Count();
        Assert.True(read is 11 or 16, $"{read} read");
        Assert.Single(lines.Of(LogLevel.Error), line => line.Contains("does not answer", StringComparison.Ordinal));
    }

    [Fact]
    public async Task What_does_not_fit_into_the_queue_is_refused_whole()
    {
        await using var kafka = await MockKafka.StartProcessAsync(Topic);
        await using var log = kafka.Open(MockKafka.Options(kafka.Servers, ("KAFKA_DELIVERY_TIMEOUT_MS", "2000")) with { QueueBytes = 1 << 20 });
        await ProduceAsync(log, "k", 1);
        kafka.Process!.Stop();
        Task<Produced> waiting = log.ProduceAsync(Messages("k", 6, 100_000), default).AsTask();
        Assert.Equal(ProduceOutcome.Busy, (await log.ProduceAsync(Messages("k", 6, 100_000), default)).Outcome);
        Assert.Equal(ProduceOutcome.Perhaps, (await waiting.WaitAsync(Limit)).Outcome);
    }

    [Fact]
    public async Task Partitions_without_a_leader_do_not_hide_the_others()
    {
        await using var kafka = MockKafka.Start(Topic);
        await using var log = kafka.Open();
        kafka.SetLeader(Topic, 0, null);
        kafka.SetLeader(Topic, 1, null);
        await AssertSeenAsync(kafka, log, partition: 3);
    }

    [Fact]
    public async Task Partitions_whose_broker_does_not_answer_do_not_hide_the_others()
    {
        await using var kafka = MockKafka.Start(Topic);
        await using var log = kafka.Open();
        foreach (string topic in BuiltInTopic.All.Append(Topic))
        {
            for (int partition = 0; partition < MockKafka.Partitions; partition++)
            {
                kafka.SetLeader(topic, partition, topic == Topic && partition < 2 ? 3 : 1);
            }
        }

        kafka.StopBroker(3);
        await AssertSeenAsync(kafka, log, partition: 3);
    }

    [Fact]
    public async Task A_message_wakes_those_who_wait_for_its_partition_alone()
    {
        await using var kafka = MockKafka.Start(Topic);
        var clients = new KafkaClients(MockKafka.Options(kafka.Servers), new LogLines());
        using var admin = clients.Admin();
        await using var survey = new KafkaSurvey(clients, admin, "mock", new LogLines());
        var (one, two) = (new TopicPartition(Topic, 1), new TopicPartition(Topic, 2));
        await Wait.UntilAsync(() => survey.Knows(one, 1) && survey.Knows(two, 1), Limit, "the survey to know both partitions");
        await survey.LookAsync(Limit, default); // nothing changes any more
        Task grown = survey.GrownAsync(one);
        Task other = survey.GrownAsync(two);
        survey.Extend([new MessagePosition(Topic, 1, 0)]);
        Assert.True(grown.IsCompletedSuccessfully);
        Assert.False(other.IsCompleted);
    }

    [Fact]
    public async Task A_producer_that_cannot_be_replaced_now_is_replaced_later()
    {
        await using var kafka = MockKafka.Start(Topic);
        kafka.RefuseNext(MockKafka.InitProducerId, MockKafka.ClusterAuthorizationFailed);
        TopicsOptions options = MockKafka.Options(kafka.Servers);
        var properties = new Dictionary<string, string>(options.Kafka);
        var lines = new LogLines();
        await using var log = kafka.Open(options with { Kafka = properties }, lines);
        properties["no.such.thing"] = "1"; // as a file that an option names may be gone
        Produced refused = null!;
        for (int tries = 0; tries < 3; tries++)
        {
            await Wait.UntilAsync(
                async () => (refused = await log.ProduceAsync(Messages("k", 1), default).AsTask().WaitAsync(Limit)).Detail?.Contains(
                    "cannot be replaced", StringComparison.Ordinal) == true,
                Limit, "the producer to fail", () => $"{refused.Outcome} {refused.Detail}");
            Assert.Equal(ProduceOutcome.Failed, refused.Outcome);
        }

        Assert.Single(lines.Of(LogLevel.Error), line => line.Contains("No other one can be made", StringComparison.Ordinal));
        properties.Remove("no.such.thing");
        await ProduceAsync(log, "k", 1);
    }

    [Fact]
    public async Task What_a_rule_or_a_bound_forbids_is_no_trouble_that_passes()
    {
        await using var kafka = MockKafka.Start(Topic);
        await using var log = kafka.Open(MockKafka.Options(kafka.Servers) with { MaxTopics = 5 });
        foreach (var name in new[] { "_other", "sixth" })
        {
            var error = await Assert.ThrowsAsync<TopicLogException>(async () => await log.CreateTopicAsync(name, null, default));
            Assert.True(error.IsBound, error.Message);
        }
    }

    [Theory]
    [InlineData("KAFKA_NO_SUCH_THING", "hunter2")]
    [InlineData("KAFKA_SECURITY_PROTOCOL", "hunter2")]
    public void What_librdkafka_does_not_know_ends_the_start_and_its_value_is_not_repeated(string name, string value)
    {
        var error = Assert.Throws<OptionException>(
            () => KafkaLog.Open(MockKafka.Options("127.0.0.1:1", (name, value)), TimeProvider.System, new LogLines()));
        Assert.StartsWith($"{name}: ", error.Message, StringComparison.Ordinal);
        Assert.DoesNotContain(value, error.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', error.Message);
    }

    private static async Task AssertSeenAsync(MockKafka kafka, KafkaLog log, int partition)
    {
        using var stranger = kafka.Stranger();
        await stranger.ProduceAsync(new Confluent.Kafka.TopicPartition(Topic, partition), new Message<byte[], byte[]> { Value = "1"u8.ToArray() });
        await log.WaitForAsync(new TopicPartition(Topic, partition), 0, default).AsTask().WaitAsync(Limit);
    }

    private static async Task PumpAsync(FeedPump pump, CancellationToken cancellationToken)
    {
        try
        {
            while (true)
            {
                await pump.StepAsync(cancellationToken);
            }
        }
        catch (OperationCanceledException)
        {
        }
    }

    private static Production Messages(string key, int count, int bytes = 1) => new(
        Topic,
        [.. Enumerable.Range(0, count).Select(_ => new NewMessage(Encoding.UTF8.GetBytes(key), [], Encoding.UTF8.GetBytes(new string('1', bytes))))]);

    private static async Task<Produced> ProduceAsync(KafkaLog log, string key, int count)
    {
        Produced produced = await log.ProduceAsync(Messages(key, count), default);
        Assert.True(produced.Outcome == ProduceOutcome.Taken, $"{produced.Outcome}: {produced.Detail}");
        return produced;
    }

    private static long Up(KafkaLog log)
    {
        long up = -1;
        using var meter = new Meter("test");
        using var listener = new MeterListener
        {
            InstrumentPublished = (instrument, listener) =>
            {
                if (instrument.Meter == meter && instrument.Name == "estat_topics_kafka_up")
                {
                    listener.EnableMeasurementEvents(instrument);
                }
            },
        };
        listener.SetMeasurementEventCallback<int>((_, value, _, _) => up = value);
        listener.Start();
        log.Observe(meter);
        listener.RecordObservableInstruments();
        return up;
    }

    private static string Hex(ReadOnlyMemory<byte>? bytes) => bytes is { } known ? Convert.ToHexString(known.Span) : "null";
}
