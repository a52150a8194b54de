// Copies of events that go below a prefix of their own.
using Estat.Base.Acks;

namespace Estat.Grains.Tests.Replication;

public sealed class PrefixCopiesTests
{
    [Fact]
    public async Task The_partner_of_a_dead_silo_stores_its_events_below_their_own_prefix()
    {
        await using var cluster = new ReplicaCluster(2);
        cluster.Announce();
        Ack ack = await cluster.Nodes[0].Engine.Ingest.AcceptAsync(EventLines.Header("shop"), "for shop"u8, AckLevel.Replica);
        Assert.Equal((Admission.Accepted, AckLevel.Replica), (ack.Admission, ack.Level));
        cluster.Declare(cluster.Nodes[0]);
        await Wait.UntilAsync(() => File.Exists(Path.Combine(cluster.Data, ack.Key)), TestNode.Limit, "the partner's upload");
        Assert.StartsWith("shop/dt=", ack.Key, StringComparison.Ordinal);
        Assert.Equal("for shop", Assert.Single(StoredEvents.FromFolder(cluster.Data)).Body);
    }
}
