// The pane of campaigns: counts, orders, search, redrive, proof, in both languages.
using System.Text.RegularExpressions;
using Estat.Testing;
using Estat.Tests.Support;
using Microsoft.Playwright;
using static Estat.Console.Tests.Visit;

namespace Estat.Console.Tests;

public sealed partial class CampaignsTests(Chromium chromium)
{
    private const string Pane = "/console#campaigns";
    private const string Hostile = "<img src=x onerror=alert(1)>";

    [Fact]
    public async Task A_campaign_is_watched_paused_and_resumed()
    {
        await using CampaignServer server = await CampaignServer.StartAsync();
        await chromium.VisitAsync(
            server.Address,
            async visit =>
            {
                await Expecting(visit.Find("#campaigns .empty").First).ToContainTextAsync("No campaign yet");
                await server.PutAsync("sale", """
                    "policy":"first-come","capacity":3
                    """);
                await server.TakePartAsync("sale", "u1", "u2", "u3", "u4", "u5");
                ILocator row = visit.Find("#campaigns-list tbody tr");
                await Expecting(Cell(row, "Places taken")).ToHaveTextAsync("3 of 3");
                await Expecting(Cell(row, "Rejected")).ToHaveTextAsync("2");
                await Expecting(Cell(row, "Decided per second")).ToHaveTextAsync(Rate());

                await row.GetByText("Pause").ClickAsync();
                await Expecting(visit.Find("dialog")).ToContainTextAsync("none is decided until you resume");
                Assert.False((await server.ShowAsync("sale")).GetProperty("paused").GetBoolean());
                await visit.Find("dialog").GetByText("Pause", new() { Exact = true }).ClickAsync();
                await Expecting(visit.Find("#said")).ToContainTextAsync("sale is paused.");
                await Expecting(row).ToContainTextAsync("first come · paused");
                Assert.True((await server.ShowAsync("sale")).GetProperty("paused").GetBoolean());

                await server.TakePartAsync("sale", "u6");
                await Expecting(Cell(row, "Undecided")).ToHaveTextAsync("1");
                await row.GetByText("Inspect").ClickAsync();
                await Expecting(visit.Find("dialog .about div", "Oldest open request")).ToContainTextAsync("ago");
                await visit.Page.Keyboard.PressAsync("Escape");

                await row.GetByText("Resume").ClickAsync();
                await visit.Find("dialog").GetByText("Resume", new() { Exact = true }).ClickAsync();
                await Expecting(Cell(row, "Rejected")).ToHaveTextAsync("3");

                await row.GetByText("Close campaign").ClickAsync();
                await visit.Find("dialog footer").GetByText("Close campaign").ClickAsync();
                await Expecting(row).ToContainTextAsync("first come · closed");
                await Expecting(row.GetByText("Close campaign")).ToBeHiddenAsync();
            },
            path: Pane);
    }

    [Fact]
    public async Task Dead_letters_are_redriven_after_a_dry_run_that_says_how_many()
    {
        await using CampaignServer server = await CampaignServer.StartAsync(
            prepare: dir => EarlierRequests.FailAsync(dir, "sale", 2, "u1", "u2", Hostile));
        await chromium.VisitAsync(
            server.Address,
            async visit =>
            {
                await Expecting(visit.Find("#campaigns-count")).ToHaveTextAsync("3");
                ILocator row = visit.Find("#campaigns-list tbody tr");
                await Expecting(Cell(row, "Dead letters")).ToHaveTextAsync("3");
                await row.GetByText("Inspect").ClickAsync();
                await Expecting(visit.Find("#dead-letters tbody tr")).ToContainTextAsync("attempts-exhausted");
                await visit.Page.Keyboard.PressAsync("Escape");

                // Who asked is a text, whatever it looks like.
                await visit.Find("#requests-status").SelectOptionAsync("FAILED_FINAL");
                await visit.Find("#requests-search").ClickAsync();
                ILocator found = visit.Find("#requests tbody tr");
                await Expecting(found).ToHaveCountAsync(3);
                await Expecting(Cell(found.Last, "User")).ToHaveTextAsync(Hostile);
                await Expecting(visit.Find("#requests img")).ToHaveCountAsync(0);

                await row.GetByText("Redrive…").ClickAsync();
                await Expecting(visit.Find("#dry-run")).ToHaveTextAsync("3 requests would be redriven. Nothing has been changed yet.");
                await visit.Button("Cancel").ClickAsync();
                Assert.Equal(3, await server.CountAsync("sale", "failed"));

                await row.GetByText("Redrive…").ClickAsync();
                await visit.Button("Redrive 3 requests").ClickAsync();
                await Expecting(visit.Find("#said")).ToContainTextAsync("3 requests are in the queue again.");
                await Expecting(Cell(row, "Places taken")).ToHaveTextAsync("2 of 2");
                await Expecting(visit.Find("#campaigns-count")).ToBeHiddenAsync();
                await Expecting(found).ToHaveCountAsync(0);
                Assert.Equal((0, 1), (await server.CountAsync("sale", "failed"), await server.CountAsync("sale", "rejected")));
            },
            path: Pane);
    }

