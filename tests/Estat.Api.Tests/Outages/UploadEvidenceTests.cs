// Something answers in the store's place: nothing is acknowledged as stored that is not, nothing is lost, and the node says that it fails.
using System.Net;
using Estat.Testing;

namespace Estat.Api.Tests.Outages;

public sealed class UploadEvidenceTests(RealS3 s3)
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    [Fact]
    public async Task What_a_portal_answers_200_to_is_owed_at_disk_and_stored_once_it_is_gone()
    {
        using var folder = new TempFolder();
        using var proxy = FaultProxy.Start(s3.Rgw.Port);
        string bucket = await s3.Rgw.CreateBucketAsync();
        var options = s3.Options(bucket, folder, proxy.Endpoint);
        options["FLUSH_INTERVAL"] = "100ms";
        options["UPLOAD_QUEUE"] = "1000"; // what finds it full waits in the spool instead
        proxy.Fault = Fault.Portal;
        await using ServerProcess server = await ServerProcess.StartAsync(options);
        using (var request = new HttpRequestMessage(HttpMethod.Post, "/collect") { Content = new StringContent("asked for stored") })
        {
            request.Headers.Add("X-Estat-Ack", "stored");
            using HttpResponseMessage answer = await server.Client.SendAsync(request);
            Assert.Equal(HttpStatusCode.Accepted, answer.StatusCode);
            Assert.Equal("disk", Assert.Single(answer.Headers.GetValues("X-Estat-Ack")));
        }

        SendReport report = await new EventSender(server.BaseAddress, connections: 4).SendAsync(500);
        await Wait.UntilAsync(async () => Oracle.At(await server.MetricsAsync(), "dlq") == 501, Patience, "all events to be in the DLQ");
        IReadOnlyDictionary<string, double> during = await server.MetricsAsync();
        Assert.Equal((0, 1), (Oracle.At(during, "stored"), during["estat_storage_failing"]));
        Assert.StartsWith("503", await TellAsync(server), StringComparison.Ordinal);

        proxy.Fault = Fault.None;
        await Oracle.UntilAllStoredAsync(server, Patience);
        Oracle.Conserves(await server.MetricsAsync());
        server.Terminate();
        await Oracle.EndsWellAsync(server, Patience);
        string[] bodies = [.. (await StoredEvents.FromBucketAsync(s3.Rgw.Client, bucket, "raw/")).Select(stored => stored.Body)];
        Assert.Equal(500, report.Acknowledged.Count);
        Assert.Equal(501, bodies.Distinct(StringComparer.Ordinal).Count());
        Assert.Equal(501, bodies.Length);
        Assert.Contains("asked for stored", bodies);
    }

    [Fact]
    public async Task The_sink_is_unavailable_while_PUT_is_refused_though_everything_else_is_allowed()
    {
        using var folder = new TempFolder();
        using StoreStub stub = StoreStub.Start();
        var options = s3.Options("events", folder, stub.Endpoint.ToString());
        options["FLUSH_INTERVAL"] = "100ms";
        options["UPLOAD_QUEUE"] = "1000"; // what finds it full waits in the spool instead
        stub.Instead = request => request.HttpMethod == "PUT" ? StubAnswer.Error(403, "AccessDenied") : null;
        await using ServerProcess server = await ServerProcess.StartAsync(options);
        Assert.StartsWith("503", await TellAsync(server), StringComparison.Ordinal); // before anybody sent anything
        await new EventSender(server.BaseAddress, connections: 1).SendAsync(10);
        await Wait.UntilAsync(async () => Oracle.At(await server.MetricsAsync(), "dlq") == 10, Patience, "the events to be in the DLQ");

        // What a probe cannot see: only what goes under an event's own key is refused.
        stub.Instead = request => request.HttpMethod == "PUT" && !request.RawUrl!.Contains(".estat-probe", StringComparison.Ordinal)
            ? StubAnswer.Error(403, "AccessDenied") : null;
        await Task.Delay(TimeSpan.FromSeconds(1.1)); // what is remembered of a probe
        string answer = await TellAsync(server);
        Assert.StartsWith("503", answer, StringComparison.Ordinal);
        Assert.Contains("PUT raw/dt=", answer, StringComparison.Ordinal);
        Assert.Contains("403 AccessDenied", answer, StringComparison.Ordinal);

        stub.Instead = _ => null;
        await Oracle.UntilAllStoredAsync(server, Patience);
        await Wait.UntilAsync(async () => (await TellAsync(server)).StartsWith("200", StringComparison.Ordinal), Patience, "the sink to be well");
        server.Terminate();
        await Oracle.EndsWellAsync(server, Patience);
    }

    [Fact]
    public async Task The_sink_is_unavailable_while_the_HEAD_that_SSE_KMS_needs_is_refused()
    {
        using var folder = new TempFolder();
        using StoreStub stub = StoreStub.Start();
        var options = s3.Options("events", folder, stub.Endpoint.ToString());
        options["S3_SSE"] = "aws:kms";
        stub.ETag = _ => "\"as of SSE-KMS\"";
        stub.Instead = request => request.HttpMethod == "HEAD" ? StubAnswer.Error(403, "AccessDenied") : null;
        await using ServerProcess server = await ServerProcess.StartAsync(options);

        string answer = ""; // before anybody sent anything; a busy machine may answer late the first time
        await Wait.UntilAsync(
            async () => (answer = await TellAsync(server)).Contains("this needs s3:GetObject", StringComparison.Ordinal), Patience,
            "the sink's answer to name the permission", () => answer);

        Assert.StartsWith("503", answer, StringComparison.Ordinal);
        stub.Instead = _ => null;
        await Wait.UntilAsync(async () => (await TellAsync(server)).StartsWith("200", StringComparison.Ordinal), Patience, "the sink to be well");
    }

    private static async Task<string> TellAsync(ServerProcess server)
    {
        using HttpResponseMessage answer = await server.Client.GetAsync("/health/sink");
        return $"{(int)answer.StatusCode} {await answer.Content.ReadAsStringAsync()}";
    }
}
