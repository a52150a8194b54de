// A batch that a killed process left in the DLQ and in the spool as well, and that somebody discards before the spool is looked at.
using Estat.Base.Acks;
using Estat.Collect.Conservation;
using Estat.Collect.Dlq;
using Estat.Collect.Options;
using Estat.Lake.Names;

namespace Estat.Collect.Tests.Recovery;

public sealed class DiscardedTwinTests : IDisposable
{
    private const int Events = 5;
    private readonly TempFolder _folder = new();

    [Fact]
    public async Task It_does_not_come_back_from_the_spool_and_is_counted_where_it_was_discarded()
    {
        (TempFolder left, string name) = await LeaveTwinsAsync();
        using TempFolder folder = left;

        // As estat dlq discard --dir does, which does not know the spool.
        await using (TestNode tool = new TestNode(folder, Calm with { SpoolDir = folder["another-spool"] }).Start())
        {
            OrderResult result = new(OrderEnd.NotNow);
            await tool.UntilAsync(() => (result = tool.Engine.Dlq.Discard(name, Events, "a test")).End != OrderEnd.NotNow, "stock");
            Assert.Equal(OrderEnd.Discarded, result.End);
            Assert.Equal(new Balance(0, Events, 0, 0, 0, 0, 0, Events), tool.Balance);
        }

        await using (TestNode next = new TestNode(folder, Calm).Start())
        {
            await next.UntilAsync(() => Snapshot.Segments(folder).Length == 0, "the segment to leave");
            Assert.Empty(next.Stored);
            Assert.Equal(default, next.Balance);
            Assert.True(File.Exists(folder[$"dlq/{DiscardedBatches.FileName}"]));
        }

        await using var last = new TestNode(folder, Calm);
        Assert.False(File.Exists(folder[$"dlq/{DiscardedBatches.FileName}"]), "the spool is empty: the list begins anew");
    }

    [Fact]
    public void A_name_is_read_again_after_a_power_cut_that_left_half_a_line()
    {
        File.WriteAllText(_folder[DiscardedBatches.FileName], "\n1-a\n\n2-");
        var list = new DiscardedBatches(() => _folder.Path);
        Assert.Equal((true, false), (list.Has("1-a"), list.Has("3-c")));
        list.Add("3-c");
        list.Add("3-c");
        var next = new DiscardedBatches(() => _folder.Path);
        Assert.Equal((true, true), (next.Has("1-a"), next.Has("3-c")));
        next.Clear();
        Assert.False(new DiscardedBatches(() => _folder.Path).Has("1-a"));
    }

    [Fact]
    public async Task A_look_up_does_not_wait_for_the_disk_that_a_discard_waits_for()
    {
        using var reached = new SemaphoreSlim(0);
        using var mayGoOn = new ManualResetEventSlim();
        bool hangs = false;
        var list = new DiscardedBatches(() =>
        {
            if (hangs)
            {
                reached.Release();
                mayGoOn.Wait();
            }

            return _folder.Path;
        });
        list.Add("1-a");
        hangs = true;
        var adding = Task.Run(() => list.Add("2-b"), TestContext.Current.CancellationToken);
        await reached.WaitAsync(TestNode.Limit, TestContext.Current.CancellationToken);
        try
        {
            (bool, bool) found = await Task.Run(() => (list.Has("1-a"), list.Has("2-b")), TestContext.Current.CancellationToken)
                .WaitAsync(TestNode.Limit, TestContext.Current.CancellationToken);
            Assert.Equal((true, false), found); // the second is not on the disk yet
        }
        finally
        {
            mayGoOn.Set();
            await adding;
        }

        Assert.True(list.Has("2-b"));
    }

    [Fact]
    public void A_list_that_is_longer_than_any_of_a_node_ends_the_start_with_a_line_that_says_what_to_do()
    {
        string path = _folder[$"dlq/{DiscardedBatches.FileName}"];
        Directory.CreateDirectory(_folder["dlq"]);
        using (FileStream file = File.Create(path))
        {
            file.SetLength(DiscardedBatches.MostBytes + 1L);
        }

        IOException error = Assert.Throws<IOException>(() => new TestNode(_folder, Calm));
        Assert.StartsWith("DLQ_DIR: ", error.Message, StringComparison.Ordinal);
        Assert.Contains($"Move {path} away", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_full_list_refuses_a_discard_and_can_still_be_read_by_the_next_start()
    {
        File.WriteAllText(_folder[DiscardedBatches.FileName], "\n1-a\n" + new string('\n', DiscardedBatches.MostBytes - 5));
        var list = new DiscardedBatches(() => _folder.Path);
        IOException error = Assert.Throws<IOException>(() => list.Add("2-b"));
        Assert.Contains("Restart the node once its spool is empty", error.Message, StringComparison.Ordinal);
        var next = new DiscardedBatches(() => _folder.Path);
        Assert.Equal((false, true, false), (list.Has("2-b"), next.Has("1-a"), next.Has("2-b")));
    }

    public void Dispose() => _folder.Dispose();

    private static CollectOptions Calm => new()
    {
        RecoveryInterval = TimeSpan.FromHours(1), FlushInterval = TimeSpan.FromHours(1), SpoolVolatile = true, BatchSize = Events, Partitions = 1,
    };

    // What kill -9 leaves between the DLQ's file and the removal of the segment.
    private async Task<(TempFolder Left, string Name)> LeaveTwinsAsync()
    {
        await using TestNode node = new TestNode(_folder, Calm).Start();
        node.Store.Gate = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        string[] bodies = EventLines.Bodies(Events);
        string key = "";
        foreach (string body in bodies)
        {
            key = (await node.AskAsync(body, AckLevel.Disk)).Key;
        }

        await node.UntilAsync(() => node.Store.Creates == 1, "the upload to begin, which the seal precedes");
        TempFolder left = Snapshot.Of(_folder);
        DlqFiles.Put(left["dlq"], key, bodies);
        Assert.Single(Snapshot.Segments(left));
        return (left, ObjectKeys.NameOf(key));
    }
}
