// Idempotency keys of the embedded log.
using Estat.Topics.Log;

namespace Estat.Topics.Tests.Embedded;

public sealed class LogKeysTests : EmbeddedLogRig
{
    [Fact]
    public async Task Keys_outlive_a_retention_that_is_shorter()
    {
        Options = Options with { Retention = TimeSpan.FromMinutes(2), Dedup = TimeSpan.FromHours(1) };
        Produced first = await Log.ProduceAsync(Keyed("once", 1, "a"), default);
        await ProduceAsync(1_000, "user-activities");
        Time.Advance(TimeSpan.FromMinutes(10));
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
    public async Task A_repeated_key_gets_the_same_positions_over_a_restart_and_another_body_is_refused()
    {
        Production production = Keyed("once", 1, "a", "b");
        Produced first = await Log.ProduceAsync(production, default);
        await ReopenAsync();
        Produced again = await Log.ProduceAsync(production, default);
        Assert.Equal((ProduceOutcome.Repeated, 2), (again.Outcome, again.Positions.Count));
        Assert.Equal(first.Positions, again.Positions);
        Assert.Equal(ProduceOutcome.OtherBody, (await Log.ProduceAsync(Keyed("once", 2, "a"), default)).Outcome);
        Time.Advance(Options.Dedup + TimeSpan.FromSeconds(1));
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
    public async Task A_key_of_many_messages_counts_as_many_keys()
    {
        Options = Options with { DedupMax = 3 };
        Production large = Keyed("large", 1, [.. Enumerable.Range(0, 600).Select(number => $"{number}")]);
        Assert.Equal(ProduceOutcome.Taken, (await Log.ProduceAsync(large, default)).Outcome);
        Assert.Equal(ProduceOutcome.TooManyKeys, (await Log.ProduceAsync(Keyed("another", 1, "a"), default)).Outcome);
        await ReopenAsync();
        Assert.Equal(ProduceOutcome.TooManyKeys, (await Log.ProduceAsync(Keyed("another", 1, "a"), default)).Outcome);
        Assert.Equal(ProduceOutcome.Repeated, (await Log.ProduceAsync(large, default)).Outcome);
    }
}
