// A start over a disk without room: it is what frees it.
using Estat.Base.Acks;
using Estat.Collect.Options;
using Microsoft.Extensions.Logging;

namespace Estat.Collect.Tests.Spooling;

public sealed class FullDiskStartTests : SpoolTests
{
    [Theory]
    [InlineData(false, true)]
    [InlineData(true, true)]
    [InlineData(true, false)]
    public async Task A_node_starts_without_room_or_inodes_stores_what_waits_and_takes_events_when_there_is_room(bool withoutInodes, bool hasLock)
    {
        Assert.SkipUnless(SmallDisk.Available(out string reason), reason);
        (TempFolder left, string key) = await LeaveAsync(isSealed: false, 3);
        using var disk = new SmallDisk(4 << 20, inodes: 40);
        string spool = Path.Combine(disk.Path, "spool");
        string dlq = Path.Combine(disk.Path, "dlq");
        Directory.CreateDirectory(spool);
        Directory.CreateDirectory(dlq);
        foreach (string path in Snapshot.Segments(left).Append(left["spool/identity"]))
        {
            File.Copy(path, Path.Combine(spool, Path.GetFileName(path)));
        }

        string[] locks = hasLock ? [Path.Combine(spool, ".lock"), Path.Combine(dlq, ".lock")] : [];
        Array.ForEach(locks, path => File.WriteAllBytes(path, []));
        if (withoutInodes)
        {
            disk.FillInodes();
        }
        else
        {
            disk.Fill();
        }

        CollectOptions options = Quick with
        {
            SpoolDir = spool, DlqDir = dlq, SpoolVolatile = true, DiskMinFreeBytes = withoutInodes ? 0 : 64 * 1024,
            AckAllowed = [AckLevel.Memory, AckLevel.Disk],
        };

        await using TestNode node = new TestNode(left, options);
        HoldUploads(node);
        node.Start();
        Assert.Contains("SPOOL_DIR has no room", node.Engine.NotReadyBecause, StringComparison.Ordinal);
        Assert.All([AckLevel.Memory, AckLevel.Disk], level => Assert.Equal(Admission.StorageFull, node.Engine.Ingest.Outlook(level)));
        Assert.Contains(
            node.Log.Of(LogLevel.Error), line => line.StartsWith("Could not write the number of this start", StringComparison.Ordinal));
        Assert.ThrowsAny<IOException>(() => new TestNode(left, options with { DlqDir = left["dlq2"] })); // it owns the folder all the same
        node.Store.Gate!.SetResult();
        await node.UntilAsync(() => node.Balance.Stored == 3, "the backlog to be stored");
        Assert.Equal([key], node.Keys);

        disk.Free();
        await node.UntilAsync(() => node.Engine.IsReady, "room");
        await node.SendAsync("new");
        Assert.Equal($"{node.Engine.Instance.Replace('-', ' ')}\n", File.ReadAllText(Path.Combine(spool, "identity")));
        Assert.Equal(0, await node.DrainAsync());
        Assert.Equal([.. EventLines.Bodies(3), "new"], node.Stored);
        Assert.Empty(node.Log.Of(LogLevel.Critical));
    }
}
