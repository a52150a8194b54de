// An engine's start and its drain, which a node and its silo both ask for: each happens once.
using System.Diagnostics.Metrics;
using Estat.Base.Acks;
using Estat.Collect.Hosting;
using Estat.Collect.Options;

namespace Estat.Collect.Tests.Hosting;

public sealed class EngineRunTests : IDisposable
{
    private static readonly CollectOptions Quick = new() { RecoveryInterval = TimeSpan.FromMilliseconds(10), Ack = AckLevel.Disk };
    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Of_many_who_start_it_at_once_each_finds_it_started_and_it_is_started_once()
    {
        await using var node = new TestNode(_folder, Quick);
        EngineRun run = node.HandOver();
        await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => Task.Run(() =>
        {
            run.Start(); // the engine would refuse a second time
            Assert.True(node.Engine.IsReady, node.Engine.NotReadyBecause);
        })));
        await node.SendAsync(EventLines.Bodies(10));
        Assert.Equal(0, await DrainAsync(run));
        Assert.Equal(EventLines.Bodies(10), node.Stored);
    }

    [Fact]
    public async Task A_drain_before_the_start_loses_nothing_and_the_start_that_comes_late_is_refused()
    {
        await using var node = new TestNode(_folder, Quick);
        EngineRun run = node.HandOver();
        Assert.Equal(0, await DrainAsync(run));
        var error = Assert.Throws<OperationCanceledException>(run.Start);
        Assert.Contains("ends before it has begun", error.Message, StringComparison.Ordinal);
        Assert.Contains("starting", node.Engine.NotReadyBecause, StringComparison.Ordinal); // nothing was started
    }

    [Fact]
    public async Task A_second_drain_waits_for_the_first_whatever_time_it_has_itself()
    {
        await using var node = new TestNode(_folder, Quick);
        EngineRun run = node.HandOver();
        run.Start();
        node.Store.Gate = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await node.SendAsync("a", "b");
        Task<long> first = run.DrainAsync(TimeSpan.FromHours(1), CancellationToken.None);
        await node.UntilAsync(() => node.Store.Creates == 1, "the upload to begin");
        Task<long> second = run.DrainAsync(TimeSpan.Zero, new CancellationToken(canceled: true)); // an engine's own would leave the upload
        Assert.Same(first, second);
        Assert.False(second.IsCompleted);
        node.Store.Gate.SetResult();
        Assert.Equal(0, await second.WaitAsync(TestNode.Limit, TestContext.Current.CancellationToken));
        Assert.Equal(["a", "b"], node.Stored);
    }

    [Fact]
    public async Task A_start_after_the_drain_is_refused_though_it_was_started_before()
    {
        await using var node = new TestNode(_folder, Quick);
        EngineRun run = node.HandOver();
        run.Start();
        Assert.Equal(0, await DrainAsync(run));
        Assert.Throws<OperationCanceledException>(run.Start);
    }

    [Fact]
    public async Task An_engine_whose_start_failed_is_drained_all_the_same()
    {
        await using TestNode node = new TestNode(_folder, Quick).Start();
        EngineRun run = node.HandOver();
        Assert.Throws<InvalidOperationException>(run.Start); // somebody has started it past this one
        await node.SendAsync("a");
        Assert.Equal(0, await DrainAsync(run));
        Assert.Equal(["a"], node.Stored);
    }

    [Fact]
    public async Task What_a_crashed_part_held_in_memory_is_told_to_everybody_who_drains_it()
    {
        await using var node = new TestNode(_folder, Quick with { Ack = AckLevel.Memory, Partitions = 1, BatchSize = 1 });
        EngineRun run = node.HandOver();
        run.Start();
        using var listener = new MeterListener(); // its callback runs in the writer, when that counts the batch
        listener.SetMeasurementEventCallback<long>((_, _, _, _) => throw new InvalidOperationException("the test's crash"));
        listener.InstrumentPublished = (instrument, it) =>
        {
            if (ReferenceEquals(instrument.Meter, node.Engine.Instruments.Meter) && instrument.Name == "estat_batches_sealed_total")
            {
                it.EnableMeasurementEvents(instrument);
            }
        };
        listener.Start();
        await node.SendAsync("a");
        await node.UntilAsync(() => node.Engine.NotReadyBecause is not null, "the writer to crash");
        Assert.Equal((1, 1), (await DrainAsync(run), await DrainAsync(run)));
        Assert.Empty(node.Stored);
    }

    private static Task<long> DrainAsync(EngineRun run) =>
        run.DrainAsync(TestNode.Limit, CancellationToken.None).WaitAsync(TestNode.Limit, TestContext.Current.CancellationToken);
}
