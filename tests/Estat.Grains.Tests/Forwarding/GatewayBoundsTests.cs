// What a gateway holds at the most, and how it stops.
using Estat.Base.Acks;
using Estat.Collect.Options;

namespace Estat.Grains.Tests.Forwarding;

public sealed class GatewayBoundsTests
{
    [Fact]
    public async Task The_queue_holds_the_events_of_CHANNEL_SIZE_requests_and_no_more()
    {
        using var gateway = new GatewayRig(silos: 3, new CollectOptions { ChannelSize = 10 });
        Task<Ack>[] taken = gateway.Send(EventLines.Bodies(10));
        Assert.Equal(Admission.QueueFull, gateway.Ingest.Outlook(AckLevel.Memory));
        Assert.Equal(Admission.QueueFull, await GatewayRig.Of(gateway.Send("over", AckLevel.Memory)));
        Assert.Equal(Admission.QueueFull, await GatewayRig.Of(gateway.SendBlock(["over"])));
        Assert.Equal(10, gateway.Metrics.Value("estat_forward_queue_requests"));
        while (!taken.All(ack => ack.IsCompleted))
        {
            foreach (SiloCall call in gateway.Open)
            {
                call.Accept();
            }

            await Task.Yield();
        }

        await Wait.UntilAsync( // a packet is answered first, then leaves the queue
            () => gateway.Metrics.Value("estat_forward_queue_requests") == 0, GatewayRig.Limit, "the queue to be empty");
        Assert.Equal(Admission.Accepted, gateway.Ingest.Outlook(AckLevel.Memory));
        Assert.Equal(EventLines.Bodies(10).Order(), gateway.Calls.SelectMany(call => call.Bodies).Order());
        Assert.Equal((0, 0), (gateway.Metrics.Value("estat_forward_queue_requests"), gateway.Metrics.Value("estat_forward_queue_bytes")));
    }

    [Fact]
    public void The_queue_holds_CHANNEL_BYTES_of_memory_and_no_more()
    {
        using var gateway = new GatewayRig(silos: 1, new CollectOptions { ChannelBytes = 2 << 20, ChannelSize = 100_000 });
        string body = new('x', 10_000);
        int taken = 0;
        while (!gateway.Send(body).IsCompleted)
        {
            Assert.InRange(++taken, 1, 210);
        }

        Assert.InRange(taken, 100, 210);
        Assert.Equal(2 << 20, gateway.Metrics.Value("estat_forward_queue_bytes"));
    }

    [Fact]
    public async Task A_block_that_does_not_fit_is_refused_whole_and_counts_as_one_request_when_it_does()
    {
        using var gateway = new GatewayRig(silos: 1, new CollectOptions { ChannelSize = 8 });
        gateway.Send(EventLines.Bodies(8));
        Assert.Equal(Admission.QueueFull, await GatewayRig.Of(gateway.SendBlock(EventLines.Bodies(4, first: 100))));
        while (gateway.Open is [var call, ..])
        {
            call.Accept();
        }

        Task<Ack> block = gateway.SendBlock(EventLines.Bodies(50, first: 200));
        Assert.Equal(EventLines.Bodies(50, first: 200), Assert.Single(gateway.Open).Bodies);
        Assert.DoesNotContain("event-100", gateway.Calls.SelectMany(call => call.Bodies));
        gateway.Open[0].Accept();
        Assert.Equal(Admission.Accepted, await GatewayRig.Of(block));
    }

    [Fact]
    public async Task Those_who_wait_for_the_store_take_half_of_the_queue_at_the_most()
    {
        using var gateway = new GatewayRig(silos: 2, new CollectOptions { ChannelSize = 20 });
        gateway.Send(EventLines.Bodies(10), AckLevel.Stored);
        Assert.Equal((Admission.QueueFull, Admission.Accepted), (gateway.Ingest.Outlook(AckLevel.Stored), gateway.Ingest.Outlook(AckLevel.Disk)));
        Assert.Equal(Admission.QueueFull, await GatewayRig.Of(gateway.Send("over", AckLevel.Stored)));
        Task<Ack> quick = gateway.Send("quick");
        SiloCall call = Assert.Single(gateway.Open, call => call.Packet.Level == AckLevel.Disk);
        call.Accept();
        Assert.Equal(Admission.Accepted, await GatewayRig.Of(quick));
    }

