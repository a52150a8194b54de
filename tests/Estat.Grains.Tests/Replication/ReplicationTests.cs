// ACK=replica: what is acknowledged is on two disks, whoever dies, and is stored once, whoever stores it.
using Estat.Base.Acks;
using Estat.Base.Storage;
using Estat.Collect.Options;
using Estat.Http.Options;

namespace Estat.Grains.Tests.Replication;

public sealed class ReplicationTests
{
    [Fact]
    public async Task An_event_is_acknowledged_once_the_partner_holds_it_and_not_before()
    {
        await using var cluster = new ReplicaCluster(2);
        var gate = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var arrived = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        cluster.Nodes[1].OnTheWay = async call =>
        {
            arrived.TrySetResult();
            await gate.Task;
            return await call();
        };
        Task<Ack> asked = cluster.Nodes[0].AskAsync("a").AsTask();
        await arrived.Task.WaitAsync(TestNode.Limit, TestContext.Current.CancellationToken);
        await Wait.UntilAsync(
            () => cluster.Nodes[0].Metrics.Write()
                .Contains("estat_spool_flush_seconds_count 1", StringComparison.Ordinal), TestNode.Limit, "its own sync");
        Assert.False(asked.IsCompleted);
        gate.SetResult();
        Ack ack = await asked.WaitAsync(TestNode.Limit, TestContext.Current.CancellationToken);
        Assert.Equal((Admission.Accepted, AckLevel.Replica), (ack.Admission, ack.Level));
        Assert.Equal(1, cluster.Nodes[1].Replicas.Store.Batches);
    }

    [Fact]
    public async Task What_is_stored_is_forgotten_by_the_partner()
    {
        await using var cluster = new ReplicaCluster(2);
        await SendAllAsync(cluster.Nodes[0], EventLines.Bodies(20));
        await cluster.Nodes[0].DrainAsync();
        await Wait.UntilAsync(() => cluster.Nodes[1].Replicas.Store.Batches == 0, TestNode.Limit, "the release");
        await cluster.Nodes[1].DrainAsync();
        Assert.Equal(EventLines.Bodies(20).Order(StringComparer.Ordinal), cluster.Stored);
        Assert.Equal(1, cluster.Nodes.Sum(node => node.Store.Creates));
    }

    [Fact]
    public async Task The_batches_of_a_dead_silo_are_stored_by_its_partner_under_their_own_keys()
    {
        await using var cluster = new ReplicaCluster(2);
        cluster.Announce();
        Ack[] acks = await SendAllAsync(cluster.Nodes[0], EventLines.Bodies(20));
        cluster.Declare(cluster.Nodes[0]);
        await Wait.UntilAsync(() => cluster.Stored.Length == 20, TestNode.Limit, "the partner to store them");
        Assert.All(acks, ack => Assert.True(File.Exists(Path.Combine(cluster.Data, ack.Key)), ack.Key));

        // It was only slow: it finds its batch there.
        await cluster.Nodes[0].DrainAsync();
        Assert.Equal(EventLines.Bodies(20).Order(StringComparer.Ordinal), cluster.Stored);
        await Wait.UntilAsync(() => cluster.Nodes[1].Engine.UnderReplicated == 0, TestNode.Limit, "nothing to be left");
    }

    [Fact]
    public async Task A_silo_whose_partner_has_finished_its_batch_acknowledges_nothing_more_and_stores_the_rest_once()
    {
        await using var cluster = new ReplicaCluster(2);
        cluster.Announce();
        ReplicaNode zombie = cluster.Nodes[0];
        await SendAllAsync(zombie, EventLines.Bodies(10));
        cluster.Nodes[1].Replicas.Store.OnNeighbours([cluster.Nodes[1].Engine.Instance]);
        await Wait.UntilAsync(() => cluster.Stored.Length == 10, TestNode.Limit, "the partner to store what it holds");
        foreach (string body in EventLines.Bodies(5, first: 10))
        {
            Assert.Equal(Admission.NoReplica, (await zombie.SendAsync(body)).Admission);
        }

        await zombie.DrainAsync();
        Assert.Equal(EventLines.Bodies(15).Order(StringComparer.Ordinal), cluster.Stored);
        Assert.Equal(0, zombie.Metrics.Value("estat_key_conflicts_total"));
    }

