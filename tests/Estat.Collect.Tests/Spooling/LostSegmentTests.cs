// Files that are taken out of a folder that stays in its place: missed within a second, and nothing that still can be read is lost.
using Estat.Base.Acks;
using Estat.Base.Files;
using Estat.Base.Journal;
using Estat.Collect.Options;
using Estat.Collect.Spooling;
using Microsoft.Extensions.Logging;

namespace Estat.Collect.Tests.Spooling;

public sealed class LostSegmentTests : SpoolTests
{
    private static readonly TimeSpan Second = TimeSpan.FromSeconds(1);

    [Theory]
    [InlineData("moved")]
    [InlineData("replaced by copies")]
    [InlineData("moved, and put back")]
    public async Task Open_segments_that_somebody_takes_out_of_the_folder_are_missed_and_what_they_hold_is_stored(string how)
    {
        var time = new ManualTimeProvider(DateTimeOffset.UtcNow);
        await using TestNode node = new TestNode(Folder, Quick, time).Start();
        await SendOneByOneAsync(node, 3);
        HoldUploads(node);
        string[] taken = MoveAll(Folder["spool"]);
        if (how == "replaced by copies")
        {
            Array.ForEach(taken, path => File.Copy(path, Path.Combine(Folder["spool"], Path.GetFileName(path))));
        }

        await node.SendAsync("event-3"); // nobody can have noticed: acknowledged, it must be stored like the others
        time.Advance(Second);
        await node.UntilAsync(() => node.Log.Of(LogLevel.Critical).Length == 1, "the loss to be told");
        string told = node.Log.Of(LogLevel.Critical)[0];
        Assert.True(taken.Any(path => told.Contains(Path.GetFileName(path), StringComparison.Ordinal)), told); // of several, those that were open
        Assert.Contains("SPOOL_DIR", node.Engine.NotReadyBecause, StringComparison.Ordinal);
        Assert.Equal((1, 1), (node.Metrics.Value("estat_spool_failing"), node.Metrics.Value("estat_folder_gone{folder=\"spool\"}")));
        Assert.Equal(Admission.DiskFailed, await node.TrySendAsync("refused"));
        if (how == "moved, and put back")
        {
            Array.ForEach(taken, path => File.Move(path, Path.Combine(Folder["spool"], Path.GetFileName(path))));
        }

        node.Store.Gate!.SetResult();
        await time.AdvanceUntilAsync(
            Second, () => node.Balance.Stored == 4 && node.Engine.IsReady, "all to be stored, and the node to be ready again");
        await node.SendAsync("later");
        Assert.Equal(0, await node.DrainAsync());
        Assert.Equal([.. EventLines.Bodies(4), "later"], node.Stored);
        Assert.Equal(0, node.Balance.Dropped);
        node.AssertConserved();
        Assert.Single(node.Log.Of(LogLevel.Critical));
    }

    [Fact]
    public async Task A_segment_that_waits_unread_and_is_moved_away_is_named_and_counted_and_stored_once_it_is_back()
    {
        string waiting;
        await using (TestNode node = new TestNode(Folder, Quick with { BatchSize = 2, UploadQueue = 1, UploadConcurrency = 1 }).Start())
        {
            await LeaveOneUnreadAsync(node);
            waiting = Snapshot.Segments(Folder).Single(path => File.ReadAllText(path).Contains("event-7", StringComparison.Ordinal));
            File.Move(waiting, Folder["away"]);
            await node.UntilAsync(() => node.Log.Of(LogLevel.Critical).Length > 0, "the loss to be told");
            Assert.Equal(2, node.Balance.Dropped);
            Assert.Contains(Path.GetFileName(waiting), Assert.Single(node.Log.Of(LogLevel.Critical)), StringComparison.Ordinal);
            Assert.True(node.Engine.IsReady); // the others, and those to come, are where they should be
            node.Store.Gate!.SetResult();
            await node.UntilAsync(() => node.Balance is { Spooled: 0, Stored: 6 }, "the rest to be stored");
            node.AssertConserved();
            Assert.Equal(0, await node.DrainAsync());
        }

        File.Move(Folder["away"], waiting);
        await using TestNode next = new TestNode(Folder, Quick).Start();
        await UntilStoredAsync(next, 2);
        Assert.Equal(EventLines.Bodies(8), next.Stored);
    }

