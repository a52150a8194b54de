// A partition: what ends a batch, what is refused, and that nothing that was taken is lost, doubled or mixed up on the way.
using Estat.Base.Acks;
using Estat.Collect.Batching;
using Estat.Collect.Metrics;
using Estat.Collect.Options;

namespace Estat.Collect.Tests.Batching;

public abstract class PartitionTests(AckLevel level)
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(20);
    private static readonly TimeSpan Interval = new CollectOptions().FlushInterval;

    [Fact]
    public async Task A_batch_is_sealed_at_exactly_BATCH_SIZE_events()
    {
        using PartitionRig rig = NewRig(new CollectOptions { BatchSize = 3 });
        Assert.All(EventLines.Bodies(7), body => Assert.Equal(Admission.Accepted, rig.Append(body)));
        Assert.Equal(["Count: event-0 event-1 event-2", "Count: event-3 event-4 event-5", "Drain: event-6"], await rig.CloseAndTellAsync());
    }

    [Fact]
    public async Task A_batch_is_sealed_by_the_event_that_reaches_BATCH_BYTES()
    {
        using PartitionRig rig = NewRig(new CollectOptions { BatchBytes = 2048 });
        string body = new('x', 900);
        Assert.All(Enumerable.Repeat(body, 5), text => rig.Append(text));
        IReadOnlyList<SealedBatch> batches = await rig.CloseAsync();
        Assert.Equal([3, 2], batches.Select(batch => batch.Seal.Events));
        Assert.Equal([FlushReason.Bytes, FlushReason.Drain], batches.Select(batch => batch.Reason));
        Assert.InRange(batches[0].Seal.Bytes, 2048, 2048 + 1000);
    }

    [Fact]
    public async Task A_batch_is_sealed_FLUSH_INTERVAL_after_its_first_event()
    {
        using PartitionRig rig = NewRig();
        rig.Append("a");
        rig.Time.Advance(Interval - TimeSpan.FromTicks(1));
        rig.Append("b");
        rig.Time.Advance(TimeSpan.FromTicks(1));
        rig.Append("c");
        rig.Time.Advance(Interval - TimeSpan.FromTicks(1));
        rig.Append("d");
        Assert.Equal(["Time: a b", "Drain: c d"], await rig.CloseAndTellAsync());
    }

    [Fact]
    public async Task An_idle_partition_seals_nothing()
    {
        using PartitionRig rig = NewRig();
        rig.Time.Advance(10 * Interval);
        Assert.Null(rig.Partition.OldestOpen);
        Assert.Empty(await rig.CloseAsync());
    }

    [Fact]
    public async Task A_batch_that_was_sealed_by_count_leaves_no_timer_for_the_next_one()
    {
        using PartitionRig rig = NewRig(new CollectOptions { BatchSize = 2 });
        rig.Append("a");
        rig.Time.Advance(Interval / 2);
        rig.Append("b");
        rig.Append("c");
        rig.Time.Advance(Interval - TimeSpan.FromTicks(1));
        rig.Append("d");
        Assert.Equal(["Count: a b", "Count: c d"], await rig.CloseAndTellAsync());
    }

    [Theory]
    [InlineData(-3600)]
    [InlineData(-60)]
    [InlineData(3600)]
    [InlineData(86400 * 365)]
    public async Task A_batch_is_sealed_within_twice_the_interval_whatever_the_wall_clock_does(int step)
    {
        using PartitionRig rig = NewRig();
        rig.Append("a");
        DateTimeOffset opened = rig.Partition.OldestOpen!.Value;
        rig.Time.UtcNow += TimeSpan.FromSeconds(step);
        rig.Append("b");
        rig.Time.Advance(2 * Interval);
        rig.Append("c");
        IReadOnlyList<SealedBatch> batches = await rig.CloseAsync();
        Assert.Equal(["a", "b"], EventLines.BodiesOf(batches[0]));
        Assert.Equal((FlushReason.Time, opened), (batches[0].Reason, batches[0].Opened));
        Assert.Equal(["c"], EventLines.BodiesOf(batches[1]));
    }

    [Fact]
    public async Task The_key_is_that_of_the_opening_even_when_the_batch_ends_on_another_day()
    {
        using PartitionRig rig = NewRig(new CollectOptions { BatchSize = 2 });
        rig.Time.UtcNow = new DateTimeOffset(2026, 3, 4, 23, 59, 59, TimeSpan.Zero);
        rig.Append("before midnight");
        rig.Time.Advance(TimeSpan.FromSeconds(1));
        rig.Append("after");
        rig.Append("the next batch");
        IReadOnlyList<SealedBatch> batches = await rig.CloseAsync();
        Assert.StartsWith("raw/dt=2026-03-04/hr=23/", batches[0].Key, StringComparison.Ordinal);
        Assert.StartsWith("raw/dt=2026-03-05/hr=00/", batches[1].Key, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_full_partition_refuses_at_once_and_takes_again_when_the_writer_has_caught_up()
    {
        using PartitionRig rig = NewRig(new CollectOptions { ChannelSize = 8 });
        Assert.All(EventLines.Bodies(8), body => Assert.Equal(Admission.Accepted, rig.Append(body)));
        Assert.True(rig.Partition.IsFull);
        Assert.Equal(Admission.QueueFull, rig.Append("refused"));
        Assert.Equal(Admission.QueueFull, rig.AppendBlock("refused"));
        rig.Start();
        await Wait.UntilAsync(() => !rig.Partition.IsFull, Limit, "the writer to make room");
        Assert.Equal(Admission.Accepted, rig.Append("event-8"));
        Assert.Equal(EventLines.Bodies(9), (await rig.CloseAsync()).SelectMany(EventLines.BodiesOf));
        Assert.Equal(9, rig.Partition.AcceptedEvents);
    }

    [Fact]
    public async Task Even_a_partition_of_one_event_takes_one_after_another()
    {
        using PartitionRig rig = NewRig(new CollectOptions { ChannelSize = 1 });
        rig.Start();
        foreach (string body in EventLines.Bodies(20))
        {
            await Wait.UntilAsync(() => rig.Append(body) == Admission.Accepted, Limit, "room for " + body);
        }

        Assert.Equal(EventLines.Bodies(20), (await rig.CloseAsync()).SelectMany(EventLines.BodiesOf));
    }

    [Fact]
    public async Task A_partition_holds_no_more_memory_than_CHANNEL_BYTES()
    {
        var options = new CollectOptions { ChannelBytes = 1 << 20, ChannelSize = 1_000_000 };
        using PartitionRig rig = NewRig(options);
        string body = new('x', 16384);
        int taken = 0;
        while (rig.Append(body) == Admission.Accepted)
        {
            taken++;
            Assert.InRange(rig.Partition.WaitingBytes, 1, options.ChannelBytes);
        }

        Assert.InRange(taken, 1, options.ChannelBytes / body.Length);
        Assert.Equal(taken, (await rig.CloseAsync()).Sum(batch => batch.Seal.Events));
        Assert.Equal(0, rig.Partition.WaitingBytes);
    }

    [Fact]
    public async Task An_event_larger_than_the_whole_partition_is_taken_when_nothing_else_waits()
    {
        using PartitionRig rig = NewRig(new CollectOptions { ChannelBytes = 1 << 20, MaxBodySize = 16 << 20 });
        string body = new('x', 4 << 20);
        Assert.Equal(Admission.Accepted, rig.Append(body));
        Assert.Equal(Admission.QueueFull, rig.Append(body));
        Assert.Equal([body], (await rig.CloseAsync()).SelectMany(EventLines.BodiesOf));
    }

    [Fact]
    public async Task After_an_event_larger_than_the_whole_partition_the_next_is_taken_as_soon_as_the_writers_are_done_with_it()
    {
        using PartitionRig rig = NewRig(new CollectOptions { ChannelBytes = 1 << 20, MaxBodySize = 16 << 20 });
        rig.Start();
        string body = new('x', 4 << 20);
        for (int n = 0; n < 3; n++)
        {
            // What a request asks before its body is read, and then the append itself; FLUSH_INTERVAL does not pass.
            await Wait.UntilAsync(() => !rig.Partition.IsFull && rig.Append(body) == Admission.Accepted, Limit, $"room for event {n}");
        }

        Assert.Equal([body, body, body], (await rig.CloseAsync()).SelectMany(EventLines.BodiesOf));
    }

    [Fact]
    public async Task A_batch_that_nobody_takes_fills_the_partition_and_loses_nothing()
    {
        var release = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        using PartitionRig rig = NewRig(new CollectOptions { ChannelSize = 10, BatchSize = 2 }, () => release.Task);
        rig.Start();
        int taken = 0;
        await Wait.UntilAsync(
            () =>
            {
                while (rig.Append($"event-{taken}") == Admission.Accepted)
                {
                    taken++;
                }

                return taken >= 10;
            },
            Limit, "the partition to fill");
        Assert.Equal(10, taken);
        release.SetResult();
        Assert.Equal(EventLines.Bodies(taken), (await rig.CloseAsync()).SelectMany(EventLines.BodiesOf));
    }

    [Fact]
    public async Task Closing_seals_what_there_is_and_refuses_the_rest()
    {
        using PartitionRig rig = NewRig();
        rig.Append("a");
        rig.Partition.Close();
        rig.Partition.Close();
        Assert.Equal(Admission.Draining, rig.Append("b"));
        Assert.Equal(Admission.Draining, rig.AppendBlock("c"));
        rig.Time.Advance(Interval);
        Assert.Equal(["Drain: a"], await rig.CloseAndTellAsync());
    }

    [Fact]
    public async Task A_thousand_small_blocks_wait_without_using_the_partition_s_memory_up()
    {
        using PartitionRig rig = NewRig(); // 32 MB, or 128 chunks: a chunk each would fill it at the 129th

        for (int i = 0; i < 1_000; i++)
        {
            Assert.Equal(Admission.Accepted, rig.AppendBlock($"{i}a", $"{i}b", $"{i}c"));
        }

        IEnumerable<string> bodies = (await rig.CloseAsync()).SelectMany(EventLines.BodiesOf);
        Assert.Equal(Enumerable.Range(0, 1_000).SelectMany(i => new[] { $"{i}a", $"{i}b", $"{i}c" }), bodies);
    }

    [Fact]
    public async Task A_block_that_does_not_fit_is_refused_whole()
    {
        using PartitionRig rig = NewRig(new CollectOptions { ChannelBytes = 1 << 20 });
        Assert.Equal(Admission.Accepted, rig.AppendBlock(Large(600)));
        Assert.Equal(Admission.QueueFull, rig.AppendBlock(Large(600)));
        Assert.Equal(Admission.Accepted, rig.AppendBlock(EventLines.Bodies(3)));
        Assert.Equal([.. Large(600), .. EventLines.Bodies(3)], (await rig.CloseAsync()).SelectMany(EventLines.BodiesOf));
        Assert.Equal((603, 2), (rig.Partition.AcceptedEvents, rig.Partition.AcceptedRequests));
    }

    [Fact]
    public async Task A_block_counts_as_one_request_whatever_it_brings()
    {
        using PartitionRig rig = NewRig(new CollectOptions { ChannelSize = 3 });
        Assert.Equal(Admission.Accepted, rig.AppendBlock(EventLines.Bodies(50)));
        Assert.Equal(Admission.Accepted, rig.AppendBlock(Large(600)));
        Assert.Equal(Admission.Accepted, rig.AppendBlock(EventLines.Bodies(50)));
        Assert.Equal(Admission.QueueFull, rig.AppendBlock(EventLines.Bodies(1)));
        Assert.True(rig.Partition.IsFull);
        await rig.CloseAsync();
        Assert.False(rig.Partition.IsFull);
    }

    [Fact]
    public async Task A_block_larger_than_the_partition_is_taken_when_it_is_half_empty_and_not_before()
    {
        using PartitionRig rig = NewRig(new CollectOptions { ChannelBytes = 1 << 20 });
        Assert.Equal(Admission.Accepted, rig.AppendBlock(Large(300)));
        Assert.Equal(Admission.Accepted, rig.AppendBlock(Large(3000)));
        Assert.Equal(Admission.QueueFull, rig.AppendBlock(Large(3000)));
        Assert.Equal(Large(3300), (await rig.CloseAsync()).SelectMany(EventLines.BodiesOf));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(7)]
    [InlineData(255)]
    [InlineData(256)]
    [InlineData(300)]
    public async Task A_block_split_over_batches_never_exceeds_BATCH_SIZE(int batchSize)
    {
        using PartitionRig rig = NewRig(new CollectOptions { BatchSize = batchSize, ChannelBytes = 1L << 30 });
        rig.Append("event-0");
        Assert.Equal(Admission.Accepted, rig.AppendBlock(EventLines.Bodies(1000, first: 1)));
        rig.Append("event-1001");
        IReadOnlyList<SealedBatch> batches = await rig.CloseAsync();
        Assert.All(batches, batch => Assert.InRange(batch.Seal.Events, 1, batchSize));
        Assert.Equal(EventLines.Bodies(1002), batches.SelectMany(EventLines.BodiesOf));
        Assert.Equal(batches.Count, batches.Select(batch => batch.Key).Distinct().Count());
    }

    [Fact]
    public async Task Appends_of_many_threads_lose_nothing_and_keep_each_thread_s_order()
    {
        const int Threads = 8;
        const int PerThread = 4000;
        using PartitionRig rig = NewRig(new CollectOptions { ChannelSize = 500, BatchSize = 700, BatchBytes = 1 << 16 });
        rig.Start();
        await Task.WhenAll(Enumerable.Range(0, Threads)
            .Select(thread => Task.Factory.StartNew(() => Send(rig, thread, PerThread), TaskCreationOptions.LongRunning)));
        IReadOnlyList<SealedBatch> batches = await rig.CloseAsync();
        Assert.All(batches, batch => Assert.InRange(batch.Seal.Events, 1, 700));
        var bodies = batches.SelectMany(EventLines.BodiesOf).ToLookup(body => body.Split(':')[0], body => body.Split(':')[1]);
        Assert.Equal(Threads, bodies.Count);
        Assert.All(bodies, sent => Assert.Equal(Enumerable.Range(0, PerThread).Select(n => $"{n}"), sent));
        Assert.Equal(Threads * PerThread, rig.Partition.AcceptedEvents);
        Assert.Equal(0, rig.Partition.WaitingBytes);
    }

    // Every second thread sends blocks of varying size, the others single events; a refusal is tried again.
    private static void Send(PartitionRig rig, int thread, int count)
    {
        for (int next = 0; next < count;)
        {
            int size = thread % 2 == 0 ? 1 : Math.Min(count - next, 1 + (next % 97));
            string[] bodies = [.. Enumerable.Range(next, size).Select(n => $"{thread}:{n}")];
            while ((size == 1 ? rig.Append(bodies[0]) : rig.AppendBlock(bodies)) != Admission.Accepted)
            {
                Thread.Yield();
            }

            next += size;
        }
    }

    // Lines of about a kilobyte: a few hundred fill a small partition.
    private static string[] Large(int count) => [.. Enumerable.Repeat(new string('l', 1000), count)];

    private PartitionRig NewRig(CollectOptions? options = null, Func<Task>? downstream = null) => new(level, options, downstream);
}

public sealed class MemoryPartitionTests() : PartitionTests(AckLevel.Memory);

public sealed class DiskPartitionTests() : PartitionTests(AckLevel.Disk);
