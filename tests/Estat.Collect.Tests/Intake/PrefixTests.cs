// Events that go below a prefix of their own: the same promises as for all others, and never in anybody else's objects.
using System.Text;
using Estat.Base.Acks;
using Estat.Base.Storage;
using Estat.Collect.Batching;
using Estat.Collect.Dlq;
using Estat.Collect.Intake;
using Estat.Collect.Options;
using Estat.Lake.Names;

namespace Estat.Collect.Tests.Intake;

public sealed class PrefixTests : IDisposable
{
    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData(AckLevel.Memory)]
    [InlineData(AckLevel.Disk)]
    [InlineData(AckLevel.Stored)]
    public async Task Events_of_each_prefix_have_objects_of_their_own_at_every_level(AckLevel level)
    {
        await using var node = new TestNode(_folder).Start();
        foreach (string? prefix in new[] { null, "shop", "lake/blog", null, "shop" })
        {
            Ack ack = await SendAsync(node, prefix, $"for {prefix ?? "raw"}", level);
            Assert.Equal((Admission.Accepted, level), (ack.Admission, ack.Level));
            Assert.StartsWith($"{prefix ?? "raw"}/dt=", ack.Key, StringComparison.Ordinal);
            node.AssertConserved();
        }

        using (LineBlock block = node.Engine.Ingest.NewBlock("shop"))
        {
            block.Add(EventLines.Header(), "for shop"u8);
            block.Add(EventLines.Header(), "for shop"u8);
            Assert.StartsWith("shop/dt=", (await node.Engine.Ingest.AcceptAsync(block, level)).Key, StringComparison.Ordinal);
        }

        Assert.Equal(0, await node.DrainAsync());
        node.AssertConserved();
        Assert.Equal((7, 7), (node.Balance.Accepted, node.Balance.Stored));
        Assert.Equal(
            [("lake/blog", 1), ("raw", 2), ("shop", 4)],
            StoredEvents.FromFolder(node.Data).GroupBy(stored => stored.Key[..stored.Key.IndexOf("/dt=", StringComparison.Ordinal)])
                .Select(group => (group.Key, group.Count())).Order());
        Assert.All(StoredEvents.FromFolder(node.Data),
            stored => Assert.StartsWith(stored.Body["for ".Length..] + "/dt=", stored.Key, StringComparison.Ordinal));
    }

    [Fact]
    public async Task What_storage_refuses_comes_back_from_the_DLQ_to_its_own_prefix()
    {
        await using var node = new TestNode(
            _folder, new CollectOptions { RecoveryInterval = TimeSpan.FromMilliseconds(10), S3AppRetries = 0, Ack = AckLevel.Memory }).Start();
        node.Store.Fails = StorageFailure.Transient;
        await SendAsync(node, "shop", "for shop", AckLevel.Memory);
        await SendAsync(node, null, "for raw", AckLevel.Memory);
        node.Engine.Flush();
        await node.UntilAsync(() => node.Balance.Dlq == 2, "the DLQ");
        node.AssertConserved();
        node.Store.Fails = null;
        await node.UntilAsync(() => node.Balance.Stored == 2, "recovery");
        Assert.Equal(0, node.Balance.Dlq);
        Assert.Equal(["raw: for raw", "shop: for shop"], Placed(node));
    }

    [Fact]
    public async Task What_a_start_finds_in_the_spool_goes_to_its_own_prefix()
    {
        await using (var first = new TestNode(_folder).Start())
        {
            first.Store.Fails = StorageFailure.Transient;
            await SendAsync(first, "shop", "for shop", AckLevel.Disk);
            await SendAsync(first, null, "for raw", AckLevel.Disk);
            using var now = new CancellationTokenSource();
            await now.CancelAsync();
            await first.DrainAsync(hurry: now);
            Assert.Equal(2, first.Balance.Spooled + first.Balance.Dlq);
        }

        await using var second = new TestNode(_folder).Start();
        await second.UntilAsync(() => second.Balance.Stored == 2, "recovery");
        Assert.Equal(["raw: for raw", "shop: for shop"], Placed(second));
    }

    [Fact]
    public async Task What_goes_through_the_quarantine_comes_back_to_its_own_prefix()
    {
        await using var node = new TestNode(
            _folder, new CollectOptions { RecoveryInterval = TimeSpan.FromMilliseconds(10), S3AppRetries = 0, Ack = AckLevel.Memory }).Start();
        node.Store.Fails = StorageFailure.Transient;
        await SendAsync(node, "lake/shop", "for lake/shop", AckLevel.Memory);
        await SendAsync(node, null, "for raw", AckLevel.Memory);
        node.Engine.Flush();
        await node.UntilAsync(() => node.Balance.Dlq == 2, "the DLQ");
        Dictionary<string, byte[]> whole = node.DlqNames.Where(name => name.EndsWith(ObjectKeys.Extension, StringComparison.Ordinal))
            .ToDictionary(name => name, name => File.ReadAllBytes(Path.Combine(node.Options.DlqDir, name)));
        foreach ((string name, byte[] bytes) in whole)
        {
            File.WriteAllBytes(Path.Combine(node.Options.DlqDir, name), bytes[..^4]); // a disk that lost its end
        }

        node.Store.Fails = null;
        await node.UntilAsync(() => node.Balance.Quarantined == 2, "the quarantine");
        string shop = Assert.Single(node.Quarantine, key => key.StartsWith("raw_dlq/lake/shop/", StringComparison.Ordinal));
        string raw = Assert.Single(node.Quarantine, key => key != shop);
        Assert.Equal($"raw_dlq/{Path.GetFileName(raw)}", raw);
        foreach (string key in new[] { shop, raw })
        {
            File.WriteAllBytes(Path.Combine(node.Data, key), whole[Path.GetFileName(key)]); // and found it again
            Assert.Equal(OrderEnd.Stored, (await node.Engine.Quarantine!.RetryAsync(key, TestContext.Current.CancellationToken)).End);
        }

        node.AssertConserved();
        Assert.Equal(["lake/shop: for lake/shop", "raw: for raw"], Placed(node));
        Assert.Empty(node.Quarantine);
    }

    [Fact]
    public async Task One_prefix_too_many_is_refused_and_never_laid_elsewhere()
    {
        await using var node = new TestNode(_folder).Start();
        for (int i = 0; i < PrefixPartitions<object>.MostPrefixes; i++)
        {
            Assert.Equal(Admission.Accepted, (await SendAsync(node, $"p{i}", "taken", AckLevel.Disk)).Admission);
        }

        Assert.Equal(Admission.NoPrefix, (await SendAsync(node, "one-more", "refused", AckLevel.Disk)).Admission);
        Assert.Equal(Admission.Accepted, (await SendAsync(node, "p0", "taken", AckLevel.Memory)).Admission);
        await node.DrainAsync();
        Assert.Equal(PrefixPartitions<object>.MostPrefixes + 1, StoredEvents.FromFolder(node.Data).Count(stored => stored.Body == "taken"));
        Assert.DoesNotContain(StoredEvents.FromFolder(node.Data), stored => stored.Body == "refused");
    }

    [Theory]
    [InlineData("raw_dlq")]
    [InlineData("raw_dlq/shop")]
    [InlineData("/shop")]
    [InlineData("a/../b")]
    public async Task A_prefix_in_the_quarantine_or_that_is_none_is_refused(string prefix)
    {
        await using var node = new TestNode(_folder).Start();
        Assert.Equal(Admission.NoPrefix, (await SendAsync(node, prefix, "refused", AckLevel.Disk)).Admission);
    }

    [Fact]
    public async Task A_drain_ends_with_the_first_event_of_a_prefix_refused_and_the_others_stored()
    {
        await using var node = new TestNode(_folder).Start();
        await SendAsync(node, "shop", "for shop", AckLevel.Disk);
        await node.DrainAsync();
        Assert.Equal(Admission.Draining, (await SendAsync(node, "shop", "late", AckLevel.Disk)).Admission);
        Assert.Equal(Admission.Draining, (await SendAsync(node, "blog", "late", AckLevel.Disk)).Admission);
        Assert.Equal(["shop: for shop"], Placed(node));
    }

    [Fact]
    public async Task A_full_prefix_turns_nobody_else_away()
    {
        // not started: nothing is written
        await using var node = new TestNode(_folder, new CollectOptions { ChannelSize = 4, Partitions = 1, Ack = AckLevel.Memory });
        Admission admission;
        do
        {
            admission = (await SendAsync(node, "shop", "x", AckLevel.Memory)).Admission;
        }
        while (admission == Admission.Accepted);

        Assert.Equal((Admission.QueueFull, Admission.QueueFull), (admission, node.Engine.Ingest.Outlook(AckLevel.Memory, "shop")));
        Assert.Equal((Admission.Accepted, Admission.Accepted),
            (node.Engine.Ingest.Outlook(AckLevel.Memory), node.Engine.Ingest.Outlook(AckLevel.Memory, "blog")));
        Assert.Equal(Admission.Accepted, (await SendAsync(node, null, "x", AckLevel.Memory)).Admission);
        node.Start();
    }

    private static async Task<Ack> SendAsync(TestNode node, string? prefix, string body, AckLevel level) =>
        await node.Engine.Ingest.AcceptAsync(EventLines.Header(prefix), Encoding.UTF8.GetBytes(body), level);

    private static string[] Placed(TestNode node) =>
        [.. StoredEvents.FromFolder(node.Data)
            .Select(stored => $"{stored.Key[..stored.Key.IndexOf("/dt=", StringComparison.Ordinal)]}: {stored.Body}").Order(StringComparer.Ordinal)];
}
