// /estat.js in a real browser: what a page gives it arrives once, whatever becomes of the page, the network and the server.
using System.Globalization;
using Estat.Testing;
using Microsoft.Playwright;

namespace Estat.Console.Tests.Snippet;

/// <summary>Debian's Chromium, one for all tests of the class; each has a profile of its own.</summary>
public sealed class SnippetBrowser : IAsyncLifetime
{
    internal const string Program = "/usr/bin/chromium";
    private IPlaywright? _playwright;
    private IBrowser? _browser;

    public async ValueTask InitializeAsync()
    {
        if (File.Exists(Program))
        {
            _playwright = await Playwright.CreateAsync();
            _browser = await _playwright.Chromium.LaunchAsync(new() { ExecutablePath = Program, Args = ["--no-sandbox"] });
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (_browser is not null)
        {
            await _browser.DisposeAsync();
        }

        _playwright?.Dispose();
    }

    internal Task<Shop> OpenShopAsync()
    {
        Assert.SkipWhen(_browser is null, "chromium is not installed; to have it: apt-get install --no-install-recommends chromium");
        return Shop.OpenAsync(_browser);
    }
}

public sealed class SnippetTests(SnippetBrowser browser) : IClassFixture<SnippetBrowser>
{
    private const string StoredKeys = "Object.keys(localStorage).filter(key => key.startsWith('estat:'))";
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    [Fact]
    public async Task Events_arrive_as_one_batch_each_with_an_id_and_without_a_cookie()
    {
        await using Shop shop = await browser.OpenShopAsync();
        await shop.SetCookieAsync();
        IPage page = await shop.VisitAsync("data-page-view");
        await page.EvaluateAsync("estat('cart', { items: 3, title: '안녕' }); estat.track('bare');");
        await shop.UntilAcceptedAsync(4);

        await shop.UntilRequestedAsync(1);
        IRequest request = Assert.Single(shop.Requests);
        Assert.Equal("key=key+of+the+shop", new Uri(request.Url).Query[1..]);
        // No preflight for this type, and no batch that a proxy would take for something else.
        Assert.Equal("text/plain;charset=UTF-8", await request.HeaderValueAsync("content-type"));
        Assert.Equal("[]", await page.EvaluateAsync<string>($"JSON.stringify({StoredKeys})"));
        Assert.Equal("", await page.EvaluateAsync<string>("document.cookie"));
        IReadOnlyList<SentEvent> events = await shop.DrainAsync();
        Assert.Equal(["bare", "cart", "early", "page_view"], events.Select(one => one.Name).Order(StringComparer.Ordinal));
        Assert.Equal("""{"items":3,"title":"안녕"}""", events.Single(one => one.Name == "cart").Data);
        Assert.Equal("""{"title":"Shop","referrer":""}""", events.Single(one => one.Name == "page_view").Data);
        Assert.Equal(4, events.Select(one => one.Id).Distinct().Count());
        Assert.All(events, one => Assert.StartsWith("http://localhost:", one.Body.GetProperty("url").GetString(), StringComparison.Ordinal));
        Assert.All(events,
            one => Assert.True(DateTimeOffset.TryParse(one.Body.GetProperty("time").GetString(), CultureInfo.InvariantCulture, out _)));
        Assert.All(events, one => Assert.Null(one.Stored.Cookie));
        Assert.Empty(shop.Complaints);
    }

    [Theory]
    [InlineData("navigation")]
    [InlineData("closing the tab")]
    public async Task What_was_not_sent_yet_goes_when_the_page_goes(string how)
    {
        await using Shop shop = await browser.OpenShopAsync();
        IPage page = await shop.VisitAsync();
        // At a clock that stands still, no batch goes by time.
        await page.Clock.InstallAsync();
        await page.EvaluateAsync("estat('last words')");
        if (how == "navigation")
        {
            await page.GotoAsync(shop.Elsewhere.ToString());
        }
        else
        {
            await page.CloseAsync(new() { RunBeforeUnload = true });
        }

        await shop.UntilAcceptedAsync(2);
        Assert.Equal(["early", "last words"], (await shop.DrainAsync()).Select(one => one.Name).Order(StringComparer.Ordinal));
        Assert.Empty(shop.Complaints);
    }

