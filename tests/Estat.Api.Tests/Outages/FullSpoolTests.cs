// The spool is at its limit or its disk is full: new requests get 503 at once, nothing acknowledged is given up, and room is noticed.
using Estat.Testing;

namespace Estat.Api.Tests.Outages;

public sealed class FullSpoolTests(RealS3 s3)
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    [Fact]
    public async Task At_SPOOL_MAX_SIZE_BYTES_new_requests_get_503_until_batches_have_left()
    {
        using var folder = new TempFolder();
        using var proxy = FaultProxy.Start(s3.Rgw.Port);
        string bucket = await s3.Rgw.CreateBucketAsync();
        var options = s3.Options(bucket, folder, proxy.Endpoint);
        options["SPOOL_MAX_SIZE_BYTES"] = "1048576";
        options["S3_TIMEOUT"] = "5m";
        options["BATCH_SIZE"] = "500";
        proxy.Fault = Fault.Hang;
        await using ServerProcess server = await ServerProcess.StartAsync(options);

        SendReport report = await SendUntilRefusedAsync(server);
        await AssertRefusesAsync(server, "no room left", "SPOOL_MAX_SIZE_BYTES");
        Oracle.Conserves(await server.MetricsAsync());
        Assert.InRange((await server.MetricsAsync())["estat_spool_bytes"], 1 << 20, 4 << 20);
        Assert.Equal(200, await PostAsync(server, "memory"));

        proxy.Fault = Fault.None;
        await UntilTakesAsync(server);
        await FinishAsync(server, bucket, report);
    }

    [Fact]
    public async Task Below_DISK_MIN_FREE_BYTES_new_requests_get_503_until_there_is_room()
    {
        Assert.SkipUnless(SmallDisk.Available(out string reason), reason);
        using var folder = new TempFolder();
        using var disk = new SmallDisk(64 << 20);
        string bucket = await s3.Rgw.CreateBucketAsync();
        var options = OnSmallDisk(s3.Options(bucket, folder), disk);
        options["DISK_MIN_FREE_BYTES"] = "16777216";
        await using ServerProcess server = await ServerProcess.StartAsync(options);
        SendReport report = await new EventSender(server.BaseAddress, connections: 4).SendAsync(2_000);

        string ballast = disk.Fill(leave: 8 << 20);
        await Wait.UntilAsync(async () => await PostAsync(server) == 503, Patience, "the lack of room to be noticed");
        await AssertRefusesAsync(server, "no room left", "DISK_MIN_FREE_BYTES");
        File.Delete(ballast);
        await UntilTakesAsync(server);
        await FinishAsync(server, bucket, report);
    }

    [Fact]
    public async Task A_disk_that_is_really_full_costs_nothing_that_was_acknowledged()
    {
        Assert.SkipUnless(SmallDisk.Available(out string reason), reason);
        using var folder = new TempFolder();
        using var disk = new SmallDisk(8 << 20);
        string bucket = await s3.Rgw.CreateBucketAsync();
        var options = OnSmallDisk(s3.Options(bucket, folder), disk);
        options["DISK_MIN_FREE_BYTES"] = "0";
        await using ServerProcess server = await ServerProcess.StartAsync(options);
        var sender = new EventSender(server.BaseAddress, connections: 4, perSecond: 2_000);
        using var enough = new CancellationTokenSource();
        Task<SendReport> sending = sender.SendAsync(enough.Token);
        await Wait.UntilAsync(() => sender.LastNumber >= 1_000, Patience, "the first events to be sent");

        string ballast = disk.Fill();
        await Wait.UntilAsync(
            async () => (await server.MetricsAsync())["estat_http_requests_rejected_disk_failed_total"] > 0, Patience, "the disk to refuse");
        // Not readiness: S3 answers, so batches leave and make room, and the disk takes and refuses by turns.
        File.Delete(ballast);
        await UntilTakesAsync(server);
        await enough.CancelAsync();
        SendReport report = await sending;
        await FinishAsync(server, bucket, report);
    }

    [Fact]
    public async Task A_full_DLQ_disk_keeps_batches_in_the_spool_and_turns_nobody_away()
    {
        Assert.SkipUnless(SmallDisk.Available(out string reason), reason);
        using var folder = new TempFolder();
        using var disk = new SmallDisk(256 * 1024);
        using var proxy = FaultProxy.Start(s3.Rgw.Port);
        string bucket = await s3.Rgw.CreateBucketAsync();
        var options = s3.Options(bucket, folder, proxy.Endpoint);
        options["DLQ_DIR"] = Path.Combine(disk.Path, "dlq");
        options["DISK_MIN_FREE_BYTES"] = "0";
        options["BATCH_SIZE"] = "1000";
        proxy.Fault = Fault.Refuse;
        SendReport report;
        await using (ServerProcess first = await ServerProcess.StartAsync(options))
        {
            report = await new EventSender(first.BaseAddress, connections: 8).SendAsync(20_000);
            Assert.Equal(20_000, report.Acknowledged.Count);
            await Wait.UntilAsync(
                async () => (await first.MetricsAsync())["estat_dlq_write_errors_total"] > 0, Patience, "the DLQ's disk to be full");
            Oracle.Conserves(await first.MetricsAsync());
            first.Terminate();
            await Oracle.EndsWellAsync(first, Patience);
        }

        proxy.Fault = Fault.None;
        await using ServerProcess second = await ServerProcess.StartAsync(options);
        await Wait.UntilAsync(async () => Oracle.At(await second.MetricsAsync(), "found") == 20_000, Patience, "stock to be taken");
        await Oracle.UntilAllStoredAsync(second, Patience);
        await Oracle.IsExactAsync(s3.Rgw, bucket, report);
    }

    private static Dictionary<string, string> OnSmallDisk(Dictionary<string, string> options, SmallDisk disk)
    {
        options["SPOOL_DIR"] = Path.Combine(disk.Path, "spool");
        options["SPOOL_VOLATILE"] = "true";
        options["FLUSH_INTERVAL"] = "300ms";
        return options;
    }

    private static async Task<SendReport> SendUntilRefusedAsync(ServerProcess server)
    {
        using var enough = new CancellationTokenSource();
        Task<SendReport> sending = new EventSender(server.BaseAddress, connections: 4, perSecond: 5_000).SendAsync(enough.Token);
        await Wait.UntilAsync(
            async () => (await server.MetricsAsync())["estat_http_requests_rejected_storage_full_total"] > 0, Patience,
            "new requests to be turned away");
        await enough.CancelAsync();
        return await sending;
    }

    private static async Task AssertRefusesAsync(ServerProcess server, string detail, string readiness)
    {
        using var body = new StringContent("refused");
        // A disk that lets one write through between two failures is ready for a moment.
        await Wait.UntilAsync(async () => (int)(await server.Client.GetAsync("/health/ready")).StatusCode == 503, Patience, "readiness to be gone");
        using HttpResponseMessage ready = await server.Client.GetAsync("/health/ready");
        Assert.Contains(readiness, await Problems.DetailOfAsync(ready), StringComparison.Ordinal);
        using HttpResponseMessage answer = await server.Client.PostAsync("/collect", body);
        Assert.Equal(503, (int)answer.StatusCode);
        Assert.NotNull(answer.Headers.RetryAfter);
        Assert.False(answer.Headers.Contains("X-Estat-Key"));
        Assert.Contains(detail, await Problems.DetailOfAsync(answer), StringComparison.Ordinal);
        Assert.Equal(200, (int)(await server.Client.GetAsync("/health")).StatusCode);
    }

    private static async Task<int> PostAsync(ServerProcess server, string? level = null)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, "/collect") { Content = new StringContent(Beside) };
        if (level is not null)
        {
            request.Headers.Add("X-Estat-Ack", level);
        }

        using HttpResponseMessage answer = await server.Client.SendAsync(request);
        return (int)answer.StatusCode;
    }

    // No event of the sender's: the audit does not count it.
    private const string Beside = "beside the load";

    private static async Task UntilTakesAsync(ServerProcess server)
    {
        await Wait.UntilAsync(async () => await PostAsync(server) == 200, Patience, "room to be noticed");
        await server.UntilReadyAsync(Patience);
    }

    private async Task FinishAsync(ServerProcess server, string bucket, SendReport report)
    {
        await Wait.UntilAsync(
            async () =>
            {
                Oracle.Conserves(await server.MetricsAsync());
                return (await server.MetricsAsync())["estat_spool_waiting_segments"] == 0;
            },
            Patience, "the backlog to be gone");
        server.Terminate();
        await Oracle.EndsWellAsync(server, Patience);
        Audit audit = Audit.Of(
            report, (await StoredEvents.FromBucketAsync(s3.Rgw.Client, bucket, "raw/")).Where(stored => stored.Body is not (Beside or "refused")));
        // A 503 for a failed disk leaves open whether the event is there; twice it never is.
        Assert.True(audit.Lost.Count == 0 && audit.Duplicated.Count == 0, audit.ToString());
    }
}
