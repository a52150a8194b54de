// The DLQ's disk is full, or the DLQ is at its capacity, while storage is down: new requests wait, nothing acknowledged is given up.
using Estat.Testing;

namespace Estat.Api.Tests.Outages;

public sealed class FullDiskTests(RealS3 s3)
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    [Fact]
    public async Task Acknowledged_events_survive_a_full_DLQ_disk_in_memory_and_new_requests_get_503()
    {
        Assert.SkipUnless(SmallDisk.Available(out string reason), reason);
        using var folder = new TempFolder();
        using var disk = new SmallDisk(512 * 1024);
        using var proxy = FaultProxy.Start(s3.Rgw.Port);
        string bucket = await s3.Rgw.CreateBucketAsync();
        var options = s3.Options(bucket, folder, proxy.Endpoint);
        options["DLQ_DIR"] = Path.Combine(disk.Path, "dlq");
        options["ACK"] = "memory"; // above it batches wait in the spool
        options["DISK_MIN_FREE_BYTES"] = "0"; // the disk shall really run full
        options["FLUSH_INTERVAL"] = "50ms";
        options["BATCH_SIZE"] = "1000";
        options["CHANNEL_SIZE"] = "2000";
        proxy.Fault = Fault.Refuse;
        await using ServerProcess server = await ServerProcess.StartAsync(options);

        using var enough = new CancellationTokenSource();
        Task<SendReport> sending = new EventSender(server.BaseAddress, connections: 8, perSecond: 5_000).SendAsync(enough.Token);
        await Wait.UntilAsync(
            async () => (await server.MetricsAsync()) is var metrics
                && metrics["estat_dlq_write_errors_total"] > 0 && metrics["http_requests_rejected_queue_full_total"] > 0,
            Patience, "the disk to be full and new requests to be turned away");
        await enough.CancelAsync();
        SendReport report = await sending;
        Oracle.Conserves(await server.MetricsAsync());
        Assert.True(report.StatusCounts.GetValueOrDefault(503) > 0);

        proxy.Fault = Fault.None;
        await Oracle.UntilAllStoredAsync(server, Patience);
        server.Terminate();
        await Oracle.EndsWellAsync(server, Patience);
        await Oracle.IsExactAsync(s3.Rgw, bucket, report);
    }

    [Theory]
    [InlineData("memory", "DLQ_MAX_SIZE_BYTES", "50000")]
    [InlineData("disk", "DLQ_MAX_SIZE_BYTES", "50000")]
    [InlineData("memory", "DISK_MIN_FREE_BYTES", "9000000000000000000")]
    public async Task A_DLQ_at_its_limit_turns_new_requests_away_and_readiness_with_them_until_it_drains(string level, string option, string value)
    {
        using var folder = new TempFolder();
        using var proxy = FaultProxy.Start(s3.Rgw.Port);
        string bucket = await s3.Rgw.CreateBucketAsync();
        var options = s3.Options(bucket, folder, proxy.Endpoint);
        options["ACK"] = level;
        options[option] = value;
        options["FLUSH_INTERVAL"] = "50ms";
        proxy.Fault = Fault.Refuse;
        await using ServerProcess server = await ServerProcess.StartAsync(options);

        using var enough = new CancellationTokenSource();
        Task<SendReport> sending = new EventSender(server.BaseAddress, connections: 4, perSecond: 3_000).SendAsync(enough.Token);
        await Wait.UntilAsync(
            async () => (await server.MetricsAsync())["estat_http_requests_rejected_storage_full_total"] > 0, Patience,
            "new requests to be turned away");
        HttpResponseMessage ready = await server.Client.GetAsync("/health/ready");
        Assert.Equal(503, (int)ready.StatusCode);
        await enough.CancelAsync();
        SendReport report = await sending;

        proxy.Fault = Fault.None;
        await Oracle.UntilAllStoredAsync(server, Patience);
        ready = await server.Client.GetAsync("/health/ready");
        Assert.Equal(200, (int)ready.StatusCode);
        server.Terminate();
        await Oracle.EndsWellAsync(server, Patience);
        await Oracle.IsExactAsync(s3.Rgw, bucket, report);
    }

    [Fact]
    public async Task A_full_storage_folder_moves_batches_to_the_DLQ_and_they_arrive_once_there_is_room()
    {
        Assert.SkipUnless(SmallDisk.Available(out string reason), reason);
        using var folder = new TempFolder();
        using var disk = new SmallDisk(1024 * 1024);
        string filler = Path.Combine(disk.Path, "filler");
        await File.WriteAllBytesAsync(filler, new byte[900 * 1024]);
        var options = new Dictionary<string, string>
        {
            ["STORAGE_DIR"] = Path.Combine(disk.Path, "data"),
            ["DLQ_DIR"] = folder["dlq"],
            ["SPOOL_DIR"] = folder["spool"],
            ["FLUSH_INTERVAL"] = "50ms",
            ["RECOVERY_INTERVAL"] = "100ms",
        };
        await using ServerProcess server = await ServerProcess.StartAsync(options);

        SendReport report = await new EventSender(server.BaseAddress, connections: 4).SendAsync(3_000);
        await Wait.UntilAsync(async () => (await server.MetricsAsync())["dlq_events_enqueued_total"] > 0, Patience, "the folder's disk to run full");
        File.Delete(filler);

        await Oracle.UntilAllStoredAsync(server, Patience);
        server.Terminate();
        await Oracle.EndsWellAsync(server, Patience);
        Audit audit = Audit.Of(report, StoredEvents.FromFolder(Path.Combine(disk.Path, "data", "raw")));
        Assert.True(audit.Clean && audit.NeverAcknowledged.Count == 0, audit.ToString());
    }
}