    [Fact]
    public async Task More_than_a_dying_page_may_send_is_kept_for_the_next_page()
    {
        await using Shop shop = await browser.OpenShopAsync();
        IPage page = await shop.VisitAsync();
        await page.EvaluateAsync("for (let i = 0; i < 40; i++) estat('large', { i, text: '한'.repeat(1500) })"); // 4.5 KB each, 180 KB together
        await page.GotoAsync(shop.Elsewhere.ToString());
        await shop.UntilAcceptedAsync(10);
        Assert.InRange(await StoredAsync(page), 2, 4);

        IPage next = await shop.VisitAsync();
        await next.EvaluateAsync("estat.flush()");
        await UntilStoredAsync(next, 0);
        await shop.UntilAcceptedAsync(42);
        IReadOnlyList<SentEvent> events = await shop.DrainAsync();
        Assert.Equal(42, events.Count);
        Assert.Equal(42, events.Select(one => one.Id).Distinct().Count());
        Assert.Empty(shop.Complaints);
    }

    [Fact]
    public async Task While_the_server_is_away_events_wait_over_pages_and_then_arrive_once_each()
    {
        await using Shop shop = await browser.OpenShopAsync();
        shop.Network.Fault = Fault.Refuse;
        IPage page = await shop.VisitAsync();
        await page.EvaluateAsync("estat('first'); estat.flush()");
        await Wait.UntilAsync(async () => await StoredAsync(page) > 0, Patience, "something in the browser's store");
        // It is known to be away by now: what comes is kept, not tried once more while the page goes.
        await page.EvaluateAsync("estat('second')");
        await page.GotoAsync(shop.Elsewhere.ToString());
        Assert.Equal(0, shop.Accepted);

        shop.Network.Fault = Fault.None;
        IPage next = await shop.VisitAsync();
        await next.EvaluateAsync("estat('third'); estat.flush()");
        await shop.UntilAcceptedAsync(5);
        await UntilStoredAsync(next, 0);
        IReadOnlyList<SentEvent> events = await shop.DrainAsync();
        Assert.Equal(["early", "early", "first", "second", "third"], events.Select(one => one.Name).Order(StringComparer.Ordinal));
        Assert.Equal(5, events.Select(one => one.Id).Distinct().Count());
        Assert.Empty(shop.Complaints);
    }

    [Fact]
    public async Task What_was_stored_but_not_answered_is_sent_again_with_the_same_ids()
    {
        await using Shop shop = await browser.OpenShopAsync();
        shop.Network.Fault = Fault.DropResponse;
        IPage page = await shop.VisitAsync();
        await page.EvaluateAsync("estat.flush()");
        await shop.UntilAcceptedAsync(1);
        await UntilStoredAsync(page, 1);
        shop.Network.Fault = Fault.None;
        await page.EvaluateAsync("estat.flush()");
        await UntilStoredAsync(page, 0);
        IReadOnlyList<SentEvent> events = await shop.DrainAsync();
        Assert.True(events.Count > 1, "the answer was not lost: nothing was tested");
        Assert.Single(events.Select(one => one.Id).Distinct());
    }

    [Fact]
    public async Task After_429_the_same_batch_is_sent_again()
    {
        await using Shop shop = await browser.OpenShopAsync();
        await shop.AnswerNextAsync(1, 429, new() { ["Retry-After"] = "1" });
        IPage page = await shop.VisitAsync();
        await page.EvaluateAsync("estat('one')");
        await shop.UntilAcceptedAsync(2);
        await UntilStoredAsync(page, 0);
        await shop.UntilRequestedAsync(2);
        Assert.Equal(2, shop.Requests.Length);
        Assert.Equal(shop.Requests[0].PostData, shop.Requests[1].PostData);
        Assert.Equal(2, (await shop.DrainAsync()).Select(one => one.Id).Distinct().Count());
        Assert.Empty(shop.Complaints);
    }

    [Fact]
    public async Task Retry_After_is_waited_for()
    {
        await using Shop shop = await browser.OpenShopAsync();
        await shop.AnswerNextAsync(1, 503, new() { ["Retry-After"] = "1000" });
        IPage page = await shop.VisitAsync(prepare: page => page.Clock.InstallAsync());
        await page.Clock.FastForwardAsync(3_000);
        await UntilStoredAsync(page, 1);
        await page.EvaluateAsync("estat('more')");
        await page.Clock.FastForwardAsync(990_000);
        await shop.UntilRequestedAsync(1);
        Assert.Single(shop.Requests);
        Assert.Equal(0, shop.Accepted);
        await page.Clock.FastForwardAsync(1_020_000); // and up to as much again, so that not all come back at once
        await shop.UntilAcceptedAsync(2);
        Assert.Empty(shop.Complaints);
    }

