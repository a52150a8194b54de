// What is sent to another silo, and what never is.
using Estat.Base.Acks;

namespace Estat.Grains.Tests.Forwarding;

public sealed class RetryTests
{
    [Theory]
    [InlineData(Admission.QueueFull)]
    [InlineData(Admission.StorageFull)]
    [InlineData(Admission.Draining)]
    public async Task What_a_silo_refused_without_taking_it_goes_to_another_one(Admission refusal)
    {
        using var gateway = new GatewayRig(silos: 3);
        Task<Ack> ack = gateway.Send("event");
        SiloCall first = await gateway.NextAsync();
        first.Refuse(refusal);
        SiloCall second = await gateway.NextAsync();
        Assert.NotSame(first.Silo, second.Silo);
        Assert.Equal(first.Bodies, second.Bodies);
        second.Accept("raw/b");
        Assert.Equal(new Ack(Admission.Accepted, AckLevel.Disk, "raw/b"), await ack.WaitAsync(GatewayRig.Limit));
        Assert.Equal(1, gateway.Metrics.Value("estat_forward_retries_total"));
    }

    [Fact]
    public async Task What_did_not_reach_a_silo_goes_to_another_one()
    {
        using var gateway = new GatewayRig(silos: 2);
        Task<Ack> ack = gateway.Send("event");
        (await gateway.NextAsync()).FailUnreached();
        (await gateway.NextAsync()).Accept();
        Assert.Equal(Admission.Accepted, await GatewayRig.Of(ack));
        Assert.Equal(2, gateway.Calls.Select(call => call.Silo).Distinct().Count());
    }

    [Theory]
    [InlineData(Admission.DiskFailed, Admission.DiskFailed)]
    [InlineData(Admission.NoReplica, Admission.NoReplica)]
    [InlineData(Admission.NoSilo, Admission.Unknown)]
    [InlineData(Admission.Unknown, Admission.Unknown)]
    public async Task What_may_be_stored_is_never_sent_again(Admission answer, Admission told)
    {
        using var gateway = new GatewayRig(silos: 2);
        Task<Ack> ack = gateway.Send("event");
        (await gateway.NextAsync()).Refuse(answer);
        Assert.Equal(told, await GatewayRig.Of(ack));
        Assert.Single(gateway.Calls);
        Assert.Equal(0, gateway.Metrics.Value("estat_forward_retries_total"));
    }

    [Fact]
    public async Task A_silo_that_failed_in_the_call_leaves_its_events_unknown()
    {
        using var gateway = new GatewayRig(silos: 2);
        Task<Ack> first = gateway.Send("first");
        Task<Ack> block = gateway.SendBlock(EventLines.Bodies(5));
        (await gateway.NextAsync()).FailInTheCall();
        Assert.Equal(Admission.Unknown, await GatewayRig.Of(first));
        (await gateway.NextAsync()).FailInTheCall();
        Assert.Equal(Admission.Unknown, await GatewayRig.Of(block));
        Assert.Equal([1, 5], gateway.Calls.Select(call => call.Packet.Events).Order());
        Assert.Equal(6, gateway.Metrics.Value("estat_forward_unknown_events_total"));
    }

    [Fact]
    public async Task Each_silo_is_asked_once_and_then_the_clients_hear_that_the_queue_is_full()
    {
        using var gateway = new GatewayRig(silos: 3);
        Task<Ack> ack = gateway.Send("event");
        (await gateway.NextAsync()).Refuse(Admission.StorageFull);
        (await gateway.NextAsync()).Refuse(Admission.QueueFull);
        (await gateway.NextAsync()).Refuse(Admission.StorageFull);
        Assert.Equal(Admission.QueueFull, await GatewayRig.Of(ack));
        Assert.Equal(3, gateway.Calls.Select(call => call.Silo).Distinct().Count());
        Assert.Equal(Admission.Accepted, gateway.Ingest.Outlook(AckLevel.Disk));
    }

    [Fact]
    public async Task Retries_end_after_two_seconds()
    {
        using var gateway = new GatewayRig(silos: 3);
        Task<Ack> ack = gateway.Send("event");
        SiloCall first = await gateway.NextAsync();
        gateway.Time.Advance(TimeSpan.FromSeconds(2));
        first.FailUnreached();
        Assert.Equal(Admission.NoSilo, await GatewayRig.Of(ack));
        Assert.Single(gateway.Calls);
    }

    [Fact]
    public async Task A_silo_that_lacked_room_is_asked_last_for_a_while()
    {
        using var gateway = new GatewayRig(silos: 2);
        Task<Ack> ack = gateway.Send("first");
        SiloCall refused = await gateway.NextAsync();
        refused.Refuse(Admission.QueueFull);
        (await gateway.NextAsync()).Accept();
        await ack.WaitAsync(GatewayRig.Limit);
        for (int i = 0; i < 4; i++)
        {
            ack = gateway.Send($"{i}");
            SiloCall call = await gateway.NextAsync();
            Assert.NotSame(refused.Silo, call.Silo);
            call.Accept();
            await ack.WaitAsync(GatewayRig.Limit);
        }

        gateway.Time.Advance(TimeSpan.FromMilliseconds(100));
        _ = gateway.Send(["a", "b"]);
        gateway.Time.Advance(TimeSpan.FromMilliseconds(2));
        Assert.Equal(2, gateway.Open.Select(call => call.Silo).Distinct().Count());
    }

    [Fact]
    public async Task Memory_that_a_failed_call_may_still_hold_is_not_used_again()
    {
        using var gateway = new GatewayRig(silos: 2);
        Task<Ack> ack = gateway.Send("first");
        SiloCall failed = await gateway.NextAsync();
        failed.FailInTheCall();
        await ack.WaitAsync(GatewayRig.Limit);
        for (int i = 0; i < 20; i++)
        {
            ack = gateway.Send($"other-{i}");
            (await gateway.NextAsync()).Accept();
            await ack.WaitAsync(GatewayRig.Limit);
        }

        Assert.Equal(["first"], EventLines.Decode(failed.Packet.Lines.ToArray()));
    }
}