    [Fact]
    public async Task A_batch_whose_partner_is_lost_leaves_at_once_and_the_next_one_has_another()
    {
        await using var cluster = new ReplicaCluster(3);
        ReplicaNode owner = cluster.Nodes[0];
        owner.Preferred = cluster.Nodes[1];
        owner.Store.Gate = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await SendAllAsync(owner, EventLines.Bodies(10));
        Assert.Equal(0, owner.Engine.UnderReplicated);
        cluster.Declare(cluster.Nodes[1]);
        Assert.Equal(10, owner.Engine.UnderReplicated);
        await Wait.UntilAsync(() => owner.Store.Creates == 1, TestNode.Limit, "the upload to begin"); // nobody sends: the watch sees it
        Assert.Equal(AckLevel.Replica, (await owner.SendAsync("later")).Level);
        Assert.Equal(1, cluster.Nodes[2].Replicas.Store.Batches);
        owner.Store.Gate.SetResult();
        await Wait.UntilAsync(() => owner.Engine.UnderReplicated == 0, TestNode.Limit, "the batch to be stored");
        Assert.Equal(1, owner.Metrics.Value("estat_batches_sealed_total{reason=\"partner_lost\"}"));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_call_that_breaks_is_no_acknowledgement_whether_or_not_it_arrived(bool arrives)
    {
        await using var cluster = new ReplicaCluster(3);
        ReplicaNode owner = cluster.Nodes[0];
        owner.Preferred = cluster.Nodes[1];
        await SendAllAsync(owner, ["a"]);
        cluster.Nodes[1].OnTheWay = async call =>
        {
            if (arrives)
            {
                await call();
            }

            throw new TimeoutException("no answer");
        };
        Assert.Equal(Admission.NoReplica, (await owner.SendAsync("b")).Admission);
        Assert.Equal(AckLevel.Replica, (await owner.SendAsync("c")).Level);
        cluster.Nodes[1].OnTheWay = null;
        await DrainAllAsync(cluster);
        Assert.Equal(["a", "b", "c"], cluster.Stored);
    }

    [Fact]
    public async Task While_storage_does_not_answer_a_lost_copy_is_made_afresh_elsewhere()
    {
        await using var cluster = new ReplicaCluster(3);
        cluster.Announce();
        ReplicaNode owner = cluster.Nodes[0];
        owner.Preferred = cluster.Nodes[1];
        cluster.Nodes.ForEach(node => node.Store.Fails = StorageFailure.Transient);
        await SendAllAsync(owner, EventLines.Bodies(50));
        cluster.Declare(cluster.Nodes[1]);
        await Wait.UntilAsync(() => cluster.Nodes[2].Replicas.Store.Batches == 1, TestNode.Limit, "a second copy");
        await Wait.UntilAsync(() => owner.Engine.UnderReplicated == 0, TestNode.Limit, "the metric to know");
        cluster.Declare(owner);
        cluster.Nodes[2].Store.Fails = null;
        await Wait.UntilAsync(() => cluster.Stored.Length == 50, TestNode.Limit, "the third silo to store the batch");
        cluster.Nodes.ForEach(node => node.Store.Fails = null);
        await DrainAllAsync(cluster);
        Assert.Equal(EventLines.Bodies(50).Order(StringComparer.Ordinal), cluster.Stored);
    }

    [Fact]
    public async Task Alone_a_silo_turns_requests_away_before_it_reads_them()
    {
        await using var cluster = new ReplicaCluster(1);
        Assert.Equal(Admission.NoReplica, cluster.Nodes[0].Engine.Ingest.Outlook(AckLevel.Replica));
        Assert.Equal(Admission.Accepted, cluster.Nodes[0].Engine.Ingest.Outlook(AckLevel.Disk));
    }

    [Fact]
    public async Task Alone_and_allowed_to_it_answers_disk_until_somebody_comes()
    {
        await using var cluster = new ReplicaCluster(2, ReplicaDegradedPolicy.Disk);
        cluster.Nodes[1].IsAlive = false;
        Assert.Equal(AckLevel.Disk, (await cluster.Nodes[0].SendAsync("a")).Level);
        Assert.Equal(1, cluster.Nodes[0].Metrics.Value("estat_replica_degraded_events_total"));
        cluster.Nodes[1].IsAlive = true;
        await Wait.UntilAsync(() => cluster.Stored.Length == 1, TestNode.Limit, "the batch without a copy to end");
        Assert.Equal(AckLevel.Replica, (await cluster.Nodes[0].SendAsync("b")).Level);
        await DrainAllAsync(cluster);
        Assert.Equal(["a", "b"], cluster.Stored);
    }

    [Fact]
    public async Task A_silo_that_drains_holds_nothing_more_and_others_take_over()
    {
        await using var cluster = new ReplicaCluster(3);
        ReplicaNode owner = cluster.Nodes[0];
        owner.Preferred = cluster.Nodes[1];
        await SendAllAsync(owner, ["a", "b"]);
        await cluster.Nodes[1].DrainAsync();
        Ack first = await owner.SendAsync("c");
        Ack second = await owner.SendAsync("d");
        Assert.Equal(Admission.NoReplica, first.Admission);
        Assert.Equal(AckLevel.Replica, second.Level);
        await DrainAllAsync(cluster);
        Assert.Equal(["a", "b", "c", "d"], cluster.Stored);
    }

    [Fact]
    public async Task A_partner_that_stalled_once_is_chosen_again_after_a_while()
    {
        var time = new ManualTimeProvider();
        await using var cluster = new ReplicaCluster(3, time: time);
        ReplicaNode owner = cluster.Nodes[0];
        owner.Preferred = cluster.Nodes[1];
        cluster.Nodes[1].OnTheWay = _ => throw new TimeoutException("a stall");
        Assert.Equal(Admission.NoReplica, (await owner.SendAsync("a")).Admission);
        cluster.Nodes[1].OnTheWay = null;
        await SendAllAsync(owner, ["b"]);
        Assert.Equal((0, 1), (cluster.Nodes[1].Replicas.Store.Batches, cluster.Nodes[2].Replicas.Store.Batches));
        time.Advance(TimeSpan.FromSeconds(11));
        owner.Engine.Flush();
        await SendAllAsync(owner, ["c"]);
        Assert.Equal(1, cluster.Nodes[1].Replicas.Store.Batches);
    }

    [Fact]
    public async Task A_batch_that_ends_in_the_quarantine_is_not_stored_by_its_partner_as_well()
    {
        await using var cluster = new ReplicaCluster(
            2, openCompressor: content => new FailingCompressor(content, failingWrite: 1, FailingCompressor.Disposal.Fails));
        await SendAllAsync(cluster.Nodes[0], ["a", "b"]);
        cluster.Nodes[0].Engine.Flush();
        await Wait.UntilAsync(() => cluster.Nodes[0].Engine.Ledger.Read().Quarantined == 2, TestNode.Limit, "the quarantine");
        await Wait.UntilAsync(() => cluster.Nodes[1].Replicas.Store.Batches == 0, TestNode.Limit, "the release");
        await DrainAllAsync(cluster);
        Assert.Empty(cluster.Stored);
    }

    [Fact]
    public async Task When_the_owner_s_disk_damaged_a_batch_the_copy_is_kept_and_makes_it_whole()
    {
        await using var cluster = new ReplicaCluster(2, options: new CollectOptions { BatchSize = 5, UploadQueue = 1, UploadConcurrency = 1 });
        ReplicaNode owner = cluster.Nodes[0];
        owner.Store.Gate = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        foreach (string body in EventLines.Bodies(25, first: 10))
        {
            await SendAllAsync(owner, [body]); // a record each
        }

        // One batch is being uploaded, one is queued, one is read by the backlog, and the last of those that wait unread is damaged in its last
        // record.
        await Wait.UntilAsync(() => owner.Engine.SpoolWaiting == 3, TestNode.Limit, "three batches to wait in the spool");
        string segment = Directory.GetFiles(owner.SpoolDir, "*.seg").Where(HoldsEvents).Order(StringComparer.Ordinal).Last();
        using (FileStream file = new(segment, FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite))
        {
            var bytes = new byte[file.Length];
            file.ReadExactly(bytes);
            file.Position = bytes.AsSpan().LastIndexOf("event-34"u8);
            file.WriteByte((byte)'X');
        }

        owner.Store.Gate.SetResult();
        await Wait.UntilAsync(() => owner.Engine.SpoolWaiting == 0, TestNode.Limit, "all to be stored");
        await DrainAllAsync(cluster);
        Assert.Equal(EventLines.Bodies(25, first: 10), cluster.Stored);
    }

    private static bool HoldsEvents(string segment)
    {
        using FileStream file = new(segment, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
        var bytes = new byte[file.Length];
        file.ReadExactly(bytes);
        return bytes.AsSpan().IndexOf("event-"u8) >= 0;
    }

    private static async Task<Ack[]> SendAllAsync(ReplicaNode node, IEnumerable<string> bodies)
    {
        Ack[] acks = await Task.WhenAll(bodies.Select(body => node.AskAsync(body).AsTask())).WaitAsync(TestNode.Limit);
        Assert.All(acks, ack => Assert.Equal((Admission.Accepted, AckLevel.Replica), (ack.Admission, ack.Level)));
        return acks;
    }

    private static async Task DrainAllAsync(ReplicaCluster cluster)
    {
        foreach (ReplicaNode node in cluster.Nodes)
        {
            await node.DrainAsync();
        }
    }
}
