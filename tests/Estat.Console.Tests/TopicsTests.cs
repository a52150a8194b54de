// The pane of topics over a real PostgreSQL: rates and lag, an outage, dead letters, in both languages.
using System.Text.RegularExpressions;
using Estat.Tests.Support;
using Microsoft.Playwright;
using static Estat.Console.Tests.Visit;

namespace Estat.Console.Tests;

public sealed partial class TopicsTests(Chromium chromium)
{
    private const string Pane = "/console#topics";

    [Fact]
    public async Task An_outage_of_the_database_is_seen_and_its_lag_drains()
    {
        await using TopicsServer server = await TopicsServer.StartAsync();
        await server.UntilDrainedAsync();
        await chromium.VisitAsync(
            server.Address,
            async visit =>
            {
                ILocator row = visit.Find("#topics-list tbody tr", "notifications");
                await Expecting(Cell(row, "Produced")).ToHaveTextAsync("0");
                await server.ProduceManyAsync("notifications", 500);
                await Expecting(Cell(row, "Produced")).ToHaveTextAsync("500");
                await Expecting(Cell(row, "Lag")).ToHaveTextAsync("0");
                await Expecting(Cell(row, "Messages per second")).Not.ToHaveTextAsync("0");
                await Expecting(visit.Find("#sink-state")).ToContainTextAsync("stores messages");
                await Expecting(visit.Find("#database-away")).ToBeHiddenAsync();

                visit.Expect("503");
                await server.Postgres.StopAsync();
                await server.ProduceManyAsync("notifications", 300, first: 500);
                await Expecting(visit.Find("#database-away")).ToBeVisibleAsync();
                await Expecting(visit.Find("#database-away")).ToContainTextAsync("The database is away");
                await Expecting(visit.Find("#sink-state")).ToContainTextAsync("waits");
                await Expecting(Cell(row, "Lag")).ToHaveTextAsync("300");
                await server.ProduceManyAsync("notifications", 200, first: 800);
                await Expecting(Cell(row, "Lag")).ToHaveTextAsync("500");

                await server.Postgres.StartAgainAsync();
                await Expecting(Cell(row, "Lag")).ToHaveTextAsync("0");
                await Expecting(visit.Find("#database-away")).ToBeHiddenAsync();
                await Expecting(visit.Find("#sink-state")).ToContainTextAsync("stores messages");
                Assert.Equal("1000|1000", await server.QueryAsync("SELECT count(*), count(DISTINCT value) FROM messages"));
            },
            path: Pane);
    }

    [Fact]
    public async Task A_dead_letter_is_mended_and_replayed_and_another_one_is_discarded()
    {
        await using TopicsServer server = await TopicsServer.StartAsync();
        await server.ProduceAsync("notifications", """
            {"messages":[{"key":"<img src=x onerror=alert(1)>","value":{"n":12345678901234567890,"t":"\u0000"}},
            {"value":"\u0000 </textarea><script>alert(2)</script>"}]}
            """);
        await server.UntilDrainedAsync();
        await chromium.VisitAsync(
            server.Address,
            async visit =>
            {
                ILocator letters = visit.Find("#topics-letters tbody tr");
                await Expecting(letters).ToHaveCountAsync(2);
                await Expecting(visit.Find("#topics-count")).ToHaveTextAsync("2");
                await letters.Filter(new() { HasText = "onerror" }).GetByText("Inspect").ClickAsync();
                ILocator value = visit.Find("#letter-value");
                await Expecting(value).ToHaveValueAsync("""{"n":12345678901234567890,"t":"\u0000"}""");
                visit.Expect("409");
                await visit.Button("Replay").ClickAsync();
                await Expecting(visit.Find("#letter-problem")).ToContainTextAsync("cannot be stored like this (nul)");
                await value.FillAsync("""{"n":12345678901234567890,"t":""");
                await visit.Button("Replay").ClickAsync();
                await Expecting(visit.Find("#letter-problem")).ToHaveTextAsync("The value is not valid JSON.");
                await value.FillAsync("""{"n":12345678901234567890,"t":"mended"}""");
                await visit.Button("Replay").ClickAsync();
                await Expecting(visit.Find("#said")).ToContainTextAsync("is stored.");
                await Expecting(letters).ToHaveCountAsync(1);
                Assert.Equal("12345678901234567890|mended", await server.QueryAsync("SELECT value->>'n', value->>'t' FROM messages"));

                await letters.GetByText("Inspect").ClickAsync();
                await Expecting(value).ToHaveValueAsync("\"\\u0000 </textarea><script>alert(2)</script>\"");
                await visit.Button("Discard").ClickAsync();
                await Expecting(visit.Find("dialog[open]")).ToContainTextAsync("is never stored then");
                await visit.Find("dialog[open] footer").GetByText("Discard").ClickAsync();
                await Expecting(letters).ToHaveCountAsync(0);
                await Expecting(visit.Find("#topics-count")).ToBeHiddenAsync();
                await visit.Find("#letters-state").SelectOptionAsync("discarded");
                await Expecting(letters).ToHaveCountAsync(1);
            },
            path: Pane);
    }

