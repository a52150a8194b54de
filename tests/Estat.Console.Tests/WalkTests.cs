// A new operator's first ten minutes, as README's "Watch it" tells them, in a real browser with a real S3.
using System.Globalization;
using System.Net;
using System.Text;
using Estat.Testing;
using Microsoft.Playwright;
using static Estat.Console.Tests.Visit;

namespace Estat.Console.Tests;

/// <summary>Each step is kept as a picture: in docs/images if <c>ESTAT_SCREENSHOTS=docs</c>, else in artifacts/console.</summary>
public sealed class WalkTests(Chromium chromium)
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);

    [Fact]
    public async Task Run_watch_send_find_lose_S3_and_get_everything_back()
    {
        RealS3.SkipWithout();
        await using CephRgw rgw = await CephRgw.StartAsync();
        string bucket = await rgw.CreateBucketAsync("events");
        var options = new Dictionary<string, string>(ConsoleServer.Bucket(rgw, bucket)) { ["FLUSH_INTERVAL"] = "1s", ["S3_TIMEOUT"] = "1s" };
        await using ConsoleServer server = await ConsoleServer.StartAsync(options);
        await using var shop = new Shop(server.Address);
        var lines = new List<Visit.Ledger>();
        await chromium.VisitAsync(
            server.Address,
            async console =>
            {
                // An empty server greets; its button sends a first event.
                await Expecting(console.Find("#curl")).ToContainTextAsync("/collect");
                await KeepAsync(console, "welcome");
                await console.Find("#send-test").ClickAsync();
                await Expecting(console.Find("#journey li.done")).ToHaveCountAsync(2);

                // A page of another origin sends, by fetch and, as it is left, by sendBeacon: seen live in the tail.
                await console.GoAsync("tail");
                await Expecting(console.Find("#tail-status")).ToContainTextAsync("seen,");
                IPage visitor = await console.Page.Context.NewPageAsync();
                await visitor.GotoAsync(shop.Address.ToString());
                await visitor.EvaluateAsync("() => look('/home')");
                await Expecting(console.Find("#tail-lines .line").First).ToContainTextAsync("/home");
                await visitor.EvaluateAsync("() => leave('/home')");
                await visitor.GotoAsync("about:blank");
                await Expecting(console.Find("#tail-lines .line").First).ToContainTextAsync("left");
                await visitor.GotoAsync(shop.Address.ToString());
                int sent = 3;

                // Some traffic: seen in the numbers and in the chart.
                await visitor.EvaluateAsync("() => crowd(40)");
                sent += 40;
                await KeepAsync(console, "tail");
                await console.GoAsync("overview");
                await console.Button("Close").ClickAsync();
                await UntilAsync(console, lines, line => line["stored"] == sent, "all of it to be stored");

                // Found in the object: its first lines here, and S3 itself.
                await console.GoAsync("objects");
                await console.Find("#objects tbody button").Last.ClickAsync();
                await Expecting(console.Find("dialog .line").First).ToContainTextAsync("Hello from the console");
                await KeepAsync(console, "object");
                await console.Page.Keyboard.PressAsync("Escape");
                Assert.Equal(sent, (await StoredEvents.FromBucketAsync(rgw.Client, bucket, "raw/")).Count);

                // S3 is stopped: events are taken all the same, and the DLQ grows.
                await rgw.StopGatewayAsync();
                await console.GoAsync("overview");
                await visitor.EvaluateAsync("() => crowd(30)");
                sent += 30;
                await UntilAsync(console, lines, line => line["dlq"] >= 30, "the DLQ to have them");
                await visitor.EvaluateAsync("() => crowd(20)");
                sent += 20;
                await UntilAsync(console, lines, line => line["dlq"] == 50, "the DLQ to grow");
                await Expecting(console.Find("#overview .notice")).ToContainTextAsync("50 events wait in the DLQ");
                await KeepAsync(console, "outage");
                await console.GoAsync("dlq");
                await Expecting(console.Find("#dlq tbody tr").First).ToBeVisibleAsync();
                await KeepAsync(console, "dlq");

                // S3 is there again: it drains by itself, and at a press of a button at once.
                await rgw.StartGatewayAsync();
                await console.Find("#retry-all").ClickAsync();
                await console.GoAsync("overview");
                await UntilAsync(console, lines, line => line["dlq"] == 0 && line["stored"] == sent, "the DLQ to drain");
                await Expecting(console.Find("#overview .notice")).ToHaveTextAsync("Taking events; storage answers.");
                await KeepAsync(console, "drained");

                // It added up all the time, and nothing is lost or doubled.
                Assert.All(lines, line => Assert.True(line.Holds && line.SaysThatItHolds, string.Join(", ", line.Places)));
                IReadOnlyList<StoredEvent> stored = await StoredEvents.FromBucketAsync(rgw.Client, bucket, "raw/");
                Assert.Equal(sent, stored.Count);
                Assert.Equal(sent, stored.Select(line => line.Body).Distinct().Count());
                Assert.Equal(90, stored.Count(line => line.Body.Contains("\"crowd\"", StringComparison.Ordinal)));
                Assert.Single(stored, line => line.Body.Contains("\"left\"", StringComparison.Ordinal));
            },
            new() { ViewportSize = new() { Width = 1200, Height = 940 } });
    }

    // Waits for what the page says, and keeps all that it said meanwhile.
    private static async Task UntilAsync(Visit console, List<Visit.Ledger> lines, Func<Visit.Ledger, bool> holds, string what)
    {
        await Wait.UntilAsync(
            async () =>
            {
                lines.Add(await console.LedgerAsync());
                return holds(lines[^1]);
            },
            Limit,
            what,
            () => string.Join(", ", lines[^1].Places));
    }

    private static async Task KeepAsync(Visit console, string name)
    {
        string folder = Environment.GetEnvironmentVariable("ESTAT_SCREENSHOTS") == "docs" ? "docs/images" : "artifacts/console";
        await console.Page.ScreenshotAsync(new() { Path = Path.Combine(Repository.Root, folder, $"console-{name}.png") });
    }

    // A shop's page, on a port of its own: another origin for the browser.
    private sealed class Shop : IAsyncDisposable
    {
        private readonly HttpListener _listener = new();
        private readonly byte[] _page;
        private readonly Task _serving;

        internal Shop(Uri collector)
        {
            _page = Encoding.UTF8.GetBytes(string.Create(CultureInfo.InvariantCulture, $$"""
                <!doctype html><title>A shop</title>
                <script>
                const collect = '{{collector}}collect';
                const look = page => fetch(collect, { method: 'POST', body: JSON.stringify({ page }) }).then(answer => { if (!answer.ok) throw answer.status; });
                const leave = page => addEventListener('pagehide', () => navigator.sendBeacon(collect, JSON.stringify({ page, left: true })));
                let crowds = 0;
                const crowd = async size => {
                  const number = ++crowds + Math.random();
                  await Promise.all(Array.from({ length: size }, (_, n) => fetch(collect, { method: 'POST', body: JSON.stringify({ crowd: number, n }) }).then(answer => { if (!answer.ok) throw answer.status; })));
                };
                </script>
                """));
            Address = new Uri($"http://localhost:{FreePort.Next()}/");
            _listener.Prefixes.Add(Address.ToString());
            _listener.Start();
            _serving = ServeAsync();
        }

        internal Uri Address { get; }

        public async ValueTask DisposeAsync()
        {
            _listener.Stop();
            await _serving;
            _listener.Close();
        }

        private async Task ServeAsync()
        {
            while (true)
            {
                HttpListenerContext asked;
                try
                {
                    asked = await _listener.GetContextAsync();
                }
                catch (Exception e) when (e is HttpListenerException or ObjectDisposedException)
                {
                    return;
                }

                asked.Response.ContentType = "text/html; charset=utf-8";
                await asked.Response.OutputStream.WriteAsync(_page);
                asked.Response.Close();
            }
        }
    }
}
