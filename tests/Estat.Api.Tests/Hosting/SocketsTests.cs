// Which threads handle requests must not be seen from outside: the same promises, kept at every level at once.
using Estat.Testing;

namespace Estat.Api.Tests.Hosting;

[Collection(nameof(Alone))]
public sealed class SocketsTests(RealS3 s3)
{
    private const int Connections = 96; // more than the flushing thread answers itself
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
                new RequestKind(AckNames.Memory, Named: true), new RequestKind(AckNames.Disk, Named: true), new RequestKind(AckNames.Stored, Named: true),
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
}
