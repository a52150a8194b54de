// Silos that are slow, suspected, cut off, declared dead or lost with their disks at random: what was acknowledged is stored once, and nothing twice.
using Estat.Base.Acks;
using Estat.Base.Storage;
using Estat.Collect.Options;
using Estat.Grains.Replication;
using Estat.Http.Options;

namespace Estat.Grains.Tests.Replication;

public sealed class ReplicationChaosTests
{
    private const int Seeds = 25;
    private const int Steps = 60;

    public static TheoryData<int> AllSeeds => [.. Enumerable.Range(1, Seeds)];

    [Theory]
    [MemberData(nameof(AllSeeds))]
    public async Task Whatever_goes_wrong_between_silos_every_acknowledged_event_is_stored_once(int seed)
    {
        var random = new Random(seed);
        ReplicaDegradedPolicy degraded = random.Next(2) == 0 ? ReplicaDegradedPolicy.Reject : ReplicaDegradedPolicy.Disk;
        await using var cluster = new ReplicaCluster(
            3, degraded, new CollectOptions { BatchSize = random.Next(3, 40), Storage = new() { S3Timeout = TimeSpan.FromSeconds(1) } });
        cluster.Announce();
        var acked = new Dictionary<string, AckLevel>();
        var pending = new List<(string Body, Task<Ack> Ack)>();
        int number = 0;
        List<ReplicaNode> living = [.. cluster.Nodes];
        for (int step = 0; step < Steps; step++)
        {
            ReplicaNode node = living[random.Next(living.Count)];
            switch (random.Next(13))
            {
                case 0:
                    node.OnTheWay = WayFor(random.Next(4));
                    break;
                case 1:
                    node.Store.Fails = random.Next(3) == 0 ? StorageFailure.Transient : null;
                    break;
                case 2:
                    node.Store.LosesAnswers = random.Next(2) == 0;
                    break;
                case 3 when cluster.Nodes.Count(other => other.IsAlive) > 2:
                    cluster.Declare(node); // it goes on: a silo that was only slow
                    break;
                case 4:
                    node.Preferred = cluster.Nodes[random.Next(3)];
                    break;
                case 5 when living.Count == 3 && step > Steps / 3:
                    await SettleAsync(pending, acked);
                    if (living.All(other => other.Engine.UnderReplicated == 0))
                    {
                        living.Remove(node); // with all that is on its disk
                        node.Store.Fails = StorageFailure.Refused;
                        node.OnTheWay = _ => throw new IOException("there is nobody");
                        cluster.Declare(node);
                    }

                    break;
                default:
                    for (int i = random.Next(1, 8); i > 0; i--)
                    {
                        string body = $"event-{number++}";
                        pending.Add((body, node.AskAsync(body).AsTask()));
                    }

                    break;
            }

            if (random.Next(3) == 0)
            {
                await SettleAsync(pending, acked);
            }
        }

        foreach (ReplicaNode node in living)
        {
            (node.OnTheWay, node.Store.Fails, node.Store.LosesAnswers) = (null, null, false);
        }

        await SettleAsync(pending, acked);
        await Wait.UntilAsync(
            () => living.All(node => node.Engine is { DlqFiles: 0, SpoolWaiting: 0, UnderReplicated: 0 }), TestNode.Limit,
            "the outage's batches to be stored",
            () => string.Join("; ", living.Select(
                node => $"{node.Engine.DlqFiles} in the DLQ, {node.Engine.SpoolWaiting} waiting, {node.Engine.UnderReplicated} under-replicated")));
        foreach (ReplicaNode node in living)
        {
            await node.DrainAsync();
        }

        string[] stored = cluster.Stored;
        Assert.Equal(stored.Distinct(), stored);
        AckLevel promised = living.Count == 3 ? AckLevel.Disk : AckLevel.Replica; // what survives the loss of a disk
        Assert.Empty(acked.Where(item => item.Value >= promised).Select(item => item.Key).Except(stored));
        Assert.All(cluster.Nodes, node => Assert.Equal(0, node.Metrics.Value("estat_key_conflicts_total")));
        Assert.NotEmpty(acked);
    }

    private static Func<Func<Task<ReplicaAnswer>>, Task<ReplicaAnswer>>? WayFor(int kind) => kind switch
    {
        0 => null,
        1 => _ => throw new IOException("the connection was refused"),
        2 => async call =>
        {
            await call();
            throw new TimeoutException("the answer was lost");
        },
        _ => async call =>
        {
            await Task.Yield();
            return await call();
        },
    };

    private static async Task SettleAsync(List<(string Body, Task<Ack> Ack)> pending, Dictionary<string, AckLevel> acked)
    {
        foreach ((string body, Task<Ack> ack) in pending)
        {
            if (await ack.WaitAsync(TestNode.Limit) is { IsAccepted: true } answer)
            {
                acked[body] = answer.Level;
            }
        }

        pending.Clear();
    }
}
