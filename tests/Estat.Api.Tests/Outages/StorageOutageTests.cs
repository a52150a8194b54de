// Storage fails in every way that a real one does; whatever was acknowledged is there exactly once in the end.
using Estat.Testing;

namespace Estat.Api.Tests.Outages;

public sealed class StorageOutageTests(OwnS3 s3) : IClassFixture<OwnS3>
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    [Fact]
    public async Task Every_200_of_many_events_is_stored_once_although_S3_is_down_for_seconds()
    {
        (int events, int perSecond, int downAfter, int downFor) = Oracles.AreLong ? (200_000, 5_000, 50_000, 20) : (60_000, 4_000, 15_000, 8);
        using var folder = new TempFolder();
        string bucket = await s3.Rgw.CreateBucketAsync();
        var options = s3.Options(bucket, folder);
        options["FLUSH_INTERVAL"] = "2s";
        await using ServerProcess server = await ServerProcess.StartAsync(options);
        var sender = new EventSender(server.BaseAddress, connections: 64, perSecond);
        using var scraping = new CancellationTokenSource();
        Task scrapes = ConserveWhileAsync(server, scraping.Token);

        Task<SendReport> sending = sender.SendAsync(events);
        await Wait.UntilAsync(() => sender.LastNumber >= downAfter, Patience, $"event {downAfter} to be sent");
        await s3.Rgw.StopGatewayAsync();
        try
        {
            await Task.Delay(TimeSpan.FromSeconds(downFor)); // the outage itself
        }
        finally
        {
            await s3.Rgw.StartGatewayAsync();
        }

        SendReport report = await sending;
        await scraping.CancelAsync();
        await scrapes;
        IReadOnlyDictionary<string, double> during = await server.MetricsAsync();
        Assert.True(during["dlq_events_enqueued_total"] > 0, "the outage never reached the DLQ: the test tests nothing");
        await Oracle.UntilAllStoredAsync(server, Patience);
        IReadOnlyDictionary<string, double> after = await server.MetricsAsync();
        server.Terminate();
        await Oracle.EndsWellAsync(server, Patience);

        Assert.Equal(events, report.Acknowledged.Count);
        Assert.Equal(events, after["s3_events_stored_total"]);
        Assert.Equal(after["dlq_events_enqueued_total"], after["dlq_events_reuploaded_total"]);
        Assert.Contains(server.Output, line => line.Contains("\"event\":\"StorageBeganToFail\"", StringComparison.Ordinal));
        Assert.Contains(server.Output, line => line.Contains("\"event\":\"StorageAnswersAgain\"", StringComparison.Ordinal));
        // not one for each attempt
        Assert.InRange(server.Output.Count(line => line.Contains("\"level\":\"warning\"", StringComparison.Ordinal)), 1, 10);
        await Oracle.IsExactAsync(s3.Rgw, bucket, report);
    }

    [Fact]
    public async Task Events_wait_while_S3_refuses_with_403_and_arrive_once_it_accepts_again()
    {
        using var folder = new TempFolder();
        string bucket = await s3.Rgw.CreateBucketAsync();
        var options = s3.Options(bucket, folder);
        options["FLUSH_INTERVAL"] = "100ms";
        options["UPLOAD_QUEUE"] = "1000"; // what finds it full waits in the spool instead
        await using ServerProcess server = await ServerProcess.StartAsync(options);

        SendReport report;
        await s3.Rgw.SuspendUserAsync();
        try
        {
            report = await new EventSender(server.BaseAddress, connections: 4).SendAsync(2_000);
            await Wait.UntilAsync(
                async () => Oracle.At(await server.MetricsAsync(), "dlq") == 2_000, Patience, "all events to be in the DLQ");
            string answer = "";
            await Wait.UntilAsync(
                async () => (answer = await TellAsync(server, "/health/sink")).StartsWith("503", StringComparison.Ordinal),
                Patience, "the sink's answer, which is remembered for a second, to be the refusal", () => answer);
            Assert.Contains("403", answer, StringComparison.Ordinal);
        }
        finally
        {
            await s3.Rgw.EnableUserAsync();
        }

        await Oracle.UntilAllStoredAsync(server, Patience);
        Assert.Equal(0, (await server.MetricsAsync())["estat_storage_failing"]); // though nobody has sent anything since
        server.Terminate();
        await Oracle.EndsWellAsync(server, Patience);
        await Oracle.IsExactAsync(s3.Rgw, bucket, report);
    }

    public static TheoryData<FaultKind, long> Faults => new()
    {
        { FaultKind.Refuse, 0 },
        { FaultKind.Hang, 0 },
        { FaultKind.CutUpload, 2_000 },
        { FaultKind.DropResponse, 0 },
        { FaultKind.Slow, 20_000 },
    };

    [Theory]
    [MemberData(nameof(Faults))]
    public async Task Events_sent_during_a_fault_of_the_connection_to_S3_are_stored_once(FaultKind kind, long amount)
    {
        using var folder = new TempFolder();
        using var proxy = FaultProxy.Start(s3.Rgw.Port);
        string bucket = await s3.Rgw.CreateBucketAsync();
        var options = s3.Options(bucket, folder, proxy.Endpoint);
        options["FLUSH_INTERVAL"] = "300ms";
        options["BATCH_SIZE"] = "500";
        options["S3_TIMEOUT"] = "500ms";
        await using ServerProcess server = await ServerProcess.StartAsync(options);
        var sender = new EventSender(server.BaseAddress, connections: 8, perSecond: 2_000);

        Task<SendReport> sending = sender.SendAsync(6_000);
        await Wait.UntilAsync(() => sender.LastNumber >= 1_000, Patience, "the first events to be sent");
        proxy.Fault = new Fault(kind, amount);
        await Wait.UntilAsync(
            async () => (await server.MetricsAsync())["s3_put_errors_total"] >= 3 || kind == FaultKind.DropResponse || kind == FaultKind.Slow,
            Patience, "uploads to fail");
        await Wait.UntilAsync(() => sender.LastNumber >= 5_000, Patience, "most events to be sent");
        proxy.Fault = Fault.None;
        SendReport report = await sending;

        await Oracle.UntilAllStoredAsync(server, Patience);
        Oracle.Conserves(await server.MetricsAsync());
        server.Terminate();
        await Oracle.EndsWellAsync(server, Patience);
        await Oracle.IsExactAsync(s3.Rgw, bucket, report);
    }

    [Fact]
    public async Task What_reached_the_DLQ_survives_kill_9_and_is_stored_once_by_the_next_start()
    {
        using var folder = new TempFolder();
        using var proxy = FaultProxy.Start(s3.Rgw.Port);
        string bucket = await s3.Rgw.CreateBucketAsync();
        var options = s3.Options(bucket, folder, proxy.Endpoint);
        options["FLUSH_INTERVAL"] = "100ms";
        options["BATCH_SIZE"] = "100";
        options["UPLOAD_QUEUE"] = "1000"; // what finds it full waits in the spool instead
        // Half of these uploads arrive without our hearing of it: recovery must find them there.
        proxy.Fault = Fault.DropResponse;
        SendReport report;
        await using (ServerProcess first = await ServerProcess.StartAsync(options))
        {
            report = await new EventSender(first.BaseAddress, connections: 4).SendAsync(3_000);
            await Wait.UntilAsync(async () => Oracle.At(await first.MetricsAsync(), "dlq") == 3_000, Patience, "all events to be in the DLQ");
            first.Kill();
            await first.WaitForExitAsync(Patience);
        }

        proxy.Fault = Fault.None;
        await using ServerProcess second = await ServerProcess.StartAsync(options);
        await Wait.UntilAsync(async () => Oracle.At(await second.MetricsAsync(), "found") == 3_000, Patience, "the DLQ to be taken stock of");
        await Oracle.UntilAllStoredAsync(second, Patience);
        Oracle.Conserves(await second.MetricsAsync());
        second.Terminate();
        await Oracle.EndsWellAsync(second, Patience);
        await Oracle.IsExactAsync(s3.Rgw, bucket, report);
    }

    private static async Task<string> TellAsync(ServerProcess server, string path)
    {
        using HttpResponseMessage answer = await server.Client.GetAsync(path);
        return $"{(int)answer.StatusCode} {await answer.Content.ReadAsStringAsync()}";
    }

    private static async Task ConserveWhileAsync(ServerProcess server, CancellationToken until)
    {
        while (!until.IsCancellationRequested)
        {
            Oracle.Conserves(await server.MetricsAsync());
            await Task.Delay(100, CancellationToken.None);
        }
    }
}