    [Fact]
    public async Task What_the_server_refuses_for_good_is_dropped_and_counted()
    {
        await using Shop shop = await browser.OpenShopAsync();
        await shop.AnswerNextAsync(
            1, 401, new() { ["Content-Type"] = "application/problem+json" },
            """{"type":"urn:estat:problem","title":"Unauthorized","status":401,"detail":"The server does not know this write key."}""");
        IPage page = await shop.VisitAsync();
        await page.EvaluateAsync("estat('refused'); estat.flush()");
        await Wait.UntilAsync(async () => await page.EvaluateAsync<int>("estat.dropped") == 2, Patience, "2 dropped events");
        await page.EvaluateAsync("estat('taken'); estat('too large', 'x'.repeat(20000)); estat.flush()");
        await shop.UntilAcceptedAsync(1);
        // the server's MAX_BODY_SIZE, by its answer
        await Wait.UntilAsync(async () => await page.EvaluateAsync<int>("estat.dropped") == 3, Patience, "3 dropped events");
        Assert.Equal("[]", await page.EvaluateAsync<string>($"JSON.stringify({StoredKeys})"));
        SentEvent taken = Assert.Single(await shop.DrainAsync());
        Assert.Equal("taken", taken.Name);
        Assert.Equal(2, taken.Body.GetProperty("dropped").GetInt32());
        Assert.Empty(shop.Complaints);
    }

    [Fact]
    public async Task Without_consent_nothing_is_stored_or_sent()
    {
        await using Shop shop = await browser.OpenShopAsync();
        IPage page = await shop.VisitAsync("data-consent=required data-page-view", async page =>
        {
            await page.Clock.InstallAsync();
            await page.AddInitScriptAsync("Storage.prototype.setItem = () => { throw new Error('stored without consent') }");
        });
        await page.EvaluateAsync("for (let i = 0; i < 100; i++) estat('waits', i); estat.flush()");
        await page.Clock.FastForwardAsync(100_000);
        await page.GotoAsync(shop.Elsewhere.ToString());
        Assert.Empty(shop.Requests);
        Assert.Equal(0, await page.EvaluateAsync<int>("localStorage.length"));
        Assert.Equal(0, shop.Accepted);
        Assert.Empty(shop.Complaints);
    }

    [Fact]
    public async Task Consent_sends_what_waited_and_its_end_forgets_what_still_waits()
    {
        await using Shop shop = await browser.OpenShopAsync();
        IPage page = await shop.VisitAsync("data-consent=required");
        await page.EvaluateAsync("estat('before'); estat.consent(true); estat.flush()");
        await shop.UntilAcceptedAsync(2);

        shop.Network.Fault = Fault.Refuse;
        await page.EvaluateAsync("localStorage.mine = 'stays'; estat('kept'); estat.flush()");
        await UntilStoredAsync(page, 1);
        await page.EvaluateAsync("estat('in memory'); estat.consent(false); estat('after')");
        Assert.Equal("[\"mine\"]", await page.EvaluateAsync<string>("JSON.stringify(Object.keys(localStorage))"));

        shop.Network.Fault = Fault.None;
        await page.EvaluateAsync("estat.consent(true); estat.flush()");
        await shop.UntilAcceptedAsync(3);
        Assert.Equal(["after", "before", "early"], (await shop.DrainAsync()).Select(one => one.Name).Order(StringComparer.Ordinal));
        Assert.Empty(shop.Complaints);
    }

    [Theory]
    [InlineData("blocked", "Object.defineProperty(window, 'localStorage', { get() { throw new DOMException('blocked', 'SecurityError') } })")]
    [InlineData("full",
        "try { for (let size = 1 << 20, i = 0; size; ) try { localStorage['junk' + i++] = 'x'.repeat(size) } catch { size >>= 1 } } catch { }")]
    public async Task Without_room_in_localStorage_events_wait_in_the_page(string how, string script)
    {
        await using Shop shop = await browser.OpenShopAsync();
        shop.Network.Fault = Fault.Refuse;
        IPage page = await shop.VisitAsync(prepare: page => page.AddInitScriptAsync(script));
        int before = shop.Network.Struck;
        await page.EvaluateAsync("estat('one'); estat.flush()");
        await Wait.UntilAsync(() => shop.Network.Struck > before, Patience, "the server to be found away");
        await page.EvaluateAsync("estat('two')");
        shop.Network.Fault = Fault.None;
        await page.EvaluateAsync("estat.flush()");
        await shop.UntilAcceptedAsync(3);
        Assert.Equal(["early", "one", "two"], (await shop.DrainAsync()).Select(one => one.Name).Order(StringComparer.Ordinal));
        Assert.True(shop.Complaints.Count == 0, $"{how}: {string.Join('\n', shop.Complaints)}");
    }