    [Fact]
    public async Task A_silo_holds_half_of_the_queue_at_the_most_and_the_room_that_one_partition_gives_back_serves_another()
    {
        using var gateway = new GatewayRig(silos: 1, new CollectOptions { ChannelSize = 8 });
        _ = gateway.Send(EventLines.Bodies(4));
        Task<Ack> waits = gateway.Send("waits", AckLevel.Memory);
        Assert.Equal(4, gateway.Open.Length);
        gateway.Open[0].Accept();
        await Wait.UntilAsync(() => gateway.Open.Length == 4, GatewayRig.Limit, "the event that waited");
        gateway.Open[3].Accept("raw/c");
        Assert.Equal("raw/c", (await waits.WaitAsync(GatewayRig.Limit)).Key);
    }

    [Fact]
    public async Task A_drain_turns_new_requests_away_and_waits_for_what_was_taken()
    {
        using var gateway = new GatewayRig();
        Task<Ack>[] acks = [gateway.Send("in flight"), .. gateway.Send(EventLines.Bodies(3))];
        gateway.Ingest.BeginDrain();
        Assert.Equal(Admission.Draining, gateway.Ingest.Outlook(AckLevel.Disk));
        Task<long> drain = gateway.Ingest.DrainAsync(TimeSpan.FromSeconds(5), CancellationToken.None);
        Assert.Equal(Admission.Draining, await GatewayRig.Of(gateway.Send("late")));
        Assert.Equal(Admission.Draining, await GatewayRig.Of(gateway.SendBlock(EventLines.Bodies(600))));
        Assert.False(drain.IsCompleted);
        while (!acks.All(ack => ack.IsCompleted))
        {
            foreach (SiloCall call in gateway.Open)
            {
                call.Accept();
            }

            await Task.Yield();
        }

        Assert.Equal(0, await drain.WaitAsync(GatewayRig.Limit));
        Assert.All(acks, ack => Assert.True(ack.Result.IsAccepted));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_drain_ends_in_time_and_tells_apart_what_was_sent_and_what_was_not(bool hurried)
    {
        using var gateway = new GatewayRig(silos: 1, new CollectOptions { ChannelSize = 8 });
        Task<Ack>[] acks = gateway.Send(EventLines.Bodies(8));
        int sent = gateway.Open.Sum(call => call.Packet.Events);
        Assert.InRange(sent, 1, 7);
        using var hurry = new CancellationTokenSource();
        Task<long> drain = gateway.Ingest.DrainAsync(TimeSpan.FromSeconds(5), hurry.Token);
        Assert.False(drain.IsCompleted);
        if (hurried)
        {
            await hurry.CancelAsync();
        }
        else
        {
            gateway.Time.Advance(TimeSpan.FromSeconds(5));
        }

        Assert.Equal(sent, await drain.WaitAsync(GatewayRig.Limit));
        Admission[] admissions = [.. (await Task.WhenAll(acks).WaitAsync(GatewayRig.Limit)).Select(ack => ack.Admission)];
        Assert.Equal(sent, admissions.Count(admission => admission == Admission.Unknown));
        Assert.Equal(8 - sent, admissions.Count(admission => admission == Admission.Draining));

        // What comes of the calls afterwards is nobody's any more.
        foreach (SiloCall call in gateway.Open)
        {
            call.Accept();
        }

        Assert.Equal((sent, 0), (gateway.Metrics.Value("estat_forward_unknown_events_total"), gateway.Metrics.Value("estat_forward_queue_requests")));
    }
}
