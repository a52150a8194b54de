// A recovery grain lives where its spool directory is mounted, and nowhere else.
using Estat.Cluster.Tests.Support;
using Estat.Grains.Recovery;
using Microsoft.Extensions.DependencyInjection;

namespace Estat.Cluster.Tests.Recovery;

public sealed class RecoveryGrainTests
{
    private const string Skipped = "estat_recovery_ticks_skipped_total";

    [Fact]
    public async Task It_runs_on_the_silo_that_has_its_spool_whoever_asks()
    {
        await using TestCluster cluster = await TestCluster.StartAsync(("spool-1", null), ("spool-2", null), ("spool-3", null));
        foreach (string spool in new[] { "spool-1", "spool-2", "spool-3" })
        {
            string home = cluster.NodeOf(cluster.At(spool)).Engine.Instance;
            await UntilAtAsync(cluster, spool, home);
            foreach (var silo in cluster.Silos)
            {
                IRecoveryGrain grain = cluster.ServicesOf(silo).GetRequiredService<IGrainFactory>().GetGrain<IRecoveryGrain>(cluster.SpoolId(spool));
                Assert.Equal(new RecoveryTick(home, null), await grain.TickAsync());
            }
        }
    }

    [Fact]
    public async Task Without_its_spool_its_ticks_are_skipped_and_counted_and_it_goes_to_whichever_silo_mounts_it_next()
    {
        await using TestCluster cluster = await TestCluster.StartAsync(("spool-1", null), ("spool-2", null));
        var first = cluster.At("spool-2");
        string before = cluster.NodeOf(first).Engine.Instance;
        await UntilAtAsync(cluster, "spool-2", before);
        await cluster.StopAsync(first);

        string spool = cluster.SpoolId("spool-2");
        IRecoveryGrain grain = cluster.Client.GetGrain<IRecoveryGrain>(spool);
        Assert.Equal(new RecoveryTick(null, null), await grain.TickAsync());
        Assert.Equal(1, cluster.NodeOf(cluster.At("spool-1")).Metric(Skipped));

        // Another silo as far as the cluster knows.
        var second = await cluster.AddAsync("spool-2");
        Assert.NotEqual(first.SiloAddress.Endpoint, second.SiloAddress.Endpoint);
        string after = cluster.NodeOf(second).Engine.Instance;
        Assert.NotEqual(before, after);
        await UntilAtAsync(cluster, "spool-2", after);
    }

    [Fact]
    public async Task Each_silo_makes_sure_of_its_own_reminder()
    {
        await using TestCluster cluster = await TestCluster.StartAsync(("spool-1", null), ("spool-2", null));
        var reminders = cluster.ServicesOf(cluster.Silos[0]).GetRequiredService<IReminderTable>();
        foreach (string spool in new[] { "spool-1", "spool-2" })
        {
            GrainId grain = cluster.Client.GetGrain<IRecoveryGrain>(cluster.SpoolId(spool)).GetGrainId();
            await Wait.UntilAsync(
                async () => (await reminders.ReadRows(grain)).Reminders.Any(row => row.Period == TimeSpan.FromMinutes(1)), TestCluster.Limit,
                $"the reminder of {spool}");
        }
    }

    [Fact]
    public async Task Nobody_makes_a_reminder_for_a_spool_that_no_silo_has()
    {
        await using TestCluster cluster = await TestCluster.StartAsync(("spool-1", null));
        IRecoveryGrain made = cluster.Client.GetGrain<IRecoveryGrain>("made-up");
        Exception error = await Assert.ThrowsAnyAsync<Exception>(() => made.ArmAsync());
        Assert.Contains("does not have that spool", error.ToString(), StringComparison.Ordinal);
        var reminders = cluster.ServicesOf(cluster.Silos[0]).GetRequiredService<IReminderTable>();
        Assert.Empty((await reminders.ReadRows(made.GetGrainId())).Reminders);
    }

    // What silos say about themselves takes a moment to get round; until then a tick may find nobody.
    private static Task UntilAtAsync(TestCluster cluster, string spool, string instance)
    {
        IRecoveryGrain grain = cluster.Client.GetGrain<IRecoveryGrain>(cluster.SpoolId(spool));
        RecoveryTick? last = null;
        return Wait.UntilAsync(
            async () => (last = await grain.TickAsync()).Instance == instance, TestCluster.Limit, $"the recovery of {spool} at {instance}",
            () => $"{last}");
    }
}
