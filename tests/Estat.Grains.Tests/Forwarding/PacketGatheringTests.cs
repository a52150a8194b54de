// How a gateway's events become packets: a lone one at once, many of them together, each level by itself, a block whole.
using Estat.Base.Acks;
using Estat.Collect.Options;

namespace Estat.Grains.Tests.Forwarding;

public sealed class PacketGatheringTests
{
    private static readonly TimeSpan Tick = TimeSpan.FromMilliseconds(1);

    [Fact]
    public async Task A_lone_event_goes_at_once()
    {
        using var gateway = new GatewayRig();
        Task<Ack> ack = gateway.Send("alone");
        SiloCall call = Assert.Single(gateway.Open);
        Assert.Equal((AckLevel.Disk, 0, 1), (call.Packet.Level, call.Packet.Partition, call.Packet.Events));
        Assert.Equal(["alone"], call.Bodies);
        Assert.False(ack.IsCompleted);
        call.Accept("raw/a");
        Assert.Equal(new Ack(Admission.Accepted, AckLevel.Disk, "raw/a"), await ack.WaitAsync(GatewayRig.Limit));
    }

    [Fact]
    public async Task What_comes_during_a_call_goes_together_when_it_ends()
    {
        using var gateway = new GatewayRig();
        Task<Ack> first = gateway.Send("first");
        Task<Ack>[] others = gateway.Send(EventLines.Bodies(15));
        Assert.Single(gateway.Open).Accept("one");
        SiloCall second = await gateway.NextAsync();
        Assert.Equal(EventLines.Bodies(15), second.Bodies);
        second.Accept("two");
        Assert.Equal("one", (await first.WaitAsync(GatewayRig.Limit)).Key);
        Assert.All(await Task.WhenAll(others).WaitAsync(GatewayRig.Limit),
            ack => Assert.Equal((Admission.Accepted, "two"), (ack.Admission, ack.Key)));
    }

    [Fact]
    public void What_gathers_does_not_wait_for_a_slow_call()
    {
        using var gateway = new GatewayRig(silos: 2);
        gateway.Send("first");
        gateway.Send("second");
        gateway.Time.Advance(Tick);
        Assert.Single(gateway.Open);
        gateway.Time.Advance(Tick);
        Assert.Equal([["first"], ["second"]], gateway.Open.Select(call => call.Bodies).OrderBy(bodies => bodies[0]));
    }

    [Fact]
    public void The_more_is_in_flight_the_more_gathers_and_full_packets_go_first()
    {
        using var gateway = new GatewayRig();
        gateway.Send(EventLines.Bodies(1 + 16 + 64 + 250 + 1500));
        // Four packets are what one silo gets of a partition; the rest gathers.
        Assert.Equal([1, 16, 64, 250], gateway.Open.Select(call => call.Packet.Events));
        gateway.Open[0].Accept();
        gateway.Open[0].Accept();
        Assert.Equal([1, 16, 64, 250, 1000, 500], gateway.Calls.Select(call => call.Packet.Events));
        Assert.Equal(EventLines.Bodies(1831), gateway.Calls.SelectMany(call => call.Bodies));
    }

    [Fact]
    public void A_packet_has_at_most_256_KB_unless_one_event_has_more()
    {
        using var gateway = new GatewayRig(options: new CollectOptions { MaxBodySize = 16 << 20 });
        gateway.Send("first");
        string[] bodies = [.. Enumerable.Range(0, 60).Select(n => $"{n}" + new string('x', 10_000))];
        gateway.Send(bodies);
        gateway.Send(new string('y', 1_000_000));
        while (gateway.Open is [var call, ..])
        {
            call.Accept();
        }

        Assert.All(gateway.Calls[..^1], call => Assert.InRange(call.Packet.Lines.Length, 1, 256 * 1024));
        Assert.Equal(1, gateway.Calls[^1].Packet.Events);
        Assert.Equal(["first", .. bodies], gateway.Calls[..^1].SelectMany(call => call.Bodies));
    }

    [Fact]
    public void Levels_never_share_a_packet()
    {
        using var gateway = new GatewayRig();
        for (int round = 0; round < 50; round++)
        {
            Assert.All(AckLevels.All, level => gateway.Send(level.ToText(), level));
        }

        while (gateway.Open is [var call, ..])
        {
            Assert.All(call.Bodies, body => Assert.Equal(call.Packet.Level.ToText(), body));
            call.Accept();
        }

        Assert.All(AckLevels.All, level => Assert.Equal(50, gateway.Calls.Where(call => call.Packet.Level == level).Sum(call => call.Packet.Events)));
    }

    [Theory]
    [InlineData(3)]
    [InlineData(400)]
    [InlineData(3000)]
    public async Task A_block_is_in_one_packet_and_is_answered_once(int events)
    {
        using var gateway = new GatewayRig();
        Task<Ack> first = gateway.Send("first");
        Task<Ack> before = gateway.Send("before");
        Task<Ack> block = gateway.SendBlock(EventLines.Bodies(events));
        Task<Ack> after = gateway.Send("after");
        while (gateway.Open is [var call, ..])
        {
            call.Accept($"key-{gateway.Calls.Length}");
        }

        await Task.WhenAll(first, before, block, after).WaitAsync(GatewayRig.Limit);
        SiloCall whole = Assert.Single(gateway.Calls, call => call.Bodies.Contains("event-0"));
        Assert.Equal(EventLines.Bodies(events), whole.Bodies.Where(body => body.StartsWith("event", StringComparison.Ordinal)));
        Assert.Equal(events + 3, gateway.Calls.Sum(call => call.Packet.Events));
        Assert.Equal(0, gateway.Metrics.Value("estat_forward_queue_bytes"));
    }

    [Fact]
    public void A_partition_that_is_behind_leaves_new_events_to_the_next_one()
    {
        using var gateway = new GatewayRig(partitions: 2);
        gateway.Send(EventLines.Bodies(1 + 16 + 64 + 250 + 1000));
        gateway.Send(EventLines.Bodies(10, first: 5000));
        Assert.Equal([0, 0, 0, 0, 1], gateway.Open.Select(call => call.Packet.Partition));
    }
}
