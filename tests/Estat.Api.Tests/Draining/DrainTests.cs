// SIGTERM and SIGINT under load: what was acknowledged is stored, whatever storage does meanwhile, and the process ends in time with 0.
using System.Globalization;
using Estat.Testing;

namespace Estat.Api.Tests.Draining;

public sealed class DrainTests(RealS3 s3)
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    public static TheoryData<int> Rounds => Oracles.AreLong ? [1, 2, 3, 4, 5, 6, 7, 8, 9, 10] : [1, 2, 4];

    [Theory]
    [MemberData(nameof(Rounds))]
    public async Task SIGTERM_under_full_load_stores_exactly_what_was_acknowledged(int round)
    {
        using var folder = new TempFolder();
        string bucket = await s3.Rgw.CreateBucketAsync();
        await using ServerProcess server = await ServerProcess.StartAsync(s3.Options(bucket, folder));
        var sender = new EventSender(server.BaseAddress, connections: 64);
        using var stop = new CancellationTokenSource();

        Task<SendReport> sending = sender.SendAsync(stop.Token);
        await Wait.UntilAsync(() => sender.LastNumber >= 5_000L * round, Patience, "the load to build up");
        server.Terminate();
        await Oracle.EndsWellAsync(server, Patience);
        await stop.CancelAsync();
        SendReport report = await sending;

        Assert.True(report.Acknowledged.Count >= 5_000L * round / 2, $"only {report.Acknowledged.Count} events were acknowledged");
        Assert.Empty(Directory.EnumerateFiles(folder["dlq"], "*.gz"));
        await Oracle.IsExactAsync(s3.Rgw, bucket, report);
    }

    [Fact]
    public async Task While_draining_new_requests_get_503_with_Retry_After_and_readiness_is_gone()
    {
        using var folder = new TempFolder();
        using var proxy = FaultProxy.Start(s3.Rgw.Port);
        string bucket = await s3.Rgw.CreateBucketAsync();
        var options = s3.Options(bucket, folder, proxy.Endpoint);
        options["S3_TIMEOUT"] = "5s";
        await using ServerProcess server = await ServerProcess.StartAsync(options);
        SendReport report = await new EventSender(server.BaseAddress, connections: 1).SendAsync(10);
        proxy.Fault = Fault.Hang; // the upload keeps the drain busy while the test looks at it

        server.Terminate();
        await Wait.UntilAsync(
            async () => (int)(await server.Client.GetAsync("/health/ready")).StatusCode == 503,
            Patience, "readiness to be gone");
        using var body = new StringContent("late");
        HttpResponseMessage late = await server.Client.PostAsync("/collect", body);
        Assert.Equal(503, (int)late.StatusCode);
        Assert.NotNull(late.Headers.RetryAfter);
        Assert.Equal("application/problem+json", late.Content.Headers.ContentType?.MediaType);
        Assert.Equal(200, (int)(await server.Client.GetAsync("/health")).StatusCode);

        proxy.Fault = Fault.None;
        await Oracle.EndsWellAsync(server, Patience);
        await using ServerProcess next = await ServerProcess.StartAsync(options);
        await Oracle.UntilAllStoredAsync(next, Patience);
        await Oracle.IsExactAsync(s3.Rgw, bucket, report);
    }

    [Theory]
    [InlineData(FaultKind.Hang)]
    [InlineData(FaultKind.Refuse)]
    [InlineData(FaultKind.DropResponse)]
    public async Task A_drain_without_storage_ends_within_SHUTDOWN_TIMEOUT_and_the_next_start_stores_everything_once(FaultKind fault)
    {
        using var folder = new TempFolder();
        using var proxy = FaultProxy.Start(s3.Rgw.Port);
        string bucket = await s3.Rgw.CreateBucketAsync();
        var options = s3.Options(bucket, folder, proxy.Endpoint);
        options["SHUTDOWN_TIMEOUT"] = "6s";
        options["BATCH_SIZE"] = "1000";
        SendReport report;
        await using (ServerProcess first = await ServerProcess.StartAsync(options))
        {
            proxy.Fault = new Fault(fault);
            report = await new EventSender(first.BaseAddress, connections: 8).SendAsync(10_500);
            first.Terminate();
            // A bound that the option promises, not a measurement: past it an orchestrator would send SIGKILL.
            await Oracle.EndsWellAsync(first, TimeSpan.FromSeconds(7));
        }

        proxy.Fault = Fault.None;
        await using ServerProcess second = await ServerProcess.StartAsync(options);
        await Wait.UntilAsync(async () => Oracle.At(await second.MetricsAsync(), "found") > 0, Patience, "the DLQ to be taken stock of");
        await Oracle.UntilAllStoredAsync(second, Patience);
        second.Interrupt();
        await Oracle.EndsWellAsync(second, Patience);
        await Oracle.IsExactAsync(s3.Rgw, bucket, report);
    }

    [Fact]
    public async Task A_second_signal_puts_everything_into_the_DLQ_at_once_and_loses_nothing()
    {
        using var folder = new TempFolder();
        using var proxy = FaultProxy.Start(s3.Rgw.Port);
        string bucket = await s3.Rgw.CreateBucketAsync();
        var options = s3.Options(bucket, folder, proxy.Endpoint);
        options["S3_TIMEOUT"] = "5m";
        options["SHUTDOWN_TIMEOUT"] = "10m";
        SendReport report;
        await using (ServerProcess first = await ServerProcess.StartAsync(options))
        {
            proxy.Fault = Fault.Hang;
            report = await new EventSender(first.BaseAddress, connections: 8).SendAsync(12_000);
            first.Interrupt();
            await Wait.UntilAsync(
                () => first.Output.Any(line => line.Contains("draining", StringComparison.Ordinal)), Patience, "the drain to begin");
            await Wait.UntilAsync(
                () =>
                {
                    // Repeats within half a second count as the same stop: signal until one counts as the second.
                    first.Terminate();
                    return first.Output.Any(line => line.Contains("Second signal", StringComparison.Ordinal));
                },
                Patience, "the second signal to be heard");
            await Oracle.EndsWellAsync(first, Patience); // without the second signal: ten minutes
        }

        proxy.Fault = Fault.None;
        await using ServerProcess second = await ServerProcess.StartAsync(options);
        await Wait.UntilAsync(async () => Oracle.At(await second.MetricsAsync(), "found") == 12_000, Patience, "the DLQ to be taken stock of");
        await Oracle.UntilAllStoredAsync(second, Patience);
        await Oracle.IsExactAsync(s3.Rgw, bucket, report);
    }

    [Fact]
    public async Task One_stop_that_arrives_as_two_signals_still_uploads()
    {
        using var folder = new TempFolder();
        string bucket = await s3.Rgw.CreateBucketAsync();
        await using ServerProcess server = await ServerProcess.StartAsync(s3.Options(bucket, folder));
        SendReport report = await new EventSender(server.BaseAddress, connections: 8).SendAsync(12_000);

        server.Interrupt();
        server.Terminate();

        await Oracle.EndsWellAsync(server, Patience);
        Assert.Empty(Directory.EnumerateFiles(folder["dlq"], "*.gz"));
        await Oracle.IsExactAsync(s3.Rgw, bucket, report);
    }

    [Fact]
    public async Task Events_that_nothing_would_take_in_time_are_reported_as_lost_with_exit_code_1()
    {
        Assert.SkipUnless(SmallDisk.Available(out string reason), reason);
        using var disk = new SmallDisk(64 * 1024);
        using var folder = new TempFolder();
        using var proxy = FaultProxy.Start(s3.Rgw.Port);
        proxy.Fault = Fault.Refuse;
        var options = s3.Options(await s3.Rgw.CreateBucketAsync(), folder, proxy.Endpoint);
        options["DLQ_DIR"] = Path.Combine(disk.Path, "dlq");
        options["SHUTDOWN_TIMEOUT"] = "3s";
        options["ACK"] = "memory"; // above it the events are in the spool
        options["PARTITIONS"] = "1"; // one batch, too large for the disk as a whole
        await using ServerProcess server = await ServerProcess.StartAsync(options);
        SendReport report = await new EventSender(server.BaseAddress, connections: 4).SendAsync(2_000);

        server.Terminate();

        Assert.Equal(1, await server.WaitForExitAsync(Patience));
        string lost = report.Acknowledged.Count.ToString(CultureInfo.InvariantCulture);
        Assert.True(server.Output.Any(line => line.Contains("\"level\":\"critical\"", StringComparison.Ordinal)
            && line.Contains(lost, StringComparison.Ordinal)), string.Join("\n", server.Output));
    }
}
