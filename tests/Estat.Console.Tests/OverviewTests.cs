// The first pane: what a new operator sees, and the numbers of somebody who watches.
using System.Text;
using Estat.Testing;
using Microsoft.Playwright;
using static Estat.Console.Tests.Visit;

namespace Estat.Console.Tests;

public sealed class OverviewTests(Chromium chromium)
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(30);

    [Fact]
    public async Task An_empty_server_greets_and_follows_the_first_event_into_its_object()
    {
        await using ConsoleServer server = await ConsoleServer.StartAsync();
        await chromium.VisitAsync(server.Address, async visit =>
        {
            await Expecting(visit.Find("#curl")).ToContainTextAsync($"{server.Address}collect");
            await visit.Find("#send-test").ClickAsync();

            await Expecting(visit.Find("#journey")).ToContainTextAsync("Acknowledged at level disk");
            await Expecting(visit.Find("#journey li.done")).ToHaveCountAsync(2);
            StoredEvent stored = Assert.Single(StoredEvents.FromFolder(server.StorageDir));
            await Expecting(visit.Find("#journey")).ToContainTextAsync(stored.Key);

            await visit.Find("#journey a[href='#objects']").ClickAsync();
            await Expecting(visit.Find("#objects tbody tr")).ToHaveCountAsync(1);
            await Expecting(visit.Find("#objects tbody tr")).ToContainTextAsync(stored.Key);
            await visit.Find("#objects button").First.ClickAsync();
            await Expecting(visit.Find("dialog")).ToContainTextAsync("Hello from the console");
            await visit.Find("dialog summary").ClickAsync();
            await Expecting(visit.Find("dialog pre")).ToContainTextAsync("\"page\": \"/console\"");

            // What can be downloaded is what lies there.
            IDownload download = await visit.Page.RunAndWaitForDownloadAsync(() => visit.Find("dialog footer a").ClickAsync());
            byte[] lies = await File.ReadAllBytesAsync(Path.Combine(server.StorageDir, stored.Key), TestContext.Current.CancellationToken);
            Assert.Equal(lies, await File.ReadAllBytesAsync(await download.PathAsync(), TestContext.Current.CancellationToken));
        });
    }

    [Fact]
    public async Task A_button_flushes_open_batches_and_another_tries_again_what_waits()
    {
        await using ConsoleServer server = await ConsoleServer.StartAsync(
            new Dictionary<string, string> { ["FLUSH_INTERVAL"] = "1h", ["S3_APP_RETRIES"] = "0", ["RECOVERY_INTERVAL"] = "1h" });
        await server.SendAsync("waits");
        await chromium.VisitAsync(server.Address, async visit =>
        {
            await Expecting(visit.Find("[data-place=spooled]")).ToHaveTextAsync("1");
            await visit.Find("#retry-now").ClickAsync();
            await Expecting(visit.Find("#said")).ToHaveTextAsync("Nothing waits.");
            await visit.Find("#flush-now").ClickAsync();
            await Expecting(visit.Find("#said")).ToHaveTextAsync("1 event is uploaded now.");
            await Expecting(visit.Find("[data-place=stored]")).ToHaveTextAsync("1");
            await visit.Find("#flush-now").ClickAsync();
            await Expecting(visit.Find("#said")).ToHaveTextAsync("No batch is open.");

            await visit.Find("#language").ClickAsync();
            await Expecting(visit.Find("#flush-now")).ToHaveTextAsync("지금 저장");
            await visit.Find("#retry-now").ClickAsync();
            await Expecting(visit.Find("#said")).ToHaveTextAsync("대기 중인 것이 없습니다.");
        });
        Assert.Single(StoredEvents.FromFolder(server.StorageDir));
    }

    [Fact]
    public async Task Every_line_that_is_shown_adds_up_while_events_come()
    {
        await using ConsoleServer server = await ConsoleServer.StartAsync();
        await chromium.VisitAsync(server.Address, async visit =>
        {
            await Expecting(visit.Find("#connection")).ToHaveTextAsync("Live");
            var seen = new List<Visit.Ledger>();
            long sent = 0;
            await Wait.UntilAsync(
                async () =>
                {
                    await server.SendBatchAsync(Enumerable.Range(0, 50).Select(i => $"{{\"n\":{i}}}"));
                    sent += 50;
                    Visit.Ledger line = await visit.LedgerAsync();
                    if (seen.Count == 0 || seen[^1]["accepted"] != line["accepted"])
                    {
                        seen.Add(line);
                    }

                    return seen.Count > 4;
                },
                Limit,
                "four changes of the line");

            Assert.All(seen, line => Assert.True(line.Holds && line.SaysThatItHolds, string.Join(", ", line.Places)));
            await Expecting(visit.Find("[data-place=stored]")).ToHaveTextAsync($"{sent:N0}");
            await Expecting(visit.Find("[data-place=accepted]")).ToHaveTextAsync($"{sent:N0}");

            // The chart has drawn something: more than its grid has colour in it.
            Assert.True(await visit.Page.EvaluateAsync<bool>(
                """
                () => {
                  const canvas = document.querySelector('.chart canvas');
                  const pixels = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data;
                  let strong = 0;
                  for (let i = 0; i < pixels.length; i += 4) if (pixels[i + 3] > 200 && Math.max(pixels[i], pixels[i + 1], pixels[i + 2]) - Math.min(pixels[i], pixels[i + 1], pixels[i + 2]) > 60) strong++;
                  return strong > 20;
                }
                """));
        });
    }

    [Fact]
    public async Task A_line_that_does_not_add_up_says_so()
    {
        await using ConsoleServer server = await ConsoleServer.StartAsync();
        await chromium.VisitAsync(server.Address, async visit =>
        {
            // The server never says this of itself; so its words are changed on the way.
            await visit.Page.RouteAsync("**/admin/live", async route =>
            {
                using HttpResponseMessage state = await server.Process.Client.GetAsync(new Uri("/admin/nodes", UriKind.Relative));
                string nodes = (await state.Content.ReadAsStringAsync())
                    .Replace("\"accepted\":0,\"found\":0", "\"accepted\":3,\"found\":0", StringComparison.Ordinal);
                await route.FulfillAsync(new() { ContentType = "text/event-stream", Body = $"event: state\ndata: {nodes.Trim()}\n\n" });
            });
            await visit.Page.ReloadAsync();

            await Expecting(visit.Find("#verdict")).ToHaveTextAsync("✗ It does not add up: 3 events are unaccounted for.");
        });
    }

    [Fact]
    public async Task What_is_refused_is_shown_by_reason()
    {
        await using ConsoleServer server = await ConsoleServer.StartAsync();
        await chromium.VisitAsync(server.Address, async visit =>
        {
            await Expecting(visit.Find("#facts-refusals")).ToContainTextAsync("None since the start");
            using var body = new StringContent(new string('x', 20_000), Encoding.UTF8);
            using HttpResponseMessage answer = await server.Process.Client.PostAsync(
                new Uri("/collect", UriKind.Relative), body, TestContext.Current.CancellationToken);
            Assert.Equal(413, (int)answer.StatusCode);

            await Expecting(visit.Find("#facts-refusals")).ToContainTextAsync("too large (413)1");
        });
    }

    [Fact]
    public async Task It_says_that_the_server_is_away_and_finds_it_again_by_itself()
    {
        await using ConsoleServer server = await ConsoleServer.StartAsync();
        await chromium.VisitAsync(server.Address, async visit =>
        {
            visit.Expect("ERR_CONNECTION_REFUSED");
            visit.Expect("ERR_INCOMPLETE_CHUNKED_ENCODING");
            visit.Expect("ERR_CONNECTION_RESET");
            visit.Expect("503");
            await Expecting(visit.Find("#connection")).ToHaveTextAsync("Live");
            await server.SendAsync("before");
            await Expecting(visit.Find("[data-place=accepted]")).ToHaveTextAsync("1");

            await server.StopAsync();
            await Expecting(visit.Find("#connection")).ToHaveTextAsync("Reconnecting…");
            await Expecting(visit.Find("#notice")).ToContainTextAsync("The server does not answer");

            await server.StartAgainAsync();
            await server.SendBatchAsync(["1", "2"]);
            await Expecting(visit.Find("#connection")).ToHaveTextAsync("Live");
            await Expecting(visit.Find("#notice")).ToBeHiddenAsync();
            await Expecting(visit.Find("[data-place=accepted]")).ToHaveTextAsync("2");
        });
    }

    [Fact]
    public async Task Without_a_stream_it_asks_and_says_so()
    {
        await using ConsoleServer server = await ConsoleServer.StartAsync();
        await chromium.VisitAsync(server.Address, async visit =>
        {
            // As behind a proxy that holds streams back.
            await visit.Page.RouteAsync("**/admin/live", _ => Task.CompletedTask);
            await visit.Page.ReloadAsync();
            await Expecting(visit.Find("#connection")).ToHaveTextAsync("Polling");
            await server.SendAsync("an event");
            await Expecting(visit.Find("[data-place=accepted]")).ToHaveTextAsync("1");
        });
    }
}
