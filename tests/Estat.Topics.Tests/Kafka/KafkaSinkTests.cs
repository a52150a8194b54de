// The sink over Kafka: mock brokers, and a real PostgreSQL, whose fence is what proves exactly once.
using System.Globalization;
using System.Text;
using Estat.Topics.Log;
using Estat.Topics.Sink;
using Estat.Topics.Tests.Postgres;
using Estat.Topics.Tests.Sink;

namespace Estat.Topics.Tests.Kafka;

public sealed class KafkaSinkTests(SharedPostgres postgres)
{
    private const string Topic = "orders";

    [Fact]
    public async Task Every_message_is_stored_once_also_by_a_sink_that_begins_again()
    {
        await using var kafka = MockKafka.Start(Topic);
        await using var rig = await SinkRig.CreateAsync(postgres.Server, new MemoryLog());
        rig.Options = MockKafka.Options(kafka.Servers);
        await using var log = kafka.Open(rig.Options, rig.Lines);
        await ProduceAsync(log, 0, 1_000);
        await using (var sink = rig.New(log: log))
        {
            await UntilStoredAsync(rig, 1_000, sink);
            await ProduceAsync(log, 1_000, 1_000);
        }

        await using (var sink = rig.New(log: log))
        {
            await ProduceAsync(log, 2_000, 1_000);
            await UntilStoredAsync(rig, 3_000, sink);
            Assert.Equal(0, sink.Counters.Repeated.Value);
        }

        await AssertStoredAsync(rig, 3_000);
    }

    [Fact]
    public async Task Two_sinks_share_the_work_and_nothing_is_stored_twice_over_rebalances()
    {
        await using var kafka = MockKafka.Start(Topic);
        await using var rig = await SinkRig.CreateAsync(postgres.Server, new MemoryLog());
        rig.Options = MockKafka.Options(kafka.Servers) with { Batch = 50 };
        await using var log = kafka.Open(rig.Options, rig.Lines);
        await using var other = kafka.Open(rig.Options, rig.Lines);
        using var enough = new CancellationTokenSource();
        Task<int> producing = Task.Run(() => ProduceUntilAsync(log, enough.Token));
        int produced;
        await using (var stays = rig.New(log: log))
        {
            await Wait.UntilAsync(() => stays.Counters.Messages.Value > 300, SinkRig.Limit, "the first sink to store", () => Told(rig, stays));
            for (int round = 0; round < 2; round++)
            {
                await using var comes = rig.New(log: other);
                await Wait.UntilAsync(
                    () => comes.Counters.Messages.Value > 300 && stays.Progress.Count is > 0 and < 20, SinkRig.Limit,
                    "the second sink to share the work", () => $"{Told(rig, stays)}\n{Told(rig, comes)}");
            }

            await Wait.UntilAsync(
                () => stays.Progress.Count == 20, SinkRig.Limit, "the first sink to have all partitions again", () => Told(rig, stays));
            await enough.CancelAsync();
            produced = await producing;
            await UntilStoredAsync(rig, produced, stays);
        }

        await AssertStoredAsync(rig, produced);
    }

    // Two sinks that both believe that a partition is theirs: their logs belong to groups that know nothing of each other, their rows to one sink.
    [Fact]
    public async Task A_sink_that_the_group_has_not_told_yet_is_fenced_by_PostgreSQL()
    {
        await using var kafka = MockKafka.Start(Topic);
        await using var rig = await SinkRig.CreateAsync(postgres.Server, new MemoryLog());
        rig.Options = MockKafka.Options(kafka.Servers) with { Batch = 50 };
        await using var log = kafka.Open(rig.Options, rig.Lines);
        await using var other = kafka.Open(MockKafka.Options(kafka.Servers));
        using var enough = new CancellationTokenSource();
        Task<int> producing = Task.Run(() => ProduceUntilAsync(log, enough.Token));
        await using var one = rig.New(log: log);
        await Wait.UntilAsync(() => one.Counters.Messages.Value > 300, SinkRig.Limit, "the first sink to store", () => Told(rig, one));
        await using var two = rig.New(log: other);
        await Wait.UntilAsync(() => two.Counters.Messages.Value > 300, SinkRig.Limit, "the second sink to store", () => Told(rig, two));
        await Wait.UntilAsync(
            () => rig.Lines.Lines.Any(line => line.Contains("gives partitions away", StringComparison.Ordinal)), SinkRig.Limit,
            "the first sink to find out", () => Told(rig, one));
        await enough.CancelAsync();
        int produced = await producing;
        await UntilStoredAsync(rig, produced, one);
        await AssertStoredAsync(rig, produced);
    }

    private static string Told(SinkRig rig, SinkLoop sink) =>
        $"{sink.State} {sink.Progress.Count} {sink.Counters.Messages.Value} {string.Join(' ', sink.Progress.Where(part => part.Lag > 0))}\n"
        + $"{string.Join('\n', rig.Lines.Lines.TakeLast(30))}";

    private static async Task ProduceAsync(ITopicLog log, int from, int count)
    {
        Produced produced = await log.ProduceAsync(
            new Production(Topic, [.. Enumerable.Range(from, count).Select(number => new NewMessage(
                Encoding.UTF8.GetBytes($"k{number % 10}"), [], Encoding.UTF8.GetBytes(number.ToString(CultureInfo.InvariantCulture))))]), default);
        Assert.True(produced.Outcome == ProduceOutcome.Taken, $"{produced.Outcome}: {produced.Detail}");
    }

    private static async Task<int> ProduceUntilAsync(ITopicLog log, CancellationToken enough)
    {
        int count = 0;
        for (; !enough.IsCancellationRequested; count += 20)
        {
            await ProduceAsync(log, count, 20);
            await Task.Delay(20, CancellationToken.None);
        }

        return count;
    }

    // Other tests beside it: as many as were produced until everything had moved twice.
    private static readonly TimeSpan UntilStored = TimeSpan.FromMinutes(2);

    private static async Task UntilStoredAsync(SinkRig rig, int messages, SinkLoop sink)
    {
        await rig.UntilAsync(SinkActivity.Running, sink); // then there are tables
        await Wait.UntilAsync(
            async () => await rig.QueryAsync("SELECT coalesce((SELECT sum(message_count) FROM topic_status), 0)") == $"{messages}", UntilStored,
            $"{messages} messages to be stored", () => Told(rig, sink));
    }

    // Each once, none left out, and in the order in which each key was sent.
    private static async Task AssertStoredAsync(SinkRig rig, int messages)
    {
        await rig.AssertStoredAsync(Topic, messages);
        Assert.Equal("", await rig.QueryAsync("SELECT reason, detail FROM dead_letters"));
        Assert.Equal("0", await rig.QueryAsync(
            "SELECT count(*) FROM (SELECT \"offset\", row_number() OVER (PARTITION BY \"partition\" ORDER BY \"offset\") - 1 AS n "
            + "FROM messages) AS m WHERE \"offset\" <> n"));
        Assert.Equal("0", await rig.QueryAsync(
            "SELECT count(*) FROM (SELECT value::text::int AS v, lag(value::text::int) OVER (PARTITION BY key ORDER BY \"offset\") AS b "
            + "FROM messages) AS m WHERE v <= b"));
        Assert.Equal($"{messages}", await rig.QueryAsync("SELECT sum(next_offset) FROM consumer_offsets"));
    }
}
