// Prefixes on their way from a gateway to a silo.
using Estat.Base.Acks;
using Estat.Collect.Batching;
using Estat.Grains.Forwarding;

namespace Estat.Grains.Tests.Forwarding;

public sealed class PrefixPacketTests
{
    [Fact]
    public async Task A_packet_holds_events_of_one_prefix_and_names_it()
    {
        using var gateway = new GatewayRig();
        Task<Ack>[] acks = [.. new[] { "shop", null, "blog", "shop", null }.Select((prefix, i) =>
            gateway.Ingest.AcceptAsync(EventLines.Header(prefix), System.Text.Encoding.UTF8.GetBytes($"{prefix ?? "raw"}-{i}"), AckLevel.Disk)
                .AsTask())];
        gateway.Time.Advance(TimeSpan.FromSeconds(1));
        await Wait.UntilAsync(() => gateway.Calls.Sum(call => call.Packet.Events) == 5, GatewayRig.Limit, "all packets");
        Assert.All(gateway.Calls,
            call => Assert.All(call.Bodies, body => Assert.StartsWith((call.Packet.Prefix ?? "raw") + "-", body, StringComparison.Ordinal)));
        foreach (SiloCall call in gateway.Calls)
        {
            call.Accept();
        }

        Assert.All(acks, ack => Assert.Equal(Admission.Accepted, ack.Result.Admission));
    }

    [Fact]
    public async Task A_batch_below_a_prefix_is_a_packet_below_it()
    {
        using var gateway = new GatewayRig();
        using LineBlock block = gateway.Ingest.NewBlock("shop");
        block.Add(EventLines.Header(), "one"u8);
        Task<Ack> ack = gateway.Ingest.AcceptAsync(block, AckLevel.Stored).AsTask();
        SiloCall call = await gateway.NextAsync();
        Assert.Equal(("shop", AckLevel.Stored), (call.Packet.Prefix, call.Packet.Level));
        call.Accept();
        Assert.Equal(Admission.Accepted, await GatewayRig.Of(ack));
    }

    [Fact]
    public async Task A_silo_without_a_partition_for_the_prefix_has_taken_nothing_so_another_one_is_asked()
    {
        using var gateway = new GatewayRig(silos: 2);
        Task<Ack> ack = gateway.Ingest.AcceptAsync(EventLines.Header("shop"), "one"u8, AckLevel.Disk).AsTask();
        SiloCall first = await gateway.NextAsync();
        first.Refuse(Admission.NoPrefix);
        SiloCall second = await gateway.NextAsync();
        Assert.NotSame(first.Silo, second.Silo);
        second.Refuse(Admission.NoPrefix);
        Assert.Equal(Admission.NoPrefix, await GatewayRig.Of(ack));
    }

    [Fact]
    public async Task A_silo_lays_a_packet_below_its_prefix_or_says_that_it_cannot()
    {
        using var folder = new TempFolder();
        await using TestNode node = new TestNode(folder).Start();
        var intake = new PacketIntake(node.Engine.Ingest, node.Engine.Levels, node.Engine.Instance, TimeSpan.FromSeconds(10), TimeProvider.System);
        Ack taken = await intake.TakeAsync(Guid.NewGuid(), intake.Instance, AckLevel.Disk, 1, EventLines.Encode(["one"]), "shop");
        Ack refused = await intake.TakeAsync(Guid.NewGuid(), intake.Instance, AckLevel.Disk, 1, EventLines.Encode(["two"]),
            node.Options.Storage.DlqPrefix);
        Assert.StartsWith("shop/dt=", taken.Key, StringComparison.Ordinal);
        Assert.Equal(Admission.NoPrefix, refused.Admission);
        await node.DrainAsync();
        Assert.Equal("one", Assert.Single(StoredEvents.FromFolder(node.Data)).Body);
    }
}