    [Fact]
    public async Task Requests_are_found_by_what_is_known_of_them_and_by_pages()
    {
        await using CampaignServer server = await CampaignServer.StartAsync();
        await server.PutAsync("sale", """
            "policy":"first-come","capacity":10
            """);
        await server.TakePartAsync("sale", Enumerable.Range(1, 60).Select(number => $"user-{number}"));
        await chromium.VisitAsync(
            server.Address,
            async visit =>
            {
                ILocator found = visit.Find("#requests tbody tr");
                await visit.Find("#requests-campaign").FillAsync("sale");
                await visit.Find("#requests-campaign").PressAsync("Enter");
                await Expecting(found).ToHaveCountAsync(50);
                await visit.Find("#requests-more").ClickAsync();
                await Expecting(found).ToHaveCountAsync(60);
                await Expecting(visit.Find("#requests-note")).ToHaveTextAsync("60 requests.");

                await visit.Find("#requests-user").FillAsync("user-11");
                await visit.Find("#requests-search").ClickAsync();
                await Expecting(found).ToHaveCountAsync(1);
                await Expecting(found).ToContainTextAsync("REJECTED");
                await Expecting(Cell(found, "Reason")).ToHaveTextAsync("full");

                await visit.Find("#requests-id").FillAsync("no id at all");
                await visit.Find("#requests-search").ClickAsync();
                visit.Expect("400");
                await Expecting(visit.Find("#requests [role=alert]")).ToContainTextAsync("?id= must be a request's id");
            },
            path: Pane);
    }

    [Fact]
    public async Task The_proof_of_a_draw_is_shown_with_links_to_its_list()
    {
        await using CampaignServer server = await CampaignServer.StartAsync();
        await server.PutAsync("prize", $$"""
            "policy":"draw","winners":2,"closesAt":"{{CampaignServer.FromNow(TimeSpan.FromHours(1))}}"
            """);
        await server.TakePartAsync("prize", "u1", "u2", "u3");
        await server.OrderAsync(HttpMethod.Post, "/admin/campaigns/prize/close");
        await Wait.UntilAsync(async () => await server.CountAsync("prize", "succeeded") == 2, TimeSpan.FromSeconds(30), "the draw");
        await chromium.VisitAsync(
            server.Address,
            async visit =>
            {
                await visit.Find("#campaigns-list tbody tr").GetByText("Inspect").ClickAsync();
                ILocator proof = visit.Find("#proof");
                await Expecting(proof).ToContainTextAsync((await server.ShowAsync("prize")).GetProperty("seedHash").GetString()!);
                await Expecting(proof).ToContainTextAsync($"estat draw verify {server.Address}campaigns/prize");
                IPage list = await visit.Page.Context.RunAndWaitForPageAsync(() => proof.GetByText("The list of requests").ClickAsync());
                Assert.Equal(3, (await list.Locator("body").InnerTextAsync()).Trim().Split('\n').Length);
                await list.CloseAsync();
            },
            path: Pane);
    }

