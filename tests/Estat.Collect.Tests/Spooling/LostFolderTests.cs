// A folder that is taken from under a running node: it is noticed, nothing more is acknowledged into it, and what open files hold is stored.
using Estat.Base.Acks;
using Estat.Base.Storage;
using Microsoft.Extensions.Logging;

namespace Estat.Collect.Tests.Spooling;

public sealed class LostFolderTests : SpoolTests
{
    private static readonly TimeSpan Second = TimeSpan.FromSeconds(1);

    /// <summary>What people and machines do to a folder.</summary>
    public static TheoryData<string> Ways => ["rm -rf", "emptied", "moved away", "replaced by another", "replaced by a link", "mounted over"];

    [Theory]
    [MemberData(nameof(Ways))]
    public async Task What_was_acknowledged_into_a_folder_that_is_lost_is_stored_and_nothing_more_is_taken(string way)
    {
        using var lost = new LostFolder(way);
        var time = new ManualTimeProvider(DateTimeOffset.UtcNow);
        await using TestNode node = new TestNode(Folder, Quick, time).Start();
        await SendOneByOneAsync(node, 3);
        HoldUploads(node);
        lost.Take(Folder["spool"]);
        // Until the next look the disk takes what comes: acknowledged, it must be stored like the others.
        int taken = 3 + await SendWhileTakenAsync(node, EventLines.Bodies(2, first: 3));

        time.Advance(Second);
        await node.UntilAsync(() => !node.Engine.IsReady || way == "emptied", "the loss to be noticed");
        await node.UntilAsync(() => node.Log.Of(LogLevel.Critical).Length == 1, "the loss to be told");
        Assert.StartsWith($"SPOOL_DIR {Folder["spool"]}", node.Log.Of(LogLevel.Critical)[0], StringComparison.Ordinal);
        Assert.Contains("SPOOL_DIR", node.Engine.NotReadyBecause, StringComparison.Ordinal);
        Assert.Equal((1, 1), (node.Metrics.Value("estat_spool_failing"), node.Metrics.Value("estat_folder_gone{folder=\"spool\"}")));
        Assert.Equal(Admission.DiskFailed, node.Engine.Ingest.Outlook(AckLevel.Disk));
        Assert.Equal(Admission.DiskFailed, await node.TrySendAsync("refused"));
        node.Store.Gate!.SetResult();
        await time.AdvanceUntilAsync(Second, () => node.Balance.Stored == taken, "all that was acknowledged to be stored");
        Assert.Equal(EventLines.Bodies(taken), node.Stored);
        Assert.Equal(0, node.Balance.Dropped);
        node.AssertConserved();
        Assert.Empty(lost.StrangeFiles);
    }

    [Fact]
    public async Task A_batch_that_ends_between_the_loss_and_the_next_look_is_not_left_to_the_disk()
    {
        var time = new ManualTimeProvider(DateTimeOffset.UtcNow);
        await using TestNode node = new TestNode(Folder, Quick with { BatchSize = 2, UploadQueue = 1, UploadConcurrency = 1 }, time).Start();
        HoldUploads(node);
        await SendOneByOneAsync(node, 2);
        await node.UntilAsync(() => node.Store.Creates == 1, "the first batch to be on its way");
        await SendOneByOneAsync(node, 2, first: 2);
        await node.UntilAsync(() => node.Engine.UploadQueueDepth == 1, "the queue to be full");
        await node.SendAsync("event-4"); // its segment is open
        LostFolder.Remove(Folder["spool"]);
        int taken = 5 + await SendWhileTakenAsync(node, ["event-5"]);
        Assert.Equal(6, taken); // nobody can have noticed
        node.Store.Gate!.SetResult();
        await time.AdvanceUntilAsync(Second, () => node.Balance.Stored == taken, "all that was acknowledged to be stored");
        Assert.Equal(EventLines.Bodies(taken), node.Stored);
    }

    [Fact]
    public async Task Segments_that_wait_unread_and_are_removed_are_named_and_counted_as_dropped()
    {
        await using TestNode node = new TestNode(Folder, Quick with { BatchSize = 2, UploadQueue = 1, UploadConcurrency = 1 }).Start();
        await LeaveOneUnreadAsync(node);
        LostFolder.Remove(Folder["spool"]);
        await node.UntilAsync(() => node.Log.Of(LogLevel.Critical)
            .Any(line => line.Contains("acknowledged events are lost", StringComparison.Ordinal)), "the loss to be told");
        node.Store.Gate!.SetResult();
        await node.UntilAsync(() => node.Balance is { Spooled: 0 }, "the rest to be stored");
        long dropped = node.Balance.Dropped;
        Assert.Equal(2, dropped);
        Assert.Equal(6, node.Balance.Stored);
        Assert.Contains($"{dropped} acknowledged events are lost", string.Concat(node.Log.Of(LogLevel.Critical)), StringComparison.Ordinal);
        node.AssertConserved();
    }

    [Fact]
    public async Task The_same_folder_back_in_its_place_is_used_again_with_what_it_holds()
    {
        await using TestNode node = new TestNode(Folder, Quick with { BatchSize = 2, UploadQueue = 1, UploadConcurrency = 1 }).Start();
        await LeaveOneUnreadAsync(node);
        Directory.Move(Folder["spool"], Folder["elsewhere"]);
        await node.UntilAsync(() => !node.Engine.IsReady, "the loss to be noticed");
        node.Store.Gate!.SetResult();
        await node.UntilAsync(() => node.Balance is { Spooled: 0, Stored: 8 }, "all to be stored, by the way that is still open");
        Directory.Move(Folder["elsewhere"], Folder["spool"]);
        await node.UntilAsync(() => node.Engine.IsReady, "the folder to be seen again");
        await node.SendAsync("later");
        Assert.Equal(0, await node.DrainAsync());
        Assert.Equal([.. EventLines.Bodies(8), "later"], node.Stored);
        Assert.Empty(Snapshot.Segments(Folder));
    }

