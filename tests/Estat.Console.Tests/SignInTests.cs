// The way into the console of a node that has a token.
using Microsoft.Playwright;
using static Estat.Console.Tests.Visit;

namespace Estat.Console.Tests;

public sealed class SignInTests(Chromium chromium)
{
    private const string Token = "the-token-of-this-test-0123456789";

    [Fact]
    public async Task The_token_opens_the_console_and_signing_out_closes_it()
    {
        await using ConsoleServer server = await ConsoleServer.StartAsync(new Dictionary<string, string> { ["ADMIN_TOKEN"] = Token });
        await chromium.VisitAsync(server.Address, async visit =>
        {
            visit.Expect("401");
            await Expecting(visit.Find("#curl")).ToHaveCountAsync(0);
            await visit.Find("#token").FillAsync("not the token, but long enough");
            await visit.Find("#token").PressAsync("Enter");
            await Expecting(visit.Find("[role=alert]")).ToBeVisibleAsync();
            await visit.Find("#token").FillAsync(Token);
            await visit.Find("#token").PressAsync("Enter");

            await Expecting(visit.Find("#connection")).ToHaveTextAsync("Live");
            Assert.EndsWith("/console", visit.Page.Url, StringComparison.Ordinal);
            await visit.Find("#send-test").ClickAsync();
            await Expecting(visit.Find("#journey li.done")).ToHaveCountAsync(2);

            await visit.Find("#help").ClickAsync();
            await visit.Button("Sign out").ClickAsync();
            await Expecting(visit.Find("#token")).ToBeVisibleAsync();
        });
    }

    [Fact]
    public async Task A_session_that_ended_says_so()
    {
        await using ConsoleServer server = await ConsoleServer.StartAsync(new Dictionary<string, string> { ["ADMIN_TOKEN"] = Token });
        await chromium.VisitAsync(server.Address, async visit =>
        {
            visit.Expect("401");
            await visit.Find("#token").FillAsync(Token);
            await visit.Find("#token").PressAsync("Enter");
            await Expecting(visit.Find("#connection")).ToHaveTextAsync("Live");
            await visit.Page.Context.ClearCookiesAsync();
            await visit.GoAsync("objects");
            await Expecting(visit.Find("#notice")).ToContainTextAsync("This session has ended.");
            await visit.Page.GetByRole(AriaRole.Link, new() { Name = "Sign in" }).ClickAsync();
            await Expecting(visit.Find("#token")).ToBeVisibleAsync();
        });
    }
}