    [Fact]
    public async Task Waiting_segments_of_a_folder_that_is_moved_away_are_not_missed()
    {
        var time = new ManualTimeProvider(DateTimeOffset.UtcNow);
        await using TestNode node = new TestNode(Folder, Quick with { BatchSize = 2, UploadQueue = 1, UploadConcurrency = 1 }, time).Start();
        await LeaveOneUnreadAsync(node);
        Directory.Move(Folder["spool"], Folder["elsewhere"]);
        Directory.CreateDirectory(Folder["spool"]); // empty, as the mount point of a disk that went away
        await time.AdvanceUntilAsync(Second, () => !node.Engine.IsReady, "the loss to be noticed");
        await node.UntilAsync(() => node.Log.Of(LogLevel.Critical).Length == 1, "the loss to be told");
        time.Advance(Second);
        time.Advance(Second);
        node.Store.Gate!.SetResult();
        await time.AdvanceUntilAsync(Second, () => node.Balance is { Spooled: 0, Stored: 8 }, "all to be stored, by the way that is still open");
        Assert.Equal(0, node.Balance.Dropped);
        Assert.Single(node.Log.Of(LogLevel.Critical));
    }

    [Fact]
    public void A_segment_that_the_node_itself_deletes_during_a_look_is_not_missed()
    {
        var log = new LogLines();
        CollectOptions options = Quick with { SpoolDir = Folder["spool"] };
        DirectoryLock owner = DirectoryLock.Take(options.SpoolDir, "SPOOL_DIR");
        var files = new FaultingFiles(new DiskFiles(options.SpoolDir, owner));
        using var spool = new Spool(options, files, owner, spares: 1, TimeProvider.System, log);
        Segment segment = spool.Take("raw/a.jsonl.gz", Batches.Opened);
        int asked = 0;
        files.OnHasName = name =>
        {
            asked++;
            Assert.Equal(segment.Name, name);
            segment.Delete();
        };
        spool.Look();
        Assert.Equal((1, false), (asked, spool.IsGone));
        Assert.Empty(log.Of(LogLevel.Critical));
    }

    [Fact]
    public void No_segment_is_made_in_a_folder_that_stands_in_the_place_of_the_right_one_for_a_moment()
    {
        var log = new LogLines();
        using var spool = Spool.Open(Quick with { SpoolDir = Folder["spool"], SpoolVolatile = true }, spares: 1, TimeProvider.System, log);
        Segment before = spool.Take("raw/before.jsonl.gz", Batches.Opened);
        Directory.Move(Folder["spool"], Folder["elsewhere"]);
        Directory.CreateDirectory(Folder["spool"]);
        IOException error = Assert.Throws<IOException>(() => spool.Take("raw/a.jsonl.gz", Batches.Opened));
        Assert.Contains("not the folder that was opened at the start", error.Message, StringComparison.Ordinal);
        Assert.Empty(Directory.GetFiles(Folder["spool"]));

        Directory.Delete(Folder["spool"]);
        Directory.Move(Folder["elsewhere"], Folder["spool"]);
        spool.Look();
        Assert.Equal((false, true), (spool.IsGone, before.IsSafe));
        Assert.True(spool.Take("raw/after.jsonl.gz", Batches.Opened).IsSafe);
        Assert.Empty(log.Of(LogLevel.Critical));
    }

    [Fact]
    public void No_line_is_written_under_the_lock_of_a_look()
    {
        var log = new LogLines();
        using var spool = Spool.Open(Quick with { SpoolDir = Folder["spool"], SpoolVolatile = true }, spares: 1, TimeProvider.System, log);
        int lines = 0;
        log.OnLine = () =>
        {
            lines++;
            log.OnLine = null;
            Assert.True(Task.Run(spool.Look).Wait(TestNode.Limit), "a look waits for a line of the log");
        };
        Directory.Move(Folder["spool"], Folder["elsewhere"]);
        spool.Look();
        Assert.True(spool.IsGone);
        Assert.Equal(1, lines);
    }

    // Of a folder: the segments, as "mv *.seg elsewhere" does.
    private string[] MoveAll(string folder)
    {
        Directory.CreateDirectory(Folder["moved"]);
        string[] segments = [.. Directory.GetFiles(folder, "*" + Spool.Extension).Order(StringComparer.Ordinal)];
        return [.. segments.Select(path =>
        {
            string target = Path.Combine(Folder["moved"], Path.GetFileName(path));
            File.Move(path, target);
            return target;
        })];
    }
}
