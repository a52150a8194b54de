// Silos that hang, die, come back, join and leave.
using Estat.Base.Acks;
using Estat.Collect.Options;

namespace Estat.Grains.Tests.Forwarding;

public sealed class SiloHealthTests
{
    [Fact]
    public async Task A_silo_that_hangs_does_not_stop_the_others()
    {
        using var gateway = new GatewayRig(silos: 3);
        gateway.Silos[1].AtOnce = gateway.Silos[2].AtOnce = packet => Task.FromResult(new Ack(Admission.Accepted, packet.Level, "key"));
        var acks = new List<Task<Ack>>();
        for (int i = 0; i < 20_000; i++)
        {
            acks.Add(gateway.Send($"event-{i}"));
        }

        gateway.Time.Advance(TimeSpan.FromSeconds(1));
        int held = gateway.Silos[0].Open.Sum(call => call.Packet.Events);
        Assert.InRange(gateway.Silos[0].Open.Length, 1, 4);
        await Wait.UntilAsync(() =>
            acks.Count(ack => ack.IsCompletedSuccessfully) == acks.Count - held, GatewayRig.Limit, "all answers but those of the silo that hangs");
        Assert.All(acks.Where(ack => ack.IsCompleted), ack => Assert.True(ack.Result.IsAccepted));
    }

    [Fact]
    public async Task A_dead_cluster_is_told_at_once_after_the_first_failure()
    {
        using var gateway = new GatewayRig();
        Task<Ack> inFlight = gateway.Send("in flight");
        Task<Ack>[] gathered = gateway.Send(EventLines.Bodies(15));
        Assert.Single(gateway.Open).FailInTheCall();
        Assert.Equal(Admission.Unknown, await GatewayRig.Of(inFlight));
        Assert.All(await Task.WhenAll(gathered).WaitAsync(GatewayRig.Limit), ack => Assert.Equal(Admission.NoSilo, ack.Admission));
        Assert.Equal(Admission.NoSilo, gateway.Ingest.Outlook(AckLevel.Disk));
        Assert.True(gateway.Send("late").IsCompleted);
        Assert.Equal(Admission.NoSilo, await GatewayRig.Of(gateway.SendBlock(["late"])));
        Assert.Equal("no silo answers", gateway.Ingest.NotReadyBecause);
        Assert.Single(gateway.Calls);
        Assert.Equal(0, gateway.Metrics.Value("estat_forward_queue_requests"));
    }

    [Fact]
    public async Task No_silo_at_all_is_told_at_once()
    {
        using var gateway = new GatewayRig(silos: 0);
        Assert.Equal(Admission.NoSilo, gateway.Ingest.Outlook(AckLevel.Memory));
        Assert.Equal(Admission.NoSilo, await GatewayRig.Of(gateway.Send("event")));
    }

    [Fact]
    public async Task A_silo_that_failed_gets_nothing_until_it_answers_a_probe()
    {
        using var gateway = new GatewayRig(silos: 2);
        gateway.Silos[1].AtOnce = packet => Task.FromResult(new Ack(Admission.Accepted, packet.Level, ""));
        var probe = new TaskCompletionSource<bool>();
        gateway.Silos[0].Probe = () => probe.Task;
        _ = gateway.Send(["one of these goes", "to the silo that fails"]);
        gateway.Silos[0].Open[0].FailInTheCall();
        await Wait.UntilAsync(() => gateway.Metrics.Value("estat_forward_silos_healthy") == 1, GatewayRig.Limit, "the silo to be avoided");
        await SendOneByOneAsync(gateway, 10);
        Assert.Single(gateway.Silos[0].Calls);

        await gateway.Time.AdvanceUntilAsync(TimeSpan.FromMilliseconds(100), () => gateway.Silos[0].Probes == 1, "a probe");
        gateway.Time.Advance(TimeSpan.FromMinutes(1));
        Assert.Equal(1, gateway.Silos[0].Probes);
        Assert.Equal(1, gateway.Metrics.Value("estat_forward_silos_healthy"));
        probe.SetResult(true);
        await Wait.UntilAsync(() => gateway.Metrics.Value("estat_forward_silos_healthy") == 2, GatewayRig.Limit, "the silo to be back");
        gateway.Silos[0].AtOnce = gateway.Silos[1].AtOnce;
        await SendOneByOneAsync(gateway, 10);
    }

    [Theory]
    [InlineData(Admission.Draining, 1)]
    [InlineData(Admission.DiskFailed, 1)]
    [InlineData(Admission.NoReplica, 2)]
    [InlineData(Admission.QueueFull, 2)]
    public async Task What_a_silo_answers_says_whether_it_is_avoided(Admission answer, int healthy)
    {
        using var gateway = new GatewayRig(silos: 2);
        _ = gateway.Send("event");
        (await gateway.NextAsync()).Refuse(answer);
        await Wait.UntilAsync(() => gateway.Metrics.Value("estat_forward_silos_healthy") == healthy, GatewayRig.Limit, $"{healthy} healthy silos");
    }

