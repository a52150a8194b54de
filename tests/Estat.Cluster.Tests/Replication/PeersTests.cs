// Silos find partners by membership: alive, spread, in another zone; and they are told whose copies to finish.
using Estat.Cluster.Tests.Support;
using Estat.Grains.Replication;
using Estat.Silo.Replication;

namespace Estat.Cluster.Tests.Replication;

public sealed class PeersTests
{
    [Fact]
    public async Task A_batch_s_copy_goes_to_another_zone_when_there_is_one_and_arrives_there()
    {
        await using TestCluster cluster = await TestCluster.StartAsync(("spool-1", "north"), ("spool-2", "north"), ("spool-3", "south"));
        await UntilAllKnowAsync(cluster);
        SiloNode north = cluster.NodeOf(cluster.At("spool-1"));
        SiloNode south = cluster.NodeOf(cluster.At("spool-3"));
        for (int batch = 1; batch <= 20; batch++)
        {
            IReplicaPartner partner = north.Peers.Choose($"raw/{batch}.jsonl.gz", except: null)!;
            var records = new ReplicaRecords($"raw/{batch}.jsonl.gz", 1_700_000_000_123, 7, 2, Packets.Lines($"a{batch}", $"b{batch}"));
            Assert.Equal(ReplicaAnswer.Held, await partner.HoldAsync(records));
            await partner.ReleaseAsync([records.Key]);
        }

        Assert.Equal(Enumerable.Range(1, 20).Select(batch => $"raw/{batch}.jsonl.gz"), south.Holder.Held.Select(held => held.Key));
        Assert.Equal(Enumerable.Range(1, 20).Select(batch => $"raw/{batch}.jsonl.gz"), south.Holder.Released);
        Assert.Equal((7, 2), (south.Holder.Held[0].FirstSequence, south.Holder.Held[0].Events));
        Assert.Contains("\"body\":\"b1\"}", south.Holder.Held[0].Lines, StringComparison.Ordinal);

        south.Holder.Answer = ReplicaAnswer.Refused;
        IReplicaPartner refusing = north.Peers.Choose("raw/21.jsonl.gz", except: null)!;
        Assert.Equal(ReplicaAnswer.Refused, await refusing.HoldAsync(new ReplicaRecords("raw/21.jsonl.gz", 0, 1, 1, Packets.Lines("c"))));

        // From the south, both are in another zone.
        Assert.Equal(2, Enumerable.Range(1, 50).Select(batch => south.Peers.Choose($"raw/{batch}.jsonl.gz", except: null)!.Name).Distinct().Count());
    }

    [Fact]
    public async Task A_silo_that_left_is_nobody_s_partner_any_more_and_the_others_are_told_who_is_left()
    {
        await using TestCluster cluster = await TestCluster.StartAsync(("spool-1", null), ("spool-2", null), ("spool-3", null));
        await UntilAllKnowAsync(cluster);
        SiloNode first = cluster.NodeOf(cluster.At("spool-1"));
        SiloNode second = cluster.NodeOf(cluster.At("spool-2"));
        string leaving = cluster.NodeOf(cluster.At("spool-3")).Engine.Instance;
        ReplicaPartner partner = first.Peers.Partners.Single(partner => partner.Instance == leaving);
        Assert.True(partner.IsAlive);
        Assert.Equal([.. new[] { second.Engine.Instance, leaving }.Order(StringComparer.Ordinal)], first.Holder.Neighbours!);

        await cluster.StopAsync(cluster.At("spool-3"));
        await Wait.UntilAsync(() => !partner.IsAlive, TestCluster.Limit, "the silo that left to be gone");
        await Wait.UntilAsync(
            () => first.Holder.Neighbours is [var left] && left == second.Engine.Instance, TestCluster.Limit, "word of who is left");
        Assert.All(Enumerable.Range(1, 20),
            batch => Assert.Equal(second.Engine.Instance, ((ReplicaPartner)first.Peers.Choose($"{batch}", partner)!).Instance));
    }

    [Fact]
    public async Task A_silo_that_restarts_is_another_partner()
    {
        await using TestCluster cluster = await TestCluster.StartAsync(("spool-1", null), ("spool-2", null));
        await UntilAllKnowAsync(cluster);
        SiloNode first = cluster.NodeOf(cluster.At("spool-1"));
        ReplicaPartner before = Assert.Single(first.Peers.Partners);
        await cluster.StopAsync(cluster.At("spool-2"));
        await Wait.UntilAsync(() => first.Peers.Partners.Count == 0, TestCluster.Limit, "nobody to be left");
        Assert.Null(first.Peers.Choose("key", except: null));
        await Wait.UntilAsync(() => first.Holder.Neighbours is [], TestCluster.Limit, "word of it"); // which comes after the partners' change

        await cluster.AddAsync("spool-2");
        await Wait.UntilAsync(() => first.Peers.Partners.Count == 1, TestCluster.Limit, "the silo to be back");
        Assert.NotEqual(before.Instance, first.Peers.Partners[0].Instance);
        Assert.False(before.IsAlive);
        Assert.True(first.Peers.Partners[0].IsAlive);
    }

    private static Task UntilAllKnowAsync(TestCluster cluster) => Wait.UntilAsync(
        () => cluster.Silos.All(silo => cluster.NodeOf(silo).Holder.Neighbours?.Length == cluster.Silos.Count - 1), TestCluster.Limit,
        "all silos to know each other");
}
