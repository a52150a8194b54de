// A spool and what kills leave of it.
using Estat.Base.Acks;
using Estat.Base.Journal;
using Estat.Collect.Options;
using Estat.Collect.Spooling;

namespace Estat.Collect.Tests.Support;

/// <summary>A folder for a node, copies of it as a kill leaves them, and the ways to get there.</summary>
public abstract class SpoolTests : IDisposable
{
    private readonly List<TempFolder> _crashed = [];

    private protected static CollectOptions Quick { get; } = new() { RecoveryInterval = TimeSpan.FromMilliseconds(10), Partitions = 1 };

    private protected TempFolder Folder { get; } = new();

    public void Dispose()
    {
        Folder.Dispose();
        _crashed.ForEach(folder => folder.Dispose());
        GC.SuppressFinalize(this);
    }

    private protected static void HoldUploads(TestNode node) =>
        node.Store.Gate = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);

    // Eight events in four batches of two: one is being uploaded, one in the queue of one, one was read by the backlog and waits for the store, and
    // one waits in its segment.
    private protected static async Task LeaveOneUnreadAsync(TestNode node)
    {
        HoldUploads(node);
        await SendOneByOneAsync(node, 2);
        await node.UntilAsync(() => node.Store.Creates == 1, "the first batch to be on its way");
        await SendOneByOneAsync(node, 2, first: 2);
        await node.UntilAsync(() => node.Engine.UploadQueueDepth == 1, "the queue to be full");
        await SendOneByOneAsync(node, 4, first: 4);
        await node.UntilAsync(
            () => node.Store.Creates == 2 && node.Engine.SpoolWaiting == 2, "one batch to be read by the backlog and one to wait unread");
    }

    // One record for each event.
    private protected static async Task<string> SendOneByOneAsync(TestNode node, int events, int first = 0)
    {
        string key = "";
        foreach (string body in EventLines.Bodies(events, first))
        {
            Ack ack = await node.AskAsync(body);
            Assert.Equal(Admission.Accepted, ack.Admission);
            key = ack.Key;
        }

        return key;
    }

    private protected static async Task UntilStoredAsync(TestNode node, long events)
    {
        await node.UntilAsync(() => node.Balance.Stored >= events, $"{events} events to be stored");
        node.AssertConserved();
        Assert.Equal(0, node.Balance.Dropped);
    }

    // Spares aside, which the next start removes.
    private protected static async Task AssertNothingIsLeftAsync(TempFolder folder, TestNode node)
    {
        Assert.Equal(0, await node.DrainAsync());
        node.AssertConserved();
        Assert.Equal((0, 0), (node.Balance.Spooled, node.Engine.SpoolWaiting));
        Assert.Empty(Snapshot.Segments(folder));
        Assert.Empty(node.DlqNames);
    }

    // Frame: magic, length, first sequence, events, checksum.
    private protected static int RecordStart(byte[] segment, int record)
    {
        int at = SegmentFormat.HeadBytes;
        for (; record > 0; record--)
        {
            at += RecordFormat.FrameBytes + BitConverter.ToInt32(segment, at + 4);
        }

        return at;
    }

    private protected TempFolder Crash(TempFolder? of = null)
    {
        TempFolder left = Snapshot.Of(of ?? Folder);
        _crashed.Add(left);
        return left;
    }

    private protected void CopyData(TempFolder to, TempFolder? from = null)
    {
        foreach (string path in Directory.EnumerateFiles((from ?? Folder)["data"], "*", SearchOption.AllDirectories))
        {
            string target = Path.Combine(to["data"], Path.GetRelativePath((from ?? Folder)["data"], path));
            Directory.CreateDirectory(Path.GetDirectoryName(target)!);
            File.Copy(path, target, overwrite: true);
        }
    }

    // What a kill leaves: segments that are open, or sealed and not uploaded.
    private protected async Task<(TempFolder Left, string LastKey)> LeaveAsync(bool isSealed, int events, int? batchSize = null)
    {
        CollectOptions options = Quick with { BatchSize = batchSize ?? (isSealed ? events : 5000), UploadQueue = 1, UploadConcurrency = 1 };
        await using TestNode node = new TestNode(Folder, options).Start();
        HoldUploads(node);
        string key = await SendOneByOneAsync(node, events);
        if (isSealed)
        {
            int batches = (events + options.BatchSize - 1) / options.BatchSize;
            await node.UntilAsync(
                () => node.Store.Creates + node.Engine.UploadQueueDepth + node.Engine.SpoolWaiting >= batches, "all batches to be sealed");
        }

        return (Crash(), key);
    }
}
