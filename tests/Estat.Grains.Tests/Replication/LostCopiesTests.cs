// Copies whose files or folder somebody takes away: what open files still hold is stored, or counted as lost.
using Estat.Base.Storage;
using Estat.Collect.Spooling;
using Estat.Grains.Replication;
using Microsoft.Extensions.Logging;

namespace Estat.Grains.Tests.Replication;

public sealed class LostCopiesTests
{
    private const string Key = "raw/dt=2026-01-02/hr=03/1767323045_0123456789abcdef0123456789abcdef-7_1.jsonl.gz";

    [Fact]
    public async Task Copies_whose_folder_is_removed_are_stored_from_their_open_files_and_take_nothing_more()
    {
        await using var cluster = new ReplicaCluster(1);
        ReplicaNode node = cluster.Nodes[0];
        ReplicaRecords Records(long first, params string[] bodies) => new(Key, 1_767_323_045_000, first, bodies.Length, EventLines.Encode(bodies));
        Assert.Equal(ReplicaAnswer.Held, await node.Replicas.Store.HoldAsync(Records(1, "a", "b")));
        node.Store.Fails = StorageFailure.Transient;
        string copies = Path.Combine(node.SpoolDir, "replicas"); // a file may be made in it while it is removed
        await Command.RunAsync(TestNode.Limit, "sh", "-c", $"until rm -rf '{copies}'; do :; done");
        await Wait.UntilAsync(() => !node.Engine.IsReady, TestNode.Limit, "the loss to be noticed");
        Assert.Equal(ReplicaAnswer.Refused, await node.Replicas.Store.HoldAsync(Records(3, "c")));
        await Wait.UntilAsync(() => node.Engine.DlqFiles == 1, TestNode.Limit, "the copy to be on a disk again");
        node.Store.Fails = null;
        await node.DrainAsync();
        Assert.Equal(0, node.Engine.Ledger.Read().Dropped);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Copies_without_a_name_that_are_being_uploaded_when_a_drain_ends_are_on_a_disk_or_counted_as_dropped(bool hasDlq)
    {
        using var folder = new TempFolder();
        await using var cluster = new ReplicaCluster(1);
        ReplicaNode node = cluster.Nodes[0];
        var records = new ReplicaRecords(Key, 1_767_323_045_000, 1, 2, EventLines.Encode(["a", "b"]));
        Assert.Equal(ReplicaAnswer.Held, await node.Replicas.Store.HoldAsync(records));
        node.Store.Gate = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        string dlq = node.SpoolDir.Replace("-spool", "-dlq", StringComparison.Ordinal);
        foreach (string segment in Directory.GetFiles(Path.Combine(node.SpoolDir, "replicas"), "*" + Spool.Extension))
        {
            File.Move(segment, folder[Path.GetFileName(segment)]);
        }

        await Wait.UntilAsync(() => node.Store.Creates == 1, TestNode.Limit, "the copy to be on its way");
        if (!hasDlq)
        {
            Directory.Move(dlq, folder["dlq-elsewhere"]);
            await Wait.UntilAsync(() => node.Log.Of(LogLevel.Critical).Any(line => line.StartsWith("DLQ_DIR", StringComparison.Ordinal)),
                TestNode.Limit, "the loss of the DLQ to be noticed");
        }

        using var hurry = new CancellationTokenSource();
        await hurry.CancelAsync();
        long lost = await node.DrainAsync(hurry.Token);
        Assert.Equal((hasDlq ? 0 : 2, 0), (lost, node.Engine.Ledger.Read().Spooled));
        Assert.Equal(hasDlq ? (2, 0) : (0, 2), (node.Engine.Ledger.Read().Dlq, node.Engine.Ledger.Read().Dropped));
        if (!hasDlq)
        {
            Assert.Contains(node.Log.Of(LogLevel.Critical), line => line.Contains("2 acknowledged events are lost", StringComparison.Ordinal));
            Directory.Move(folder["dlq-elsewhere"], dlq);
        }
    }
}