    [Fact]
    public async Task What_waits_is_bounded_and_the_oldest_go_first_counted()
    {
        await using Shop shop = await browser.OpenShopAsync();
        shop.Network.Fault = Fault.Refuse;
        IPage page = await shop.VisitAsync();
        int sum = await page.EvaluateAsync<int>($$"""
            (async () => {
              for (let i = 0; i < 30; i++) {
                estat('large', { i, text: 'x'.repeat(50000) });
                await estat.flush();
              }
              return {{StoredKeys}}.reduce((sum, key) => sum + localStorage[key].length, 0);
            })()
            """);
        Assert.InRange(sum, 900_000, 1_000_000);
        int dropped = await page.EvaluateAsync<int>("estat.dropped");
        int kept = await page.EvaluateAsync<int>($"{StoredKeys}.reduce((sum, key) => sum + localStorage[key].split('\\n').length, 0)");
        Assert.Equal(31, dropped + kept);
        Assert.True(await page.EvaluateAsync<bool>($"{StoredKeys}.some(key => localStorage[key].includes('\"i\":29'))"));
        Assert.False(await page.EvaluateAsync<bool>($"{StoredKeys}.some(key => localStorage[key].includes('\"i\":0,'))"));
        Assert.Empty(shop.Complaints);
    }

    [Fact]
    public async Task Two_tabs_send_what_waits_once()
    {
        await using Shop shop = await browser.OpenShopAsync();
        shop.Network.Fault = Fault.Refuse;
        IPage[] tabs = [await shop.VisitAsync(), await shop.VisitAsync()];
        foreach (IPage tab in tabs)
        {
            await tab.EvaluateAsync("(async () => { for (let i = 0; i < 10; i++) { estat('waits', i); await estat.flush(); } })()");
        }

        Assert.InRange(await StoredAsync(tabs[0]), 10, 22);
        shop.Network.Fault = Fault.None;
        await Task.WhenAll(tabs.Select(tab => tab.EvaluateAsync("Promise.all([estat.flush(), estat.flush()])")));
        await UntilStoredAsync(tabs[0], 0);
        await shop.UntilAcceptedAsync(22);
        IReadOnlyList<SentEvent> events = await shop.DrainAsync();
        Assert.Equal(22, events.Count);
        Assert.Equal(22, events.Select(one => one.Id).Distinct().Count());
        Assert.Empty(shop.Complaints);
    }

    [Fact]
    public async Task Nothing_that_a_page_hands_it_is_thrown_back()
    {
        await using Shop shop = await browser.OpenShopAsync();
        IPage page = await shop.VisitAsync();
        await page.EvaluateAsync("""
            const circle = {}; circle.circle = circle;
            estat('circle', circle); estat('big', 1n); estat('huge', 'x'.repeat(70000)); estat('poison', { toJSON() { throw 1 } });
            estat(); estat(null, undefined); estat('fine', { a: '\ud800', b: Infinity, c: () => 1 });
            document.body.append(Object.assign(document.createElement('script'), { src: document.querySelector('script[src]').src })); // loaded twice
            estat.flush();
            """);
        Assert.Equal(4, await page.EvaluateAsync<int>("estat.dropped"));
        await shop.UntilAcceptedAsync(4);
        Assert.Equal(4, (await shop.DrainAsync()).Count);
        Assert.Empty(shop.Complaints);
    }

    [Fact]
    public async Task The_example_with_fetch_alone_comes_through_a_portal_and_an_outage()
    {
        await using Shop shop = await browser.OpenShopAsync();
        shop.Network.Fault = Fault.Refuse;
        await shop.AnswerNextAsync(1, 200, new() { ["Content-Type"] = "text/html" }, "<!DOCTYPE html><title>Please sign in</title>", "**/collect*");
        IPage page = await shop.ExampleAsync();
        await page.WaitForFunctionAsync("/no X-Estat-Ack, again in[^]*fetch.*, again in/.test(document.getElementById('log').textContent)");
        shop.Network.Fault = Fault.None;
        await page.WaitForFunctionAsync("document.getElementById('log').textContent.endsWith('done\\n')");
        Assert.Matches("one event: disk, in raw/.*\nbatch: disk, in raw/.*\"accepted\":3", await page.InnerTextAsync("#log"));
        await shop.UntilAcceptedAsync(4);
        Assert.Empty(shop.Complaints);
    }

    // Parts of what waits, in the browser's store; none is left once all of them were answered.
    private static Task<int> StoredAsync(IPage page) => page.EvaluateAsync<int>($"{StoredKeys}.length");

    // WaitForFunctionAsync looks again by eval, which the pages' policy forbids: it holds only for what is so at the first look.
    private static Task UntilStoredAsync(IPage page, int parts) =>
        Wait.UntilAsync(async () => await StoredAsync(page) == parts, Patience, $"{parts} parts in the browser's store");
}