    [Fact]
    public async Task A_folder_that_was_emptied_is_used_again_under_the_same_identity()
    {
        await using TestNode node = new TestNode(Folder, Quick).Start();
        await SendOneByOneAsync(node, 3);
        string identity = File.ReadAllText(Folder["spool/identity"]);
        Array.ForEach(Directory.GetFiles(Folder["spool"]), File.Delete); // the lock as well
        await node.UntilAsync(() => node.Balance.Stored == 3, "the open batch to be stored");
        await node.UntilAsync(() => node.Engine.IsReady && File.Exists(Folder["spool/.lock"]), "the folder to be whole again");
        Assert.Equal(identity, File.ReadAllText(Folder["spool/identity"]));
        Assert.ThrowsAny<IOException>(() => new TestNode(Folder, Quick with { DlqDir = Folder["dlq2"] }));
        await node.SendAsync("later");
        Assert.Equal(0, await node.DrainAsync());
        Assert.Equal([.. EventLines.Bodies(3), "later"], node.Stored);
    }

    [Theory]
    [MemberData(nameof(Ways))]
    public async Task A_lost_DLQ_folder_is_noticed_takes_nothing_more_and_its_files_are_counted_if_they_are_gone(string way)
    {
        using var lost = new LostFolder(way);
        await using TestNode node = new TestNode(Folder, Quick with { RecoveryInterval = TimeSpan.FromHours(1) }).Start();
        node.Store.Fails = StorageFailure.Refused;
        Assert.True((await node.AskAsync("a", AckLevel.Memory)).IsAccepted);
        node.Engine.Flush();
        await node.UntilAsync(() => node.Balance.Dlq == 1, "the event to be in the DLQ");
        lost.Take(Folder["dlq"]);
        await node.UntilAsync(() => node.Log.Of(LogLevel.Critical).Length >= 1, "the loss to be noticed");
        Assert.Contains($"{Folder["dlq"]}", node.Log.Of(LogLevel.Critical)[0], StringComparison.Ordinal);
        bool isGone = way is "rm -rf" or "emptied" or "replaced by another" or "replaced by a link";
        if (way != "emptied") // whose folder is as good as before
        {
            Assert.Contains("DLQ_DIR", node.Engine.NotReadyBecause, StringComparison.Ordinal);
            Assert.Equal(Admission.DiskFailed, node.Engine.Ingest.Outlook(AckLevel.Memory));
            Assert.Equal(1, node.Metrics.Value("estat_folder_gone{folder=\"dlq\"}"));
        }

        await node.UntilAsync(() => node.Balance.Dropped == (isGone ? 1 : 0), "the lost to be counted");
        Assert.Equal(isGone ? 0 : 1, node.Engine.DlqFiles);
        node.AssertConserved();
        Assert.Empty(lost.StrangeFiles);
    }

    private static async Task<int> SendWhileTakenAsync(TestNode node, IEnumerable<string> bodies)
    {
        int taken = 0;
        foreach (string body in bodies)
        {
            taken += await node.TrySendAsync(body) == Admission.Accepted ? 1 : 0;
        }

        return taken;
    }

    // Undone at the end, so that folders can be removed.
    private sealed class LostFolder(string way) : IDisposable
    {
        private readonly TempFolder _other = new();
        private string? _mounted;

        /// <summary>What the node wrote into the folder that stands there instead.</summary>
        internal IEnumerable<string> StrangeFiles =>
            Directory.EnumerateFiles(_other.Path, "*", SearchOption.AllDirectories).Where(path => !path.Contains("moved", StringComparison.Ordinal));

        internal void Take(string folder)
        {
            switch (way)
            {
                case "rm -rf":
                    Remove(folder);
                    break;
                case "emptied":
                    Array.ForEach(Directory.GetFiles(folder), File.Delete);
                    break;
                case "moved away":
                    Directory.Move(folder, _other["moved"]);
                    break;
                case "replaced by another":
                    Remove(folder);
                    Directory.CreateDirectory(folder);
                    break;
                case "replaced by a link":
                    Remove(folder);
                    Directory.CreateSymbolicLink(folder, _other.Path);
                    break;
                case "mounted over":
                    Assert.SkipUnless(SmallDisk.Available(out string reason), reason);
                    Command.SucceedAsync(Second * 20, "mount", "--bind", _other.Path, folder).GetAwaiter().GetResult();
                    _mounted = folder;
                    break;
            }
        }

        // Again when the node made a file in the meantime.
        internal static void Remove(string folder)
        {
            for (int attempt = 0; Directory.Exists(folder); attempt++)
            {
                try
                {
                    Directory.Delete(folder, recursive: true);
                }
                catch (IOException) when (attempt < 100)
                {
                    // It is tried again.
                }
            }
        }

        public void Dispose()
        {
            if (_mounted is not null)
            {
                Command.SucceedAsync(Second * 20, "umount", "--lazy", _mounted).GetAwaiter().GetResult();
            }

            _other.Dispose();
        }
    }
}
