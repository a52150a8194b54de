// A real server whose folders are taken away, or whose disk is full when it starts.
using Estat.Collect.Spooling;
using Estat.Testing;

namespace Estat.Api.Tests.Outages;

public sealed class LostDiskTests(RealS3 s3)
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    [Fact]
    public async Task A_spool_removed_under_load_costs_nothing_that_was_acknowledged_even_if_the_server_is_killed_afterwards()
    {
        using var folder = new TempFolder();
        string bucket = await s3.Rgw.CreateBucketAsync();
        var options = s3.Options(bucket, folder);
        options["DLQ_DIR"] = folder["dlq"];
        options["SPOOL_DIR"] = folder["spool"];
        await using ServerProcess server = await ServerProcess.StartAsync(options);
        using var enough = new CancellationTokenSource();
        Task<SendReport> sending = new EventSender(server.BaseAddress, connections: 4, perSecond: 2_000).SendAsync(enough.Token);
        await Wait.UntilAsync(
            async () => (await server.MetricsAsync())["estat_events{place=\"spooled\"}"] > 500, Patience, "events in open segments");
        await Command.RunAsync(Patience, "rm", "-rf", folder["spool"]);

        await Wait.UntilAsync(() => IsUnreadyAsync(server), Patience, "the loss to be noticed");
        await Wait.UntilAsync(
            async () => (await server.MetricsAsync())["estat_events{place=\"spooled\"}"] == 0, Patience, "what open files hold to be stored");
        await enough.CancelAsync();
        SendReport report = await sending;
        Assert.True(report.StatusCounts.GetValueOrDefault(503) > 0);
        server.Kill();
        await server.WaitForExitAsync(Patience);
        await Oracle.IsExactAsync(s3.Rgw, bucket, report);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_killed_server_starts_on_a_disk_without_room_or_inodes_stores_what_waits_and_goes_on(bool withoutInodes)
    {
        Assert.SkipUnless(SmallDisk.Available(out string reason), reason);
        using var folder = new TempFolder();
        using var disk = new SmallDisk(32 << 20, inodes: 200);
        using var proxy = FaultProxy.Start(s3.Rgw.Port);
        string bucket = await s3.Rgw.CreateBucketAsync();
        var options = s3.Options(bucket, folder, proxy.Endpoint);
        options["SPOOL_DIR"] = Path.Combine(disk.Path, "spool");
        options["DLQ_DIR"] = Path.Combine(disk.Path, "dlq");
        options["SPOOL_VOLATILE"] = "true";
        options["DISK_MIN_FREE_BYTES"] = "1000000";
        options["PARTITIONS"] = "2";
        options["FLUSH_INTERVAL"] = "200ms";
        // No upload may fail and go to the DLQ: what a kill leaves half done there the next start removes, which makes room.
        proxy.Fault = Fault.Hang;
        options["S3_TIMEOUT"] = "5m";
        SendReport first;
        await using (ServerProcess server = await ServerProcess.StartAsync(options))
        {
            first = await new EventSender(server.BaseAddress, connections: 2).SendAsync(300);
            server.Kill();
            await server.WaitForExitAsync(Patience);
        }

        // The start removes them as well. On a disk that was filled with them there, the node would have room again, and be ready, a second after its
        // start: on a busy machine before this test has looked.
        RemoveWhatHoldsNothing(options["SPOOL_DIR"]);
        if (withoutInodes)
        {
            disk.FillInodes();
        }
        else
        {
            disk.Fill();
        }

        await using ServerProcess next = ServerProcess.Launch(options);
        await Wait.UntilAsync(() => next.Output.Any(
            line => line.Contains("Could not write the number of this start", StringComparison.Ordinal)), Patience, "the start");
        await Wait.UntilAsync(() => IsUnreadyAsync(next), Patience, "it to answer 503", () => string.Join('\n', next.Output));
        proxy.Fault = Fault.None;
        await Wait.UntilAsync(
            async () => (await next.MetricsAsync())["s3_events_stored_total"] >= first.Acknowledged.Count, Patience, "what waits to be stored",
            () => string.Join('\n', next.Output));
        disk.Free();
        await next.UntilReadyAsync(Patience);
        await Oracle.IsExactAsync(s3.Rgw, bucket, first);
        using var body = new StringContent("after");
        Assert.Equal(200, (int)(await next.Client.PostAsync("/collect", body)).StatusCode);
        await Oracle.UntilAllStoredAsync(next, Patience);
        next.Terminate();
        await Oracle.EndsWellAsync(next, Patience);
    }

    // Segments that were made in advance, and such a one that was being made.
    private static void RemoveWhatHoldsNothing(string spool)
    {
        foreach (string path in Directory.EnumerateFiles(spool))
        {
            string name = Path.GetFileName(path);
            if (name.StartsWith(".tmp-", StringComparison.Ordinal)
                || (name.EndsWith(Spool.Extension, StringComparison.Ordinal) && SegmentFormat.IsSpare(File.ReadAllBytes(path), name)))
            {
                File.Delete(path);
            }
        }
    }

    private static async Task<bool> IsUnreadyAsync(ServerProcess server)
    {
        try
        {
            return (int)(await server.Client.GetAsync("/health/ready")).StatusCode == 503;
        }
        catch (HttpRequestException)
        {
            return false; // it does not listen yet
        }
    }
}
