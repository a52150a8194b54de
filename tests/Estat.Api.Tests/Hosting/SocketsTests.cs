// Which threads handle requests must not be seen from outside: the same promises, kept at every level at once.
using System.Text.Json;
using Amazon.S3.Model;
using Estat.Testing;

namespace Estat.Api.Tests.Hosting;

public sealed class SocketsTests(RealS3 s3)
{
    private const int Connections = 96; // more than the syncing thread answers itself
    private const int Events = 30_000;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    [Theory]
    [InlineData("inline")]
    [InlineData("pool")]
    public async Task Events_of_every_level_singly_and_in_batches_are_stored_once(string sockets)
    {
        using var folder = new TempFolder();
        string bucket = await s3.Rgw.CreateBucketAsync();
        Dictionary<string, string> options = s3.Options(bucket, folder);
        options["SOCKETS"] = sockets;
        options["FLUSH_INTERVAL"] = "500ms";
        await using ServerProcess server = await ServerProcess.StartAsync(options);
        var sender = new EventSender(server.BaseAddress, Connections)
        {
            Kinds =
            [
                new RequestKind(AckNames.Memory, Named: true), new RequestKind(AckNames.Disk, Named: true),
                new RequestKind(AckNames.Stored, Named: true),
                new RequestKind(AckNames.Disk, Named: true, Events: 50), new RequestKind(AckNames.Memory, Named: true, Events: 50),
            ],
        };
        SendReport report = await sender.SendAsync(Events);
        await Conservation.UntilAllStoredAsync(server, Patience);
        server.Terminate();
        await Oracle.EndsWellAsync(server, Patience);

        Audit audit = Audit.Of(report, await StoredEvents.FromBucketAsync(s3.Rgw.Client, bucket, "raw/"));
        Assert.True(audit.Clean && audit.FoundOnce > 0, audit.ToString());
        Assert.Equal(report.Acknowledged.Count, audit.FoundOnce);
    }
    [Theory]
    [InlineData("inline")]
    [InlineData("pool")]
    public async Task A_listing_that_comes_in_pieces_holds_up_nobody_and_ends(string sockets)
    {
        using var folder = new TempFolder();
        string bucket = await s3.Rgw.CreateBucketAsync();
        const int Objects = 40;
        const int Fitting = 2_000; // in the queue, whose way out is as slow
        for (int i = 0; i < Objects; i++)
        {
            await s3.Rgw.Client.PutObjectAsync(new PutObjectRequest { BucketName = bucket, Key = $"raw_dlq/{i:d3}.jsonl", ContentBody = "x" });
        }

        using FaultProxy proxy = FaultProxy.Start(s3.Rgw.Port);
        Dictionary<string, string> options = s3.Options(bucket, folder, proxy.Endpoint);
        options["SOCKETS"] = sockets;
        options["S3_TIMEOUT"] = "5m"; // whoever waits for it waits longer than this test
        await using ServerProcess server = await ServerProcess.StartAsync(options);
        proxy.Fault = Fault.Slow(20_000); // the head of an answer comes before its XML, and that in many pieces

        Task<string>[] listings = [.. Enumerable.Range(0, 8)
            .Select(_ => server.Client.GetStringAsync("/admin/quarantine", TestContext.Current.CancellationToken))];
        SendReport report = await new EventSender(server.BaseAddress, Connections).SendAsync(Fitting)
            .WaitAsync(Patience, TestContext.Current.CancellationToken);
        Assert.Equal(Fitting, report.Acknowledged.Count);
        foreach (string answer in await Task.WhenAll(listings).WaitAsync(Patience, TestContext.Current.CancellationToken))
        {
            using var listing = JsonDocument.Parse(answer);
            Assert.Equal(Objects, listing.RootElement.GetProperty("objects").GetArrayLength());
        }
    }
}
