// The balance of a whole node over everything that can happen to an event.
using System.Globalization;
using Estat.Base.Acks;
using Estat.Base.Storage;
using Estat.Collect.Batching;
using Estat.Collect.Conservation;
using Estat.Collect.Options;
using Estat.Lake.Names;

namespace Estat.Collect.Tests.Conservation;

public sealed class ConservationTests : IDisposable
{
    private static readonly CollectOptions Options = new() { RecoveryInterval = TimeSpan.FromMilliseconds(10), BatchSize = 10, Partitions = 1 };
    // On a busy machine a file fails often before storage is back, and then sleeps for up to a minute.
    private static readonly TimeSpan Longest = 2 * Backoff.Dlq.Longest;

    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Events_are_accounted_for_on_every_way_that_they_can_go()
    {
        int opened = 0;
        await using TestNode node = new TestNode(
            _folder, Options with { Ack = AckLevel.Memory }, openCompressor: content =>
                ++opened == 3 ? throw new InvalidOperationException("no gzip") : BatchEncoder.Gzip(1)(content)).Start();
        await node.SendAsync(EventLines.Bodies(10));
        await node.UntilAsync(() => node.Balance.Stored == 10, "the first batch to be stored");
        node.AssertConserved();

        node.Store.Fails = StorageFailure.Refused;
        foreach (int batch in new[] { 1, 2, 3 })
        {
            // The second of these is raw.
            await node.SendAsync(EventLines.Bodies(10, first: 10 * batch));
            await node.UntilAsync(() => node.Balance.Dlq == 10 * batch, $"batch {batch} to reach the DLQ");
            node.AssertConserved();
        }

        SpoilYoungest();
        node.Store.Fails = null;
        await node.SendAsync(EventLines.Bodies(5, first: 40));
        await node.UntilAsync(() => node.Balance.Dlq == 0, "recovery to empty the DLQ", Longest);
        Assert.Equal(new Balance(45, 0, Stored: 20, Buffered: 5, 0, 0, Quarantined: 20, 0), node.Balance);
        Assert.Equal(0, await node.DrainAsync());
        Assert.Equal(new Balance(45, 0, Stored: 25, 0, 0, 0, Quarantined: 20, 0), node.Balance);
        Assert.Equal(25, node.Metrics.Value("estat_events{place=\"stored\"}"));
        Assert.Equal(25, node.Metrics.Value("s3_events_stored_total"));
        Assert.Equal(30, node.Metrics.Value("dlq_events_enqueued_total"));
        Assert.Equal(10, node.Metrics.Value("dlq_events_reuploaded_total"));
        Assert.Equal(25, node.Stored.Length);
    }

    [Theory]
    [InlineData(AckLevel.Memory)]
    [InlineData(AckLevel.Disk)]
    public async Task The_balance_adds_up_at_every_moment_while_storage_comes_and_goes(AckLevel level)
    {
        Balance end;
        await using (TestNode node = new TestNode(_folder, Options with { Ack = level, Partitions = 2, S3AppRetries = 0 }).Start())
        {
            Task sending = Task.WhenAll(Enumerable.Range(0, 5).Select(sender =>
                Task.Run(() => node.SendPatientlyAsync(EventLines.Bodies(1000, first: 1000 * sender)), TestContext.Current.CancellationToken)));
            for (int n = 0; !sending.IsCompleted || n < 1000; n++)
            {
                node.AssertConserved();
                node.Store.Fails = n % 2 == 0 ? StorageFailure.Transient : null;
                await Task.Yield();
            }

            await sending;
            node.Store.Fails = null;
            Assert.Equal(0, await node.DrainAsync());
            node.AssertConserved();
            end = node.Balance;
        }

        Assert.Equal((5000, 0), (end.Stored + end.Spooled + end.Dlq, end.Dropped));
        Assert.True(level == AckLevel.Disk || end.Spooled == 0, end.ToString());
        string[] inDlq = [.. Directory.GetFiles(_folder["dlq"], "*.jsonl.gz").SelectMany(path => EventLines.DecodeGzip(File.ReadAllBytes(path)))];
        Assert.Equal(end.Dlq, inDlq.Length);

        await using TestNode next = new TestNode(_folder, Options).Start();
        await next.UntilAsync(() => next.Balance is { Spooled: 0, Dlq: 0 } and var balance
            && balance.Found == end.Spooled + end.Dlq, "the next start to store the rest", Longest);
        Assert.Equal(EventLines.Bodies(5000).Order(StringComparer.Ordinal), next.Stored);
    }

    // A disk that gives back other bytes than it took. Names end in a counter.
    private void SpoilYoungest()
    {
        string youngest = Directory.GetFiles(_folder["dlq"], "*.jsonl.gz")
            .MaxBy(path => long.Parse(ObjectKeys.NameOf(path).Split('_')[2], CultureInfo.InvariantCulture))!;
        File.WriteAllText(youngest, "spoilt");
    }
}
