// The live tail in the console.
using Estat.Testing;
using Microsoft.Playwright;
using static Estat.Console.Tests.Visit;

namespace Estat.Console.Tests;

public sealed class TailTests(Chromium chromium)
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(30);

    [Fact]
    public async Task Events_appear_as_they_come_and_a_filter_and_a_pause_hold()
    {
        await using ConsoleServer server = await ConsoleServer.StartAsync();
        await chromium.VisitAsync(
            server.Address,
            async visit =>
            {
                ILocator lines = visit.Find("#tail-lines .line");
                await WatchingAsync(visit);
                await server.SendAsync("""{"page":"/home","who":"첫 손님"}""", "a browser/1.0");
                await Expecting(lines.First).ToContainTextAsync("첫 손님");
                await lines.First.Locator("summary").ClickAsync();
                await Expecting(lines.First).ToContainTextAsync("a browser/1.0");
                await Expecting(lines.First.Locator("pre")).ToContainTextAsync("\"page\": \"/home\"");

                await visit.Find("#tail-where").FillAsync("$.page=/cart");
                await visit.Find("#tail-where").PressAsync("Enter");
                await WatchingAsync(visit);
                await server.SendAsync("""{"page":"/home","n":2}""");
                await server.SendAsync("""{"page":"/cart","n":3}""");
                await Expecting(lines.First).ToContainTextAsync("\"n\":3");
                await Expecting(lines).ToHaveCountAsync(2);

                await visit.Find("#tail-where").FillAsync("no path");
                await visit.Find("#tail-where").PressAsync("Enter");
                await Expecting(visit.Find("#tail-status")).ToContainTextAsync("PATH=VALUE");
                await visit.Find("#tail-where").FillAsync("");
                await visit.Find("#tail-toggle").ClickAsync();
                await WatchingAsync(visit);

                await visit.Find("#tail-toggle").ClickAsync();
                await Expecting(visit.Find("#tail-status")).ToHaveTextAsync("Paused.");
                await server.SendAsync("unseen");
                await visit.Find("#tail-toggle").ClickAsync();
                await WatchingAsync(visit);
                await server.SendAsync("seen");
                await Expecting(lines.First).ToContainTextAsync("seen");
                await Expecting(lines).ToHaveCountAsync(3);
            },
            path: "/console#tail");
    }

    [Fact]
    public async Task Only_so_many_rows_are_kept()
    {
        await using ConsoleServer server = await ConsoleServer.StartAsync();
        await chromium.VisitAsync(
            server.Address,
            async visit =>
            {
                await visit.Find("#tail-rate").SelectOptionAsync("100");
                await WatchingAsync(visit);
                int most = 0;
                await Wait.UntilAsync(
                    async () =>
                    {
                        await server.SendBatchAsync(Enumerable.Range(0, 40).Select(i => $"{{\"n\":{i}}}"));
                        most = Math.Max(most, await visit.Find("#tail-lines .line").CountAsync());
                        return most >= 200;
                    },
                    Limit,
                    "200 rows",
                    () => $"{most}");
                // Again and again: of this second's lines all may be used up.
                await Wait.UntilAsync(
                    async () =>
                    {
                        await server.SendBatchAsync(Enumerable.Range(0, 40).Select(_ => "{\"n\":\"last\"}"));
                        return (await visit.Find("#tail-lines .line").First.TextContentAsync())!.Contains("last", StringComparison.Ordinal);
                    },
                    Limit,
                    "the newest lines to be shown first");
                Assert.Equal(200, await visit.Find("#tail-lines .line").CountAsync());
            },
            path: "/console#tail");
    }

    // The server says something once a second: then it watches, and nothing sent after is missed.
    private static Task WatchingAsync(Visit visit) => Expecting(visit.Find("#tail-status")).ToContainTextAsync("seen,");
}