    [Fact]
    public async Task The_sink_is_paused_and_the_last_messages_are_shown_as_they_come()
    {
        await using TopicsServer server = await TopicsServer.StartAsync();
        await server.UntilDrainedAsync();
        await chromium.VisitAsync(
            server.Address,
            async visit =>
            {
                await visit.Button("Pause the sink").ClickAsync();
                await visit.Find("dialog footer").GetByText("Pause the sink").ClickAsync();
                await Expecting(visit.Find("#sink-state")).ToContainTextAsync("paused");
                await server.ProduceAsync("notifications", """{"key":"k","value":"<svg onload=alert(1)>"}""");
                ILocator row = visit.Find("#topics-list tbody tr", "notifications");
                await Expecting(Cell(row, "Lag")).ToHaveTextAsync("1");
                await row.GetByText("Inspect").ClickAsync();
                await Expecting(visit.Find("#topic-window")).ToContainTextAsync("\"<svg onload=alert(1)>\"");
                await server.ProduceAsync("notifications", """{"key":"k","value":"second"}""");
                await Expecting(visit.Find("#topic-window table").Last.Locator("tbody tr").First).ToContainTextAsync("\"second\"");
                await visit.Page.Keyboard.PressAsync("Escape");
                await visit.Button("Resume the sink").ClickAsync();
                await visit.Find("dialog footer").GetByText("Resume the sink").ClickAsync();
                await Expecting(Cell(row, "Lag")).ToHaveTextAsync("0");
            },
            path: Pane);
    }

    [Fact]
    public async Task A_slow_answer_does_not_replace_that_of_the_partition_that_was_chosen_since()
    {
        await using TopicsServer server = await TopicsServer.StartAsync();
        await server.ProduceManyAsync("notifications", 60);
        await server.UntilDrainedAsync();
        await chromium.VisitAsync(
            server.Address,
            async visit =>
            {
                await visit.Find("#topics-list tbody tr", "notifications").GetByText("Inspect").ClickAsync();
                ILocator messages = visit.Find("#topic-window table").Last.Locator("tbody");
                await Expecting(messages.Locator("tr").First).ToBeVisibleAsync();

                // The answer for partition 0 waits; those that would mend the table later do not come at all.
                var go = new TaskCompletionSource();
                bool isChosen = false;
                await visit.Page.RouteAsync("**/records?partition=0*", async route =>
                {
                    await go.Task;
                    await route.ContinueAsync();
                });
                await visit.Page.RouteAsync("**/admin/topics/notifications", async route =>
                {
                    if (!isChosen)
                    {
                        await route.ContinueAsync();
                    }
                });
                Task<IRequest> asked = visit.Page.WaitForRequestAsync("**/records?partition=0*");
                await visit.Find("#topic-partition").SelectOptionAsync("0");
                await asked;
                Task<IResponse> shown = visit.Page.WaitForResponseAsync("**/records?partition=1*");
                await visit.Find("#topic-partition").SelectOptionAsync("1");
                await shown;
                isChosen = true;
                string of1 = await server.Client.GetStringAsync(new Uri("/api/topics/notifications/records?partition=1&limit=1", UriKind.Relative));
                string key = System.Text.Json.Nodes.JsonNode.Parse(of1)!["data"]![0]!["key"]!.GetValue<string>();
                await Expecting(messages).ToContainTextAsync(key);
                string before = await messages.InnerTextAsync();
                Task<IResponse> late = visit.Page.WaitForResponseAsync("**/records?partition=0*");
                go.SetResult();
                await (await late).FinishedAsync();
                await visit.Page.EvaluateAsync("() => new Promise(done => setTimeout(done, 300))"); // the page has read it by then
                Assert.Equal(before, await messages.InnerTextAsync());
            },
            path: Pane);
    }

