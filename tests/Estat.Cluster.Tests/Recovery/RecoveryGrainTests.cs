// A recovery grain lives where its spool directory is mounted, and nowhere else.
using Estat.Cluster.Tests.Support;
using Estat.Collect.Http;
using Estat.Grains.Recovery;
using Estat.Silo.Administration;
using Microsoft.Extensions.DependencyInjection;

namespace Estat.Cluster.Tests.Recovery;

public sealed class RecoveryGrainTests
{
    private const string Ticks = "estat_recovery_ticks_total";
    private const string Skipped = "estat_recovery_ticks_skipped_total";

    [Fact]
    public async Task It_runs_on_the_silo_that_has_its_spool_whoever_asks()
    {
        await using TestCluster cluster = await TestCluster.StartAsync(("spool-1", null), ("spool-2", null), ("spool-3", null));
        foreach (string spool in new[] { "spool-1", "spool-2", "spool-3" })
        {
            await UntilAtAsync(cluster, spool);
            foreach (var silo in cluster.Silos)
            {
                double before = TicksAt(cluster, spool);
                await TickAsync(cluster.ServicesOf(silo).GetRequiredService<IGrainFactory>(), cluster.SpoolId(spool));
                Assert.Equal(before + 1, TicksAt(cluster, spool));
            }
        }
    }

    [Fact]
    public async Task Without_its_spool_its_ticks_are_skipped_and_counted_and_it_goes_to_whichever_silo_mounts_it_next()
    {
        await using TestCluster cluster = await TestCluster.StartAsync(("spool-1", null), ("spool-2", null));
        var first = cluster.At("spool-2");
        await UntilAtAsync(cluster, "spool-2");
        await cluster.StopAsync(first);

        double skipped = cluster.NodeOf(cluster.At("spool-1")).Metric(Skipped);
        await TickAsync(cluster.Client, cluster.SpoolId("spool-2"));
        Assert.Equal(skipped + 1, cluster.NodeOf(cluster.At("spool-1")).Metric(Skipped));

        // Another silo as far as the cluster knows.
        var second = await cluster.AddAsync("spool-2");
        Assert.NotEqual(first.SiloAddress.Endpoint, second.SiloAddress.Endpoint);
        await UntilAtAsync(cluster, "spool-2");
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

    [Fact]
    public async Task An_operator_removes_the_reminder_of_a_spool_that_never_comes_back_and_a_silo_that_mounts_it_makes_it_again()
    {
        await using TestCluster cluster = await TestCluster.StartAsync(("spool-1", null), ("spool-2", null));
        var silo = cluster.At("spool-1");
        var reminders = cluster.ServicesOf(silo).GetRequiredService<IReminderTable>();
        var spools = new SpoolReminders();
        spools.Join(cluster.ServicesOf(silo));
        string mounted = cluster.SpoolId("spool-1");
        string gone = cluster.SpoolId("spool-2");
        await Wait.UntilAsync(async () => (await spools.ListAsync()).Count(spool => spool.Node is not null) == 2, TestCluster.Limit, "both spools",
            () => string.Join(", ", spools.ListAsync().Result));
        await cluster.StopAsync(cluster.At("spool-2"));
        // The table of this cluster is a grain: when it was on the silo that left, its rows went with it, and until the other silo knows that, a row
        // may go there too. Tables of production keep theirs.
        await Wait.UntilAsync(
            async () =>
            {
                try
                {
                    await reminders.UpsertRow(Reminder(cluster, mounted));
                    await reminders.UpsertRow(Reminder(cluster, gone));
                    return (await spools.ListAsync()).Count(spool => spool.Spool == mounted || (spool.Spool == gone && spool.Node is null)) == 2;
                }
                catch (OrleansException)
                {
                    return false; // the silo that left was asked
                }
            },
            TestCluster.Limit, "the second silo to have left, and both rows to be there");

        Assert.Equal(ForgetEnd.Mounted, await spools.ForgetAsync(mounted));
        Assert.Equal(ForgetEnd.Forgotten, await spools.ForgetAsync(gone));
        Assert.Equal(ForgetEnd.Missing, await spools.ForgetAsync(gone));
        Assert.Equal(mounted, Assert.Single(await spools.ListAsync()).Spool);
        Assert.Empty((await reminders.ReadRows(cluster.Client.GetGrain<IRecoveryGrain>(gone).GetGrainId())).Reminders);

        await cluster.AddAsync("spool-2");
        await Wait.UntilAsync(
            async () => (await spools.ListAsync()).Any(spool => spool is { Node: not null } && spool.Spool == gone), TestCluster.Limit,
            "the spool to be back");
    }

    private static ReminderEntry Reminder(TestCluster cluster, string spool) => new()
    {
        GrainId = cluster.Client.GetGrain<IRecoveryGrain>(spool).GetGrainId(),
        ReminderName = "recover",
        StartAt = DateTime.UtcNow.AddMinutes(1),
        Period = TimeSpan.FromMinutes(1),
    };

    // What silos say about themselves takes a moment to get round; until then a tick may find nobody.
    private static async Task UntilAtAsync(TestCluster cluster, string spool)
    {
        double before = TicksAt(cluster, spool);
        await Wait.UntilAsync(
            async () =>
            {
                await TickAsync(cluster.Client, cluster.SpoolId(spool));
                return TicksAt(cluster, spool) > before;
            }, TestCluster.Limit, $"the recovery of {spool} at the silo that has it");
    }

    private static double TicksAt(TestCluster cluster, string spool) => cluster.NodeOf(cluster.At(spool)).Metric(Ticks);

    // As the reminder service does.
    private static Task TickAsync(IGrainFactory grains, string spool) =>
        grains.GetGrain<IRecoveryGrain>(spool).AsReference<IRemindable>().ReceiveReminder("recover", default);
}
