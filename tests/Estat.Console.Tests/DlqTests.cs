// DLQ and quarantine in the console: every button does what it says.
using System.Globalization;
using System.Text;
using Estat.Testing;
using Microsoft.Playwright;
using static Estat.Console.Tests.Visit;

namespace Estat.Console.Tests;

public sealed class DlqTests(Chromium chromium, RealS3 s3)
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(30);

    [Fact]
    public async Task A_file_is_inspected_downloaded_and_retried_and_the_answer_says_what_came_of_it()
    {
        CephRgw rgw = await s3.Rgw;
        string bucket = await rgw.CreateBucketAsync();
        using var proxy = FaultProxy.Start(rgw.Port);
        proxy.Fault = Fault.Refuse;
        await using ConsoleServer server = await StartAsync(rgw, bucket, proxy);
        string key = await server.SendAsync("""{"page":"/waits"}""");
        await UntilInDlqAsync(server, 1);
        await chromium.VisitAsync(
            server.Address,
            async visit =>
            {
                ILocator rows = visit.Find("#dlq tbody tr");
                await Expecting(rows).ToHaveCountAsync(1);
                await Expecting(visit.Find("#dlq-count")).ToHaveTextAsync("1");

                await rows.GetByText("Inspect").ClickAsync();
                await Expecting(visit.Find("dialog")).ToContainTextAsync(key);
                await Expecting(visit.Find("dialog .line")).ToContainTextAsync("/waits");
                await visit.Page.Keyboard.PressAsync("Escape");
                await Expecting(visit.Find("dialog")).ToHaveCountAsync(0);
                await Expecting(rows.GetByText("Inspect")).ToBeFocusedAsync();

                IDownload download = await visit.Page.RunAndWaitForDownloadAsync(() => rows.GetByText("Download").ClickAsync());
                byte[] payload = await File.ReadAllBytesAsync(await download.PathAsync(), TestContext.Current.CancellationToken);
                Assert.Contains("/waits", Encoding.UTF8.GetString(StoredEvents.Decompress(key, payload)), StringComparison.Ordinal);

                await rows.GetByText("Retry now").ClickAsync();
                await Expecting(visit.Find("#said")).ToContainTextAsync("was not stored: ");
                await Expecting(rows).ToHaveCountAsync(1);

                proxy.Fault = Fault.None;
                await rows.GetByText("Retry now").ClickAsync();
                await Expecting(visit.Find("#said")).ToContainTextAsync("is stored.");
                await Expecting(rows).ToHaveCountAsync(0);
                await Expecting(visit.Find("#dlq .empty")).ToBeVisibleAsync();
            },
            path: "/console#dlq");
        StoredEvent stored = Assert.Single(await StoredEvents.FromBucketAsync(rgw.Client, bucket, "raw/"));
        Assert.Equal(key, stored.Key);
    }

    [Fact]
    public async Task A_file_is_shown_as_it_is_now_not_as_it_was_when_its_row_was_made()
    {
        await using ConsoleServer server = await StartAwayAsync();
        await server.SendAsync("waits");
        await UntilInDlqAsync(server, 1);
        await chromium.VisitAsync(
            server.Address,
            async visit =>
            {
                ILocator row = visit.Find("#dlq tbody tr");
                ILocator attempts = row.Locator("[data-label=Attempts]");
                await Expecting(attempts).Not.ToBeEmptyAsync();
                int made = int.Parse(await attempts.InnerTextAsync(), CultureInfo.InvariantCulture);
                for (int retries = 1; retries <= 2; retries++)
                {
                    await row.GetByText("Retry now").ClickAsync();
                    await Expecting(attempts).ToHaveTextAsync($"{made + retries}");
                }

                await row.GetByText("Inspect").ClickAsync();
                await Expecting(visit.Page.Locator("dialog .about div", new() { HasText = "Attempts" }).Locator("dd")).ToHaveTextAsync($"{made + 2}");
            },
            path: "/console#dlq");
    }

    [Fact]
    public async Task All_are_retried_at_once()
    {
        CephRgw rgw = await s3.Rgw;
        string bucket = await rgw.CreateBucketAsync();
        using var proxy = FaultProxy.Start(rgw.Port);
        proxy.Fault = Fault.Refuse;
        await using ConsoleServer server = await StartAsync(rgw, bucket, proxy, recoveryInterval: "200ms");
        await server.SendAsync("one");
        await UntilInDlqAsync(server, 1);
        await server.SendAsync("two");
        await UntilInDlqAsync(server, 2);
        await chromium.VisitAsync(
            server.Address,
            async visit =>
            {
                await Expecting(visit.Find("#dlq tbody tr")).ToHaveCountAsync(2);
                proxy.Fault = Fault.None;
                await visit.Find("#retry-all").ClickAsync();
                await Expecting(visit.Find("#said")).ToContainTextAsync("due now");
                await Expecting(visit.Find("#dlq tbody tr")).ToHaveCountAsync(0);
            },
            path: "/console#dlq");
        Assert.Equal(2, (await StoredEvents.FromBucketAsync(rgw.Client, bucket, "raw/")).Count);
    }

    [Fact]
    public async Task Nothing_is_discarded_before_its_number_is_typed()
    {
        await using ConsoleServer server = await StartAwayAsync();
        await server.SendBatchAsync(["1", "2", "3"]);
        await UntilInDlqAsync(server, 3);
        await chromium.VisitAsync(
            server.Address,
            async visit =>
            {
                ILocator discard = visit.Find("#dlq tbody").GetByText("Discard");
                await discard.ClickAsync();
                ILocator dialog = visit.Find("dialog");
                await Expecting(dialog).ToContainTextAsync("This deletes 3 events for good");
                await Expecting(dialog.Locator(".line")).ToHaveCountAsync(3);
                ILocator go = visit.Button("Discard 3 events");
                await Expecting(go).ToBeDisabledAsync();
                await visit.Find("#discard-count").FillAsync("2");
                await visit.Find("#discard-count").PressAsync("Enter");
                await Expecting(go).ToBeDisabledAsync();
                await visit.Button("Cancel").ClickAsync();
                await Expecting(dialog).ToHaveCountAsync(0);
                await Expecting(discard).ToBeFocusedAsync();
                Assert.NotEmpty(Directory.GetFiles(server.DlqDir, "*.jsonl.gz"));

                await discard.ClickAsync();
                await visit.Find("#discard-count").FillAsync("3");
                await go.ClickAsync();
                await Expecting(visit.Find("#said")).ToContainTextAsync("3 events of");
                await Expecting(visit.Find("#dlq tbody tr")).ToHaveCountAsync(0);
                Assert.Empty(Directory.GetFiles(server.DlqDir, "*.jsonl.gz"));

                await visit.GoAsync("overview");
                await Expecting(visit.Find("[data-place=dropped]")).ToHaveTextAsync("3");
                Visit.Ledger line = await visit.LedgerAsync();
                Assert.True(line.Holds && line.SaysThatItHolds);
            },
            path: "/console#dlq");
    }

    [Fact]
    public async Task What_cannot_be_read_is_in_quarantine_with_its_reason()
    {
        await using ConsoleServer server = await ConsoleServer.StartAsync(
            new Dictionary<string, string> { ["RECOVERY_INTERVAL"] = "100ms" },
            prepare => EarlierDlq.Put(
                prepare.DlqDir, "1700000000_earlier-1_1", "an earlier run", Encoding.UTF8.GetBytes("no gzip at all"), events: 2));
        await chromium.VisitAsync(
            server.Address,
            async visit =>
            {
                ILocator rows = visit.Find("#quarantine tbody tr");
                await Expecting(rows).ToHaveCountAsync(1);
                await Expecting(rows).ToContainTextAsync("raw_dlq/1700000000_earlier-1_1");
                await rows.GetByText("Inspect").ClickAsync();
                await Expecting(visit.Find("dialog")).ToContainTextAsync("no gzip at all");
                await visit.Page.Keyboard.PressAsync("Escape");

                IDownload download = await visit.Page.RunAndWaitForDownloadAsync(() => rows.GetByText("Download").ClickAsync());
                Assert.Equal("no gzip at all", await File.ReadAllTextAsync(await download.PathAsync(), TestContext.Current.CancellationToken));

                await rows.GetByText("Retry now").ClickAsync();
                await Expecting(visit.Find("#said")).ToContainTextAsync("was not stored: ");

                await rows.GetByText("Discard").ClickAsync();
                await visit.Find("#discard-count").FillAsync("2");
                await visit.Button("Discard 2 events").ClickAsync();
                await Expecting(rows).ToHaveCountAsync(0);
                Assert.Empty(Directory.GetFiles(Path.Combine(server.StorageDir, "raw_dlq")));
            },
            path: "/console#quarantine");
    }

    // By itself it tries nothing again while a test looks.
    private static Task<ConsoleServer> StartAsync(CephRgw rgw, string bucket, FaultProxy proxy, string recoveryInterval = "1h") =>
        ConsoleServer.StartAsync(
            new Dictionary<string, string>(ConsoleServer.Bucket(rgw, bucket, proxy.Endpoint)) { ["RECOVERY_INTERVAL"] = recoveryInterval });

    // A storage where nobody listens.
    private static Task<ConsoleServer> StartAwayAsync() => ConsoleServer.StartAsync(new Dictionary<string, string>
    {
        ["RAW_BUCKET"] = "away", ["S3_ENDPOINT"] = $"http://127.0.0.1:{FreePort.Next()}", ["AWS_ACCESS_KEY_ID"] = "none",
            ["AWS_SECRET_ACCESS_KEY"] = "none",
        ["S3_APP_RETRIES"] = "0", ["RECOVERY_INTERVAL"] = "1h",
    });

    private static Task UntilInDlqAsync(ConsoleServer server, int events) => Wait.UntilAsync(
        async () => Conservation.At(await server.Process.MetricsAsync(), "dlq") == events, Limit, $"{events} events in the DLQ");
}