    [Fact]
    public async Task Dead_letters_that_are_slow_to_read_are_not_asked_for_again_meanwhile()
    {
        await using TopicsServer server = await TopicsServer.StartAsync();
        await chromium.VisitAsync(
            server.Address,
            async visit =>
            {
                var go = new TaskCompletionSource();
                int asked = 0;
                await visit.Page.RouteAsync("**/admin/dead-letters*", async route =>
                {
                    Interlocked.Increment(ref asked);
                    await go.Task;
                    await route.ContinueAsync();
                });
                await visit.Page.WaitForRequestAsync("**/admin/dead-letters*");
                await visit.Page.WaitForResponseAsync("**/admin/topics?*");
                await visit.Page.EvaluateAsync("() => new Promise(done => setTimeout(done, 300))"); // the page has read it by then
                Assert.Equal(1, asked);
                go.SetResult();
                await Expecting(visit.Find("#letters-note")).ToBeVisibleAsync();
            },
            path: Pane);
    }

    [Theory]
    [InlineData("en-US")]
    [InlineData("ko-KR")]
    public async Task It_fits_a_phone_and_speaks_one_language(string locale)
    {
        await using TopicsServer server = await TopicsServer.StartAsync();
        await server.ProduceAsync("notifications", $$$"""{"key":"{{{new string('u', 200)}}}","value":"\u0000"}""");
        await server.UntilDrainedAsync();
        await chromium.VisitAsync(
            server.Address,
            async visit =>
            {
                bool isKorean = locale == "ko-KR";
                await Expecting(visit.Find("#topics h1")).ToHaveTextAsync(isKorean ? "토픽" : "Topics");
                await Expecting(visit.Find("#topics-letters tbody tr")).ToBeVisibleAsync();
                await AssertLookAsync(visit, "#topics", isKorean);
                await visit.Find("#topics-letters tbody button").First.ClickAsync();
                await Expecting(visit.Find("#letter-value")).ToBeVisibleAsync();
                await AssertLookAsync(visit, "dialog", isKorean);
                await visit.Page.Keyboard.PressAsync("Escape");
                await visit.Find("#topics-list tbody button").First.ClickAsync();
                await Expecting(visit.Find("#topic-window tbody tr").First).ToBeVisibleAsync();
                await AssertLookAsync(visit, "dialog", isKorean);
                await visit.Page.Keyboard.PressAsync("Escape");
                await visit.Button(isKorean ? "English" : "한국어").ClickAsync();
                await Expecting(visit.Find("#topics h1")).ToHaveTextAsync(isKorean ? "Topics" : "토픽");
                await Expecting(visit.Find("#topics-letters tbody tr")).ToBeVisibleAsync();
            },
            new() { ViewportSize = new() { Width = 360, Height = 720 }, Locale = locale, HasTouch = true, IsMobile = true },
            path: Pane);
    }

    [Fact]
    public async Task A_node_without_topics_says_how_they_are_turned_on()
    {
        await using ConsoleServer server = await ConsoleServer.StartAsync();
        await chromium.VisitAsync(
            server.Address,
            async visit =>
            {
                await Expecting(visit.Find("#topics")).ToContainTextAsync("SERVE=collect,topics");
                await Expecting(visit.Find("nav.panes a[href='#topics']")).ToBeHiddenAsync();
            },
            path: Pane);
    }

    private static ILocator Cell(ILocator row, string label) => row.Locator($"td[data-label='{label}']");

    private static async Task AssertLookAsync(Visit visit, string inside, bool isKorean)
    {
        Assert.Equal(360, await visit.Page.EvaluateAsync<int>("() => document.documentElement.scrollWidth"));
        string text = await visit.Find(inside).InnerTextAsync();
        Assert.True(isKorean ? !English().IsMatch(text) : !Korean().IsMatch(text), text);
    }

    // Not the server's own sentences, nor names.
    [GeneratedRegex("\\b(?:Topics?|Partitions?|Produced|Lag|Kept|Letters?|Sink|Pause|Replay|Discard|Number|Kind|Since|Inspect|Offset|Stored up)\\b")]
    private static partial Regex English();

    [GeneratedRegex("[가-힣]")]
    private static partial Regex Korean();
}
