// `estat dlq` against a real server whose S3 is away.
using System.Text.Json;
using Estat.Cli.Tests.Support;
using Estat.Testing;

namespace Estat.Cli.Tests;

[Collection(RgwTests.Name)]
public sealed class DlqTests(Rgw rgw)
{
    private const int Events = 100_000;
    private const int BatchSize = 250;
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);

    [Fact]
    public async Task A_hundred_thousand_events_in_the_DLQ_are_listed_exported_across_interruptions_and_retried_and_none_is_lost_or_doubled()
    {
        rgw.OrSkip();
        using var folder = new TempFolder();
        string bucket = await rgw.Gateway.CreateBucketAsync();
        await using ServerProcess server = await FilledAsync(folder, bucket, Events);
        try
        {
            string url = server.BaseAddress.ToString();
            var files = (await EstatCommand.RunAsync("dlq", "list", "--all", "--json", "--url", url)).Output.Split('\n')
                .Where(line => line.StartsWith('{'))
                .Select(line => JsonDocument.Parse(line).RootElement).ToList();
            Assert.Equal(Events, files.Sum(file => file.GetProperty("events").GetInt64()));

            await using (ChildProcess exporting = EstatCommand.Start(
                new Dictionary<string, string>(), "dlq", "export", folder["export"], "--all", "--url", url))
            {
                await UntilExportedAsync(folder["export"], 20, exporting);
                exporting.Interrupt();
                Assert.Equal(130, await exporting.WaitForExitAsync(Limit));
            }

            int before = Exported(folder["export"]);
            Assert.InRange(before, 20, files.Count - 1);
            (int code, string output) = await EstatCommand.RunAsync("dlq", "export", folder["export"], "--all", "--json", "--url", url);
            Assert.True(code == 0, output);
            Assert.Contains($"\"files\":{files.Count},\"copied\":{files.Count - before},\"already_there\":{before},\"gone\":0,\"events\":{Events}",
                output, StringComparison.Ordinal);
            AssertEachOnce(StoredEvents.FromFolder(folder["export"]));

            // A copy that is damaged is found by its hash, and made again.
            string damaged = Directory.EnumerateFiles(folder["export"], "*.jsonl.gz").First();
            await File.WriteAllBytesAsync(damaged, new byte[new FileInfo(damaged).Length], TestContext.Current.CancellationToken);
            (code, output) = await EstatCommand.RunAsync("dlq", "export", folder["export"], "--all", "--json", "--url", url);
            Assert.Contains("\"copied\":1,", output, StringComparison.Ordinal);
            AssertEachOnce(StoredEvents.FromFolder(folder["export"]));

            // While S3 is away a retry says so, and stops.
            (code, output) = await EstatCommand.RunAsync("dlq", "retry", "--all", "--url", url);
            Assert.Equal(1, code);
            Assert.Contains("failures in a row", output, StringComparison.Ordinal);
        }
        finally
        {
            await rgw.Gateway.StartGatewayAsync();
        }

        await using (ChildProcess retrying = EstatCommand.Start(
            new Dictionary<string, string>(), "dlq", "retry", "--all", "--url", server.BaseAddress.ToString()))
        {
            await Wait.UntilAsync(async () => (await server.MetricsAsync())["dlq_files_current"] < (Events / BatchSize) - 20, Limit,
                "some files to be stored", () => retrying.AllOutput);
            retrying.Interrupt();
            Assert.Contains(await retrying.WaitForExitAsync(Limit), new[] { 130, 0 });
        }

        (int ended, string said) = await EstatCommand.RunAsync("dlq", "retry", "--all", "--url", server.BaseAddress.ToString());
        Assert.True(ended == 0, said);
        Assert.Equal(0, (await server.MetricsAsync())["dlq_files_current"]);
        AssertEachOnce(await StoredEvents.FromBucketAsync(rgw.Gateway.Client, bucket, "raw/"));
    }

    [Fact]
    public async Task A_folder_is_looked_at_beside_its_server_and_changed_only_without_it()
    {
        rgw.OrSkip();
        const int Few = 1000;
        using var folder = new TempFolder();
        string bucket = await rgw.Gateway.CreateBucketAsync();
        Dictionary<string, string> options = rgw.EnvironmentFor(bucket, folder);
        string[] dir = ["--dir", folder["dlq"]];
        string kept;
        try
        {
            await using ServerProcess server = await FilledAsync(folder, bucket, Few);
            (int code, string output) = await EstatCommand.RunAsync(["dlq", "list", .. dir]);
            Assert.Equal(0, code);
            Assert.Contains("4 files with 1,000 events", output, StringComparison.Ordinal);
            kept = output.Split('\n').First(line => line.Contains('×')).Split('\t')[0];
            Assert.Contains("\"n\\\":", (await EstatCommand.RunAsync(["dlq", "show", kept, .. dir])).Output, StringComparison.Ordinal);
            (code, output) = await EstatCommand.RunAsync(options, ["dlq", "retry", "--all", .. dir]);
            Assert.Equal(1, code);
            Assert.Contains("a running server owns this folder", output, StringComparison.Ordinal);
            server.Kill();
            await server.WaitForExitAsync(Limit);
        }
        finally
        {
            await rgw.Gateway.StartGatewayAsync();
        }

        Assert.Equal(2, (await EstatCommand.RunAsync(options, ["dlq", "discard", kept, "--yes", .. dir])).Code);
        (int refused, string why) = await EstatCommand.RunAsync(options, ["dlq", "discard", kept, "--yes", "--events", "251", .. dir]);
        Assert.Equal(1, refused);
        Assert.Contains("hold 250", why, StringComparison.Ordinal);
        (int discarded, string told) = await EstatCommand.RunAsync(options, ["dlq", "discard", kept, "--yes", "--events", "250", .. dir]);
        Assert.True(discarded == 0, told);
        (int retried, string said) = await EstatCommand.RunAsync(options, ["dlq", "retry", "--all", .. dir]);
        Assert.True(retried == 0, said);
        Assert.Equal(Few - 250, (await StoredEvents.FromBucketAsync(rgw.Gateway.Client, bucket, "raw/")).Select(SendTests.NumberOf).Distinct()
            .Count());
        Assert.Contains("is empty", (await EstatCommand.RunAsync(["dlq", "list", .. dir])).Output, StringComparison.Ordinal);
    }

    // A server that keeps its DLQ to itself: only what the command line asks for is tried.
    private async Task<ServerProcess> FilledAsync(TempFolder folder, string bucket, int events)
    {
        Dictionary<string, string> options = rgw.EnvironmentFor(bucket, folder);
        options["BATCH_SIZE"] = $"{BatchSize}";
        options["FLUSH_INTERVAL"] = "500ms";
        options["S3_APP_RETRIES"] = "0";
        options["S3_TIMEOUT"] = "1s";
        options["RECOVERY_INTERVAL"] = "1h";
        options["PARTITIONS"] = "1";
        options["UPLOAD_QUEUE"] = "1000"; // what finds no room there would wait in the spool instead
        await rgw.Gateway.StopGatewayAsync();
        try
        {
            return await FillAsync(folder, options, events);
        }
        catch
        {
            await rgw.Gateway.StartGatewayAsync(); // for the tests that follow
            throw;
        }
    }

    private static async Task<ServerProcess> FillAsync(TempFolder folder, Dictionary<string, string> options, int events)
    {
        ServerProcess server = await ServerProcess.StartAsync(options);
        string file = SendTests.WriteEvents(folder, events, isGzip: false);
        (int code, string output) = await EstatCommand.RunAsync("send", file, "--url", server.BaseAddress.ToString());
        Assert.True(code == 0, output);
        await Wait.UntilAsync(
            async () => Conservation.At(await server.MetricsAsync(), "dlq") == events, Limit, "all events to be in the DLQ",
            () => Conservation.Describe(server.MetricsAsync().GetAwaiter().GetResult()));
        return server;
    }

    private static void AssertEachOnce(IReadOnlyList<StoredEvent> stored)
    {
        Audit audit = Audit.Of(Enumerable.Range(1, Events).Select(number => (long)number), stored.Select(SendTests.NumberOf));
        Assert.True(audit.Clean && audit.FoundOnce == Events && audit.NeverAcknowledged.Count == 0, audit.ToString());
    }

    private static Task UntilExportedAsync(string folder, int files, ChildProcess exporting) => Wait.UntilAsync(
        () =>
        {
            exporting.ThrowIfEnded("it was interrupted");
            return Exported(folder) >= files;
        },
        Limit, $"{files} files to be exported", () => exporting.AllOutput);

    private static int Exported(string folder) =>
        Directory.Exists(folder) ? Directory.EnumerateFiles(folder, "*.jsonl.gz").Count(file => !Path.GetFileName(file).StartsWith('.')) : 0;
}
