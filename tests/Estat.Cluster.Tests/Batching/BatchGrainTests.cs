// Packets through the grain, on real silos.
using Estat.Cluster.Tests.Support;
using Estat.Grains.Batching;
using Microsoft.Extensions.DependencyInjection;

namespace Estat.Cluster.Tests.Batching;

public sealed class BatchGrainTests
{
    [Fact]
    public async Task Events_go_through_the_grain_into_the_store_under_the_key_that_the_answer_names()
    {
        await using TestCluster cluster = await TestCluster.StartAsync(("spool-1", null));
        IBatchGrain grain = cluster.Client.GetGrain<IBatchGrain>(0);
        WireGreeting greeting = await grain.GreetAsync();
        Assert.Equal("accepted", greeting.Outlook);
        string[] bodies = [.. Enumerable.Range(1, 700).Select(number => $"event-{number:0000}")];
        WireAck ack = await grain.AppendAsync(Packets.Of(greeting.Instance, "disk", bodies));
        Assert.Equal(("accepted", "disk"), (ack.Admission, ack.Level));
        Assert.Contains(greeting.Instance, ack.Key, StringComparison.Ordinal);
        Assert.Empty(cluster.Stored);

        cluster.NodeOf(cluster.Silos[0]).Engine.Flush();
        await Wait.UntilAsync(() => cluster.Stored.Length >= bodies.Length, TestCluster.Limit, "the batch in the store");
        Assert.Equal(bodies, cluster.Stored);
        Assert.Equal([ack.Key], StoredEvents.ObjectsFromFolder(cluster.Folder["data"]).Select(stored => stored.Key));
    }

    [Fact]
    public async Task A_packet_at_stored_is_answered_when_its_events_are_there()
    {
        await using TestCluster cluster = await TestCluster.StartAsync(("spool-1", null));
        IBatchGrain grain = cluster.Client.GetGrain<IBatchGrain>(0);
        string instance = (await grain.GreetAsync()).Instance;
        WireAck ack = await grain.AppendStoredAsync(Packets.Of(instance, "stored", "one"));
        Assert.Equal(("accepted", "stored"), (ack.Admission, ack.Level));
        Assert.Equal(["one"], cluster.Stored);
    }

    [Fact]
    public async Task A_call_runs_on_the_silo_that_it_came_to()
    {
        await using TestCluster cluster = await TestCluster.StartAsync(("spool-1", null), ("spool-2", null), ("spool-3", null));
        foreach (var silo in cluster.Silos)
        {
            IGrainFactory local = cluster.ServicesOf(silo).GetRequiredService<IGrainFactory>();
            for (int partition = 0; partition < 4; partition++)
            {
                Assert.Equal(cluster.NodeOf(silo).Engine.Instance, (await local.GetGrain<IBatchGrain>(partition).GreetAsync()).Instance);
            }
        }
    }

    [Fact]
    public async Task A_silo_that_stops_by_itself_drains_first()
    {
        await using TestCluster cluster = await TestCluster.StartAsync(("spool-1", null), ("spool-2", null));
        var silo = cluster.At("spool-2");
        IBatchGrain grain = cluster.ServicesOf(silo).GetRequiredService<IGrainFactory>().GetGrain<IBatchGrain>(0);
        WireAck ack = await grain.AppendAsync(Packets.Of(cluster.NodeOf(silo).Engine.Instance, "memory", "one", "two"));
        Assert.Equal("accepted", ack.Admission);
        await cluster.StopAsync(silo);
        Assert.Equal(["one", "two"], cluster.Stored);
    }
}
