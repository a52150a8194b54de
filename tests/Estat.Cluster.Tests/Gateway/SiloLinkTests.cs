// A link reaches its own silo and no other, and is certain of nothing that it handed over.
using System.Net;
using Estat.Api.Options;
using Estat.Base.Acks;
using Estat.Base.Options;
using Estat.Cluster.Tests.Support;
using Estat.Grains.Forwarding;
using Estat.Silo.Forwarding;
using Microsoft.Extensions.Logging.Abstractions;

namespace Estat.Cluster.Tests.Gateway;

public sealed class SiloLinkTests : IDisposable
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(30);
    private readonly TempFolder _folder = new();

    [Fact]
    public async Task Each_packet_goes_to_the_silo_of_its_link()
    {
        EstatOptions first = RunningSilo.OptionsIn(_folder, "silo-1");
        EstatOptions second = RunningSilo.OptionsIn(_folder, "silo-2", cluster => cluster with { SeedAddr = first.Cluster.SiloAddr });
        await using RunningSilo one = await RunningSilo.StartAsync(first);
        await using RunningSilo two = await RunningSilo.StartAsync(second);
        await using SiloLink toOne = LinkTo(first);
        await using SiloLink toTwo = LinkTo(second);
        await UntilAnswersAsync(toOne);
        await UntilAnswersAsync(toTwo);
        for (int partition = 0; partition < 4; partition++)
        {
            Ack atOne = await toOne.SendAsync(PacketOf(partition, "one"));
            Ack atTwo = await toTwo.SendAsync(PacketOf(partition, "two"));
            Assert.Equal((Admission.Accepted, Admission.Accepted), (atOne.Admission, atTwo.Admission));
            Assert.Contains(one.Instance, atOne.Key, StringComparison.Ordinal);
            Assert.Contains(two.Instance, atTwo.Key, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task A_silo_that_was_never_reached_or_is_gone_has_certainly_not_taken_a_packet()
    {
        EstatOptions options = RunningSilo.OptionsIn(_folder, "silo-1");
        await using SiloLink link = LinkTo(options);
        await Assert.ThrowsAsync<NotTakenException>(() => link.SendAsync(PacketOf(0, "nobody")));

        RunningSilo silo = await RunningSilo.StartAsync(options);
        await UntilAnswersAsync(link);
        Assert.Equal(Admission.Accepted, (await link.SendAsync(PacketOf(0, "one"))).Admission);
        await silo.StopAsync();
        await Wait.UntilAsync(() => IsNotTakenAsync(link), Limit, "the link to notice that its silo is gone");
        Assert.Equal(["one"], StoredEvents.FromFolder(_folder["data"]).Select(stored => stored.Body));
    }

    [Fact]
    public async Task A_silo_that_lacks_a_level_of_the_gateway_s_is_known_by_its_greeting()
    {
        EstatOptions options = RunningSilo.OptionsIn(_folder, "silo-1");
        await using RunningSilo silo = await RunningSilo.StartAsync(
            options with { Collect = options.Collect with { AckAllowed = [AckLevel.Disk, AckLevel.Replica] } });
        await using SiloLink link = LinkTo(options);
        await using SiloLink same = LinkTo(silo.Options);
        await UntilAnswersAsync(link);
        await UntilAnswersAsync(same);
        Assert.Equal(("memory, stored", null), (link.Lacks, same.Lacks));
    }

    [Fact]
    public async Task A_draining_silo_says_so_and_takes_nothing()
    {
        EstatOptions options = RunningSilo.OptionsIn(_folder, "silo-1");
        await using RunningSilo silo = await RunningSilo.StartAsync(options);
        await using SiloLink link = LinkTo(options);
        await UntilAnswersAsync(link);
        silo.Server.Engine.BeginDrain();
        Assert.Equal(Admission.Draining, (await link.SendAsync(PacketOf(0, "late"))).Admission);
        Assert.False(await link.ProbeAsync());
        await silo.StopAsync();
        Assert.Empty(StoredEvents.FromFolder(_folder["data"]));
    }

    [Fact]
    public async Task A_silo_that_restarted_at_the_same_address_is_greeted_anew_before_it_gets_a_packet()
    {
        EstatOptions options = RunningSilo.OptionsIn(_folder, "silo-1");
        RunningSilo silo = await RunningSilo.StartAsync(options);
        await using SiloLink link = LinkTo(options);
        await UntilAnswersAsync(link);
        string before = silo.Instance;
        await silo.StopAsync();
        silo = await RunningSilo.StartAsync(options);
        await using RunningSilo restarted = silo;
        Assert.NotEqual(before, restarted.Instance);
        await UntilAnswersAsync(link);
        Ack ack = await link.SendAsync(PacketOf(0, "two"));
        Assert.Equal(Admission.Accepted, ack.Admission);
        Assert.Contains(restarted.Instance, ack.Key, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_call_ends_when_its_connection_closes_and_does_not_wait_for_its_time_to_be_up()
    {
        EstatOptions options = RunningSilo.OptionsIn(_folder, "silo-1");
        options = options with { Collect = options.Collect with { StoredMaxWait = TimeSpan.FromMinutes(1) } };
        RunningSilo silo = await RunningSilo.StartAsync(options);
        await using (SiloLink link = LinkTo(options))
        {
            await UntilAnswersAsync(link);
            // The next batch at stored has to wait for a minute after this one.
            Assert.Equal(Admission.Accepted, (await link.SendAsync(PacketOf(0, "first") with { Level = AckLevel.Stored })).Admission);
            Task<Ack> call = link.SendAsync(PacketOf(0, "nobody knows") with { Level = AckLevel.Stored });
            await Wait.UntilAsync(() => silo.Server.Engine.Ledger.Read().Accepted == 2, Limit, "the silo to have the packet");
            link.NotifyClusterConnectionLost(); // as Orleans does
            await Assert.ThrowsAsync<IOException>(() => call.WaitAsync(Limit));
            await Assert.ThrowsAsync<NotTakenException>(() => link.SendAsync(PacketOf(0, "not taken")));
        }

        await silo.StopAsync();
        Assert.Equal(["first", "nobody knows"], StoredEvents.FromFolder(_folder["data"]).Select(stored => stored.Body).Order(StringComparer.Ordinal));
    }

    public void Dispose() => _folder.Dispose();

    private static SiloLink LinkTo(EstatOptions silo)
    {
        ListenAddress address = silo.Cluster.SiloClientAddr[0];
        return new SiloLink(new IPEndPoint(address.Address!, address.Port), silo, tls: null, TimeProvider.System, NullLoggerFactory.Instance);
    }

    private static Packet PacketOf(int partition, params string[] bodies) => new(AckLevel.Disk, partition, bodies.Length, Packets.Lines(bodies));

    private static Task UntilAnswersAsync(SiloLink link) => Wait.UntilAsync(() => AnswersAsync(link), Limit, $"an answer from {link.Name}");

    private static async Task<bool> AnswersAsync(SiloLink link)
    {
        try
        {
            return await link.ProbeAsync();
        }
        catch (Exception error) when (error is not Xunit.Sdk.XunitException)
        {
            return false; // not there yet
        }
    }

    private static async Task<bool> IsNotTakenAsync(SiloLink link)
    {
        try
        {
            await link.SendAsync(PacketOf(0, "gone"));
            return false;
        }
        catch (NotTakenException)
        {
            return true;
        }
        catch (Exception error) when (error is not Xunit.Sdk.XunitException)
        {
            return false; // it had not noticed yet: nobody knows
        }
    }
}
