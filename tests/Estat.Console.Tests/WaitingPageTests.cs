// examples/waiting-page in a real browser, at the origin of a real server.
using Estat.Testing;
using Microsoft.Playwright;
using static Estat.Console.Tests.Visit;

namespace Estat.Console.Tests;

public sealed class WaitingPageTests(Chromium chromium)
{
    private static readonly string Page = Path.Combine(Repository.Root, "examples", "waiting-page", "index.html");

    [Fact]
    public async Task It_counts_down_takes_part_once_and_finds_its_request_again_after_a_reload()
    {
        await using CampaignServer server = await CampaignServer.StartAsync("requests");
        await server.OrderAsync(HttpMethod.Put, "/admin/campaigns/sale",
            $$"""{"policy":"first-come","capacity":1,"opensAt":"{{CampaignServer.FromNow(TimeSpan.FromSeconds(8))}}"}""");
        await server.OrderAsync(HttpMethod.Post, "/admin/campaigns/sale/pause");
        await chromium.VisitAsync(
            server.Address,
            async visit =>
            {
                ILocator now = visit.Find("#now");
                ILocator go = visit.Find("#go");
                await OpenAsync(visit, server, "sale", "u1");
                await Expecting(now).ToContainTextAsync("It opens in");
                await Expecting(go).ToBeDisabledAsync();
                await Expecting(now).ToHaveTextAsync("It is open.");

                await go.ClickAsync();
                await Expecting(now).ToContainTextAsync("You are in. At most 1 to go.");
                Assert.Equal(1, await server.CountAsync("sale", "queued"));
                await visit.Page.ReloadAsync();
                await Expecting(now).ToContainTextAsync("You are in.");
                Assert.Equal(1, await server.CountAsync("sale", "accepted"));

                await visit.Button("한국어").ClickAsync();
                await Expecting(now).ToContainTextAsync("접수되었습니다.");
                await server.OrderAsync(HttpMethod.Post, "/admin/campaigns/sale/resume");
                await Expecting(now).ToHaveTextAsync("당첨되었습니다!");

                // Another user is too late, in the language that was chosen.
                await OpenAsync(visit, server, "sale", "u2");
                await go.ClickAsync();
                await Expecting(now).ToHaveTextAsync("자리가 모두 찼습니다.");
                await visit.Button("English").ClickAsync();
                await Expecting(now).ToHaveTextAsync("Every place was taken.");

                await server.OrderAsync(HttpMethod.Post, "/admin/campaigns/sale/close");
                await OpenAsync(visit, server, "sale", "u3");
                await Expecting(now).ToHaveTextAsync("It is closed.");
                visit.Expect("404");
                await OpenAsync(visit, server, "another", "u3");
                await Expecting(now).ToHaveTextAsync("There is no such campaign.");
            },
            path: "/health");
    }

    [Fact]
    public async Task A_server_that_is_away_is_asked_again_and_the_request_counts_once()
    {
        await using CampaignServer server = await CampaignServer.StartAsync("requests");
        await server.PutAsync("sale", """
            "policy":"first-come","capacity":1
            """);
        await chromium.VisitAsync(
            server.Address,
            async visit =>
            {
                visit.Expect("ERR_");
                await OpenAsync(visit, server, "sale", "u1");
                await Expecting(visit.Find("#now")).ToHaveTextAsync("It is open.");
                await server.Server.StopAsync();
                await visit.Find("#go").ClickAsync();
                await Expecting(visit.Find("#now")).ToContainTextAsync("sent again by itself");
                await server.Server.StartAgainAsync();
                await Expecting(visit.Find("#now")).ToHaveTextAsync("You have a place!");
                Assert.Equal(1, await server.CountAsync("sale", "accepted"));
            },
            path: "/health");
    }

    // The site that the page stands in: it answers this one path, and Estat all others.
    private static async Task OpenAsync(Visit visit, CampaignServer server, string campaign, string user)
    {
        visit.Expect("favicon.ico");
        await visit.Page.RouteAsync("**/waiting?*", route => route.FulfillAsync(new() { Path = Page, ContentType = "text/html; charset=utf-8" }));
        await visit.Page.GotoAsync($"{server.Address}waiting?campaign={campaign}&user={user}");
    }
}
