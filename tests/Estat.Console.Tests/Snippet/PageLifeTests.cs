// What browsers do with pages beside loading and leaving them: prerendering, the back/forward cache, freezing. A view is counted when somebody sees
// the page.
using System.Globalization;
using Estat.Testing;
using Microsoft.AspNetCore.Http;
using Microsoft.Playwright;

namespace Estat.Console.Tests.Snippet;

/// <summary>
/// Playwright turns the back/forward cache off and loses pages that were prerendered, so those tests start Chromium by itself: pages go on by what
/// they are answered.
/// </summary>
public sealed class PageLifeTests(SnippetBrowser browser) : IClassFixture<SnippetBrowser>
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    [Fact]
    public async Task A_prerendered_page_sends_nothing_and_is_a_view_once_it_is_shown()
    {
        await using Shop shop = await browser.OpenShopAsync();
        var ran = new TaskCompletionSource<string>(TaskCreationOptions.RunContinuationsAsynchronously);
        var show = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        shop.Pages["/start"] = context => HtmlAsync(context, """
            <!DOCTYPE html><link rel=icon href=data:,>
            <script type=speculationrules>{"prerender":[{"source":"list","urls":["/next"],"eagerness":"immediate"}]}</script>
            <script>fetch('/show').then(() => location.href = '/next')</script>
            """);
        // Its timer is set after the snippet's and is longer: what the snippet would send by time is on its way by then.
        shop.Pages["/next"] = context => HtmlAsync(context, shop.Html("data-page-view") + """
            <script>
              estat('by the page');
              addEventListener('load', () => setTimeout(() => { estat('by a timer'); fetch('/ran?' + document.prerendering) }, 3000));
            </script>
            """);
        shop.Pages["/show"] = _ => show.Task;
        shop.Pages["/ran"] = context =>
        {
            ran.TrySetResult(context.Request.QueryString.Value!);
            return Task.CompletedTask;
        };
        using var profile = new TempFolder();
        await using ChildProcess chromium = Start(profile, new Uri(shop.Site, "start"));
        Assert.Equal("?true", await ran.Task.WaitAsync(Patience));
        Assert.Equal(0, shop.Accepted);

        var shown = DateTimeOffset.FromUnixTimeMilliseconds(DateTimeOffset.UtcNow.ToUnixTimeMilliseconds());
        show.SetResult();

        await shop.UntilAcceptedAsync(4);
        chromium.Kill();
        IReadOnlyList<SentEvent> events = await shop.DrainAsync();
        Assert.Equal(["by a timer", "by the page", "early", "page_view"], events.Select(one => one.Name).Order(StringComparer.Ordinal));
        string viewed = events.Single(one => one.Name == "page_view").Body.GetProperty("time").GetString()!;
        Assert.True(DateTimeOffset.Parse(viewed, CultureInfo.InvariantCulture) >= shown, $"seen at {viewed}, shown at {shown:O}");
    }

    [Fact]
    public async Task A_page_that_comes_back_out_of_the_back_forward_cache_is_another_view()
    {
        await using Shop shop = await browser.OpenShopAsync();
        var back = new TaskCompletionSource<string>(TaskCreationOptions.RunContinuationsAsynchronously);
        shop.Pages["/first"] = context => HtmlAsync(context, shop.Html("data-page-view") + """
            <script>
              addEventListener('pageshow', event => setTimeout(async () => {
                await estat.flush();
                if (event.persisted || performance.getEntriesByType('navigation')[0].type == 'back_forward') fetch('/back?' + event.persisted);
                else location.href = '/second';
              }, 100));
            </script>
            """);
        shop.Pages["/second"] = context => HtmlAsync(
            context, "<!DOCTYPE html><link rel=icon href=data:,><script>addEventListener('load', () => setTimeout(() => history.back(), "
                + "100))</script>");
        shop.Pages["/back"] = context =>
        {
            back.TrySetResult(context.Request.QueryString.Value!);
            return Task.CompletedTask;
        };
        using var profile = new TempFolder();
        await using ChildProcess chromium = Start(profile, new Uri(shop.Site, "first"));
        Assert.Equal("?true", await back.Task.WaitAsync(Patience));

        await shop.UntilAcceptedAsync(3);
        chromium.Kill();
        IReadOnlyList<SentEvent> events = await shop.DrainAsync();
        Assert.Equal(["early", "page_view", "page_view"], events.Select(one => one.Name).Order(StringComparer.Ordinal));
        Assert.Equal(3, events.Select(one => one.Id).Distinct().Count());
    }

    [Fact]
    public async Task What_a_tab_still_held_when_it_was_frozen_outlives_its_being_discarded()
    {
        await using Shop shop = await browser.OpenShopAsync();
        IPage page = await shop.VisitAsync(prepare: StopTimeAsync); // no batch goes by time
        await page.EvaluateAsync("estat('in the background')");
        IPage other = await shop.OpenAsync(shop.Elsewhere);

        // Chromium freezes no page of a headless browser, all of which it takes for visible: the page is told as it would be.
        await page.EvaluateAsync("document.dispatchEvent(new Event('freeze'))");

        await Wait.UntilAsync(async () => await StoredAsync(other) == 1, Patience, "what waits to be in the browser's store");
        Assert.Empty(shop.Requests);
        await page.CloseAsync(); // without a word to the page, as when it is discarded
        IPage next = await shop.VisitAsync();
        await next.EvaluateAsync("estat.flush()");
        await shop.UntilAcceptedAsync(3);
        Assert.Equal(["early", "early", "in the background"], (await shop.DrainAsync()).Select(one => one.Name).Order(StringComparer.Ordinal));
        Assert.Empty(shop.Complaints);
    }

    private static Task<int> StoredAsync(IPage page) =>
        page.EvaluateAsync<int>("Object.keys(localStorage).filter(key => key.startsWith('estat:')).length");

    private static Task HtmlAsync(HttpContext context, string html)
    {
        context.Response.ContentType = "text/html; charset=utf-8";
        return context.Response.WriteAsync(html);
    }

    private static ChildProcess Start(TempFolder profile, Uri page) => ChildProcess.Launch(
        "chromium",
        [SnippetBrowser.Program, "--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run",
            $"--user-data-dir={profile["profile"]}", page.ToString()],
        new Dictionary<string, string>());

    // A clock that was installed goes on by itself.
    private static async Task StopTimeAsync(IPage page)
    {
        var now = new DateTime(2026, 1, 1, 0, 0, 0, DateTimeKind.Utc);
        await page.Clock.InstallAsync(new() { TimeDate = now });
        await page.Clock.PauseAtAsync(now.AddSeconds(1));
    }
}