    [Fact]
    public async Task Probes_come_at_growing_distances_until_one_is_answered()
    {
        using var gateway = new GatewayRig();
        int wrong = 0;
        gateway.Silos[0].Probe = () => ++wrong % 2 == 0 ? Task.FromResult(false) : Task.FromException<bool>(new IOException("refused"));
        Task<Ack> ack = gateway.Send("event");
        gateway.Open[0].FailUnreached();
        Assert.Equal(Admission.NoSilo, await GatewayRig.Of(ack));
        var distances = new List<TimeSpan>();
        for (int i = 1; i <= 12; i++)
        {
            await Wait.UntilAsync(() => gateway.Time.NextDue is not null, GatewayRig.Limit, "the next probe's timer");
            distances.Add(gateway.Time.NextDue!.Value);
            gateway.Time.Advance(distances[^1]);
            await Wait.UntilAsync(() => gateway.Silos[0].Probes == i, GatewayRig.Limit, "the probe");
        }

        Assert.InRange(distances[0], TimeSpan.FromMilliseconds(50), TimeSpan.FromMilliseconds(100));
        Assert.InRange(distances[2], TimeSpan.FromMilliseconds(200), TimeSpan.FromMilliseconds(400));
        Assert.All(distances[7..], distance => Assert.InRange(distance, TimeSpan.FromSeconds(2.5), TimeSpan.FromSeconds(5)));

        gateway.Silos[0].Probe = () => Task.FromResult(true);
        await gateway.Time.AdvanceUntilAsync(
            TimeSpan.FromSeconds(1), () => gateway.Ingest.Outlook(AckLevel.Disk) == Admission.Accepted, "the silo to be back");
    }

    [Fact]
    public async Task A_new_list_of_silos_keeps_what_is_known_of_those_that_stay()
    {
        using var gateway = new GatewayRig(silos: 2);
        gateway.Silos[0].Probe = gateway.Silos[1].Probe = () => Task.FromResult(false);
        Task<Ack> ack = gateway.Send("event");
        SiloCall first = await gateway.NextAsync();
        first.FailInTheCall();
        await ack.WaitAsync(GatewayRig.Limit);
        gateway.Links.All = [first.Silo];
        Assert.Equal(Admission.NoSilo, gateway.Ingest.Outlook(AckLevel.Disk));
        gateway.Links.All = [first.Silo, new FakeSilo("joining")];
        Assert.Equal(Admission.Accepted, gateway.Ingest.Outlook(AckLevel.Disk));
        Assert.Equal((2, 1), (gateway.Metrics.Value("estat_forward_silos_known"), gateway.Metrics.Value("estat_forward_silos_healthy")));
    }

    [Fact]
    public async Task A_silo_that_left_is_neither_used_nor_probed()
    {
        using var gateway = new GatewayRig(silos: 2);
        Task<Ack> ack = gateway.Send("event");
        SiloCall first = await gateway.NextAsync();
        FakeSilo left = first.Silo;
        FakeSilo stays = gateway.Silos.Single(silo => silo != left);
        stays.AtOnce = packet => Task.FromResult(new Ack(Admission.Accepted, packet.Level, ""));
        first.FailInTheCall();
        await ack.WaitAsync(GatewayRig.Limit);
        gateway.Links.All = [stays];
        await SendOneByOneAsync(gateway, 10);
        gateway.Time.Advance(TimeSpan.FromMinutes(1));
        Assert.Equal((0, 1), (left.Probes, left.Calls.Length));
    }

    [Fact]
    public async Task Who_waits_for_a_silo_that_hangs_goes_to_one_that_joins()
    {
        using var gateway = new GatewayRig(options: new CollectOptions { ChannelSize = 8 });
        Task<Ack>[] acks = gateway.Send(EventLines.Bodies(8));
        int held = gateway.Silos[0].Open.Sum(call => call.Packet.Events);
        Assert.InRange(held, 1, 7);
        var joining = new FakeSilo("joining") { AtOnce = packet => Task.FromResult(new Ack(Admission.Accepted, packet.Level, "")) };
        gateway.Links.All = [gateway.Silos[0], joining];
        gateway.Time.Advance(TimeSpan.FromMilliseconds(200));
        await Wait.UntilAsync(
            () => acks.Count(ack => ack.IsCompletedSuccessfully) == 8 - held, GatewayRig.Limit, "the silo that joined to take what waits");
    }

    private static async Task SendOneByOneAsync(GatewayRig gateway, int count)
    {
        for (int i = 0; i < count; i++)
        {
            Task<Ack> ack = gateway.Send($"event-{i}");
            gateway.Time.Advance(TimeSpan.FromMilliseconds(2));
            Assert.Equal(Admission.Accepted, await GatewayRig.Of(ack));
        }
    }
}
