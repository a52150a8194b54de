// The partner's side by itself: a copy is a prefix, without gaps, and what was finished stays finished.
using Estat.Grains.Replication;

namespace Estat.Grains.Tests.Replication;

public sealed class ReplicaStoreTests
{
    private const string Key = "raw/dt=2026-01-02/hr=03/1767323045_0123456789abcdef0123456789abcdef-7_1.jsonl.gz";
    private const string Owner = "0123456789abcdef0123456789abcdef-7";

    [Fact]
    public async Task Records_are_held_in_order_and_a_gap_or_a_repetition_is_refused()
    {
        await using var cluster = new ReplicaCluster(1);
        ReplicaStore store = cluster.Nodes[0].Replicas.Store;
        Assert.Equal(ReplicaAnswer.Held, await store.HoldAsync(Records(1, "a", "b")));
        Assert.Equal(ReplicaAnswer.Refused, await store.HoldAsync(Records(4, "d")));
        Assert.Equal(ReplicaAnswer.Refused, await store.HoldAsync(Records(1, "a", "b")));
        Assert.Equal(ReplicaAnswer.Held, await store.HoldAsync(Records(3, "c")));
        await cluster.Nodes[0].DrainAsync();
        Assert.Equal(["a", "b", "c"], cluster.Stored);
    }

    [Fact]
    public async Task A_batch_is_held_from_its_first_record_or_not_at_all()
    {
        await using var cluster = new ReplicaCluster(1);
        Assert.Equal(ReplicaAnswer.Refused, await cluster.Nodes[0].Replicas.Store.HoldAsync(Records(3, "c")));
        await cluster.Nodes[0].DrainAsync();
        Assert.Empty(cluster.Stored);
    }

    [Fact]
    public async Task A_batch_that_was_finished_takes_nothing_more_and_nor_does_its_owner_begin_another()
    {
        await using var cluster = new ReplicaCluster(1);
        ReplicaStore store = cluster.Nodes[0].Replicas.Store;
        store.OnNeighbours([Owner]);
        Assert.Equal(ReplicaAnswer.Held, await store.HoldAsync(Records(1, "a")));
        store.OnNeighbours([]);
        Assert.Equal(ReplicaAnswer.Refused, await store.HoldAsync(Records(2, "b")));
        Assert.Equal(ReplicaAnswer.Refused,
            await store.HoldAsync(Records(1, "x") with { Key = Key.Replace("_1.", "_2.", StringComparison.Ordinal) }));
        await Wait.UntilAsync(() => cluster.Stored.Length == 1, TestNode.Limit, "the copy to be stored");
        Assert.Equal(Key, Path.GetRelativePath(cluster.Data, Directory.GetFiles(cluster.Data, "*.gz", SearchOption.AllDirectories).Single()));
    }

    [Fact]
    public async Task An_owner_that_membership_does_not_know_yet_is_not_taken_for_dead()
    {
        await using var cluster = new ReplicaCluster(1);
        ReplicaStore store = cluster.Nodes[0].Replicas.Store;
        store.OnNeighbours(["another"]);
        Assert.Equal(ReplicaAnswer.Held, await store.HoldAsync(Records(1, "a")));
        store.OnNeighbours(["another"]);
        Assert.Equal(ReplicaAnswer.Held, await store.HoldAsync(Records(2, "b")));
    }

    [Fact]
    public async Task What_is_stored_is_forgotten_and_its_file_is_gone()
    {
        await using var cluster = new ReplicaCluster(1);
        ReplicaStore store = cluster.Nodes[0].Replicas.Store;
        await store.HoldAsync(Records(1, "a"));
        store.Release([Key]);
        Assert.Equal(ReplicaAnswer.Refused, await store.HoldAsync(Records(2, "b")));
        Assert.Equal(0, store.Batches);
        await cluster.Nodes[0].DrainAsync();
        Assert.Empty(cluster.Stored);
        Assert.Equal(0, cluster.Nodes[0].Engine.SpoolBytes);
    }

    [Fact]
    public async Task A_copy_without_word_from_its_owner_is_stored_in_the_end()
    {
        var time = new ManualTimeProvider();
        await using var cluster = new ReplicaCluster(1, time: time);
        await cluster.Nodes[0].Replicas.Store.HoldAsync(Records(1, "a"));
        time.Advance(TimeSpan.FromMinutes(2)); // FLUSH_INTERVAL
        await cluster.Nodes[0].Replicas.Store.HoldAsync(Records(2, "b"));
        Assert.Equal(1, cluster.Nodes[0].Replicas.Store.Batches);
        await time.AdvanceUntilAsync(TimeSpan.FromSeconds(5), () => cluster.Stored.Length == 2, "the copy to be stored");
    }

    [Fact]
    public async Task Copies_are_stored_after_a_restart_and_their_batches_take_nothing_more()
    {
        using var folder = new TempFolder();
        await using (var before = new ReplicaCluster(1))
        {
            await before.Nodes[0].Replicas.Store.HoldAsync(Records(1, "a", "b"));
            CopyFolder(Path.Combine(before.Nodes[0].SpoolDir, "replicas"), folder["copy"]);
        }

        await using var after = new ReplicaCluster(1, beforeStart: node => CopyFolder(folder["copy"], Path.Combine(node.SpoolDir, "replicas")));
        Assert.Equal(ReplicaAnswer.Refused, await after.Nodes[0].Replicas.Store.HoldAsync(Records(3, "c")));
        await Wait.UntilAsync(() => after.Stored.Length == 2, TestNode.Limit, "the copy to be stored");
    }

    private static ReplicaRecords Records(long first, params string[] bodies) =>
        new(Key, 1_767_323_045_000, first, bodies.Length, EventLines.Encode(bodies));

    private static void CopyFolder(string from, string to)
    {
        Directory.CreateDirectory(to);
        foreach (string file in Directory.GetFiles(from, "*.seg"))
        {
            File.Copy(file, Path.Combine(to, Path.GetFileName(file)), overwrite: true);
        }
    }
}