    [Theory]
    [InlineData("en-US")]
    [InlineData("ko-KR")]
    public async Task It_fits_a_phone_and_speaks_one_language(string locale)
    {
        await using CampaignServer server = await CampaignServer.StartAsync(
            prepare: dir => EarlierRequests.FailAsync(dir, new string('c', 60), 2, new string('u', 200)));
        await chromium.VisitAsync(
            server.Address,
            async visit =>
            {
                bool isKorean = locale == "ko-KR";
                await Expecting(visit.Find("#campaigns h1")).ToHaveTextAsync(isKorean ? "캠페인" : "Campaigns");
                await Expecting(visit.Find("#campaigns-list tbody tr")).ToBeVisibleAsync();
                await visit.Find("#requests-search").ClickAsync();
                await Expecting(visit.Find("#requests tbody tr")).ToBeVisibleAsync();
                await AssertLookAsync(visit, "#campaigns", isKorean);
                await visit.Find("#campaigns-list tbody button").First.ClickAsync();
                await Expecting(visit.Find("#dead-letters tbody tr")).ToBeVisibleAsync();
                await AssertLookAsync(visit, "dialog", isKorean);
                await visit.Page.Keyboard.PressAsync("Escape");

                await visit.Button(isKorean ? "English" : "한국어").ClickAsync();
                await Expecting(visit.Find("#campaigns h1")).ToHaveTextAsync(isKorean ? "Campaigns" : "캠페인");
                await Expecting(visit.Find("#requests tbody tr")).ToBeVisibleAsync();
            },
            new() { ViewportSize = new() { Width = 360, Height = 720 }, Locale = locale, HasTouch = true, IsMobile = true },
            path: Pane);
    }

    [Fact]
    public async Task A_node_without_campaigns_says_how_they_are_turned_on()
    {
        await using ConsoleServer server = await ConsoleServer.StartAsync();
        await chromium.VisitAsync(
            server.Address,
            async visit =>
            {
                await Expecting(visit.Find("#campaigns")).ToContainTextAsync("SERVE=collect,requests");
                await Expecting(visit.Find("nav.panes a[href='#overview']")).ToBeVisibleAsync();
                await Expecting(visit.Find("nav.panes a[href='#campaigns']")).ToBeHiddenAsync();
            },
            path: Pane);
    }

    [Fact]
    public async Task A_node_with_campaigns_alone_shows_them_alone_and_says_when_it_is_away()
    {
        await using CampaignServer server = await CampaignServer.StartAsync("requests");
        await chromium.VisitAsync(
            server.Address,
            async visit =>
            {
                await Expecting(visit.Find("#campaigns h1")).ToBeVisibleAsync();
                await Expecting(visit.Find("nav.panes a:visible")).ToHaveCountAsync(1);
                await Expecting(visit.Find("#connection")).ToHaveTextAsync("Polling");
                visit.Expect("ERR_");
                await server.Server.StopAsync();
                await Expecting(visit.Find("#connection")).ToHaveTextAsync("Reconnecting…");
            });
    }

    private static ILocator Cell(ILocator row, string label) => row.Locator($"td[data-label='{label}']");

    private static async Task AssertLookAsync(Visit visit, string inside, bool isKorean)
    {
        Assert.Equal(360, await visit.Page.EvaluateAsync<int>("() => document.documentElement.scrollWidth"));
        string text = await visit.Find(inside).InnerTextAsync();
        Assert.True(isKorean ? !English().IsMatch(text) : !Korean().IsMatch(text), text);
    }

    [GeneratedRegex("^[0-9][0-9.,]*$")]
    private static partial Regex Rate();

    [GeneratedRegex("\\b(?:[Cc]ampaign|[Rr]equest|Places|Rejected|Received|[Dd]ecided|[Ll]etter|Pause|Close|Redrive|Search|User|any|Reason)s?\\b")]
    private static partial Regex English();

    [GeneratedRegex("[가-힣]")]
    private static partial Regex Korean();
}
