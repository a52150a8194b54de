// Whose a spool is, which start writes to it, and what may be promised over it.
using Estat.Base.Acks;
using Estat.Base.Journal;
using Estat.Collect.Options;
using Estat.Collect.Spooling;
using Estat.Lake.Names;
using Microsoft.Extensions.Logging;

namespace Estat.Collect.Tests.Spooling;

public sealed class SpoolIdentityTests : SpoolTests
{
    [Fact]
    public async Task Starts_are_counted_and_stand_in_the_keys()
    {
        var instances = new List<string>();
        for (int start = 1; start <= 3; start++)
        {
            await using TestNode node = new TestNode(Folder, Quick).Start();
            string name = ObjectKeys.NameOf((await node.AskAsync($"start {start}")).Key);
            instances.Add(name.Split('_')[1]);
            await node.DrainAsync();
        }

        string id = instances[0].Split('-')[0];
        Assert.Equal(32, id.Length);
        Assert.Equal([$"{id}-1", $"{id}-2", $"{id}-3"], instances);
        Assert.Equal($"{id} 3\n", File.ReadAllText(Folder["spool/identity"]));
    }

    [Theory]
    [InlineData("")]
    [InlineData("garbage")]
    [InlineData("garbage 7\n")]
    [InlineData("\0\0\0\0\0\0\0\0\0\0")]
    [InlineData("0123456789abcdef0123456789abcdef\n")]
    [InlineData("0123456789abcdef0123456789abcdef -7\n")]
    [InlineData("0123456789abcdef0123456789abcdef 9223372036854775807\n")]
    public async Task An_identity_that_is_not_readable_is_replaced_with_a_warning_and_segments_are_recovered_all_the_same(string identity)
    {
        (TempFolder left, string key) = await LeaveAsync(isSealed: false, 3);
        File.WriteAllText(left["spool/identity"], identity);
        await using TestNode next = new TestNode(left, Quick).Start();
        await UntilStoredAsync(next, 3);
        Assert.Equal([key], next.Keys);
        Assert.Contains(next.Log.Of(LogLevel.Warning), line => line.Contains("identity", StringComparison.Ordinal));
        string[] words = File.ReadAllText(left["spool/identity"]).Split(' ', '\n');
        Assert.NotEqual("0123456789abcdef0123456789abcdef", words[0]);
        Assert.Equal((32, "1"), (words[0].Length, words[1]));
        string name = ObjectKeys.NameOf((await next.AskAsync("new")).Key);
        Assert.Equal($"{words[0]}-1", name.Split('_')[1]);
    }

    [Fact]
    public async Task A_segment_is_never_made_over_one_that_is_there_though_the_identity_was_put_back_from_a_copy()
    {
        (TempFolder left, _) = await LeaveAsync(isSealed: false, 3);
        string path = Assert.Single(Snapshot.Segments(left));
        byte[] before = File.ReadAllBytes(path);
        string id = File.ReadAllText(left["spool/identity"]).Split(' ')[0];
        File.WriteAllText(left["spool/identity"], $"{id} 0\n"); // so that the next start has the number of the last one
        using var spool = new Spool(Quick, new DiskFiles(left["spool"]), null, 1, TimeProvider.System, NullLogger.Instance);
        int taken = 0;
        for (int i = 0; i < 50; i++)
        {
            try
            {
                spool.Take($"raw/{i}.jsonl.gz", DateTimeOffset.UtcNow).Delete();
            }
            catch (IOException)
            {
                taken++; // the name of a segment or a spare of the last start
            }
        }

        Assert.InRange(taken, 1, 49);
        Assert.Equal(before, File.ReadAllBytes(path));
    }

    [Fact]
    public async Task A_second_node_on_the_same_spool_does_not_start()
    {
        await using TestNode node = new TestNode(Folder, Quick).Start();
        IOException error = Assert.ThrowsAny<IOException>(() => new TestNode(Folder, Quick with { DlqDir = Folder["dlq2"] }));
        Assert.StartsWith($"SPOOL_DIR={Folder["spool"]}: another process owns this folder", error.Message, StringComparison.Ordinal);
        await node.SendAsync("still served");
    }

    [Fact]
    public async Task A_spool_that_forgets_is_refused_above_memory_unless_that_is_accepted()
    {
        Assert.SkipUnless(SmallDisk.Available(out string reason), reason);
        using var disk = new SmallDisk(16 << 20);
        CollectOptions options = Quick with { SpoolDir = Path.Combine(disk.Path, "spool"), DiskMinFreeBytes = 0 };
        AckLevel[][] above = [[AckLevel.Disk], [AckLevel.Memory, AckLevel.Stored]];
        Assert.All(
            [options, options with { Ack = AckLevel.Stored }, .. above.Select(allowed => options with { Ack = allowed[0], AckAllowed = allowed })],
            refused => Assert.Contains(
                "SPOOL_VOLATILE", Assert.Throws<IOException>(() => new TestNode(Folder, refused)).Message, StringComparison.Ordinal));

        await using (TestNode node = new TestNode(Folder, options with { Ack = AckLevel.Memory }).Start())
        {
            Assert.Equal([AckLevel.Memory], node.Engine.Levels);
            await node.SendAsync("in memory");
        }

        await using TestNode accepted = new TestNode(Folder, options with { SpoolVolatile = true }).Start();
        Assert.Equal(AckLevels.OfOneNode, accepted.Engine.Levels);
        await accepted.SendAsync("on a disk that forgets");
    }
}
