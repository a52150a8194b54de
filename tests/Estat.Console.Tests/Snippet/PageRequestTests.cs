// What pages send without the snippet, and what other scripts make of its requests: a real browser must let it through and let the page see what
// became of it.
using Estat.Testing;
using Microsoft.Playwright;

namespace Estat.Console.Tests.Snippet;

public sealed class PageRequestTests(SnippetBrowser browser) : IClassFixture<SnippetBrowser>
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    [Fact]
    public async Task A_beacon_of_JSON_passes_its_preflight_and_is_stored_once()
    {
        await using Shop shop = await browser.OpenShopAsync();
        await shop.SetCookieAsync();
        IPage page = await shop.OpenAsync(shop.Elsewhere);

        Assert.True(await page.EvaluateAsync<bool>(
            $"navigator.sendBeacon('{shop.Network.Endpoint}/collect', new Blob(['{{}}'], {{ type: 'application/json' }}))"));

        await shop.UntilAcceptedAsync(1);
        Assert.Equal(["{}"], (await shop.DrainStoredAsync()).Select(stored => stored.Body));
        Assert.Empty(shop.Complaints);
    }

    [Theory]
    [InlineData("/collect", "{ method: 'POST', body: '{}', headers: { 'Content-Type': 'text/plain' } }", 200, "disk")]
    [InlineData("/collect",
        "{ method: 'POST', body: '{}', headers: { 'Content-Type': 'application/json', 'Idempotency-Key': 'a', 'Priority': 'u=1' } }", 200, "disk")]
    [InlineData("/collect/batch", "{ method: 'POST', body: '[{}]', headers: { 'Content-Type': 'application/json' } }", 200, "disk")]
    [InlineData("/collect.gif?a=b", "{}", 200, "disk")]
    [InlineData("/collect", "{ method: 'POST', body: '' }", 400, null)]
    [InlineData("/collect/batch", "{ method: 'GET' }", 405, null)]
    public async Task A_request_with_credentials_shows_the_page_what_became_of_it(string path, string request, int status, string? ack)
    {
        await using Shop shop = await browser.OpenShopAsync();
        await shop.SetCookieAsync();
        IPage page = await shop.OpenAsync(shop.Elsewhere);

        string seen = await page.EvaluateAsync<string>(
            $"fetch('{shop.Network.Endpoint}{path}', {{ ...{request}, credentials: 'include' }}).then(answer => answer.status + ' ' + "
            + "answer.headers.get('X-Estat-Ack'))");

        Assert.Equal($"{status} {ack ?? "null"}", seen);
        Assert.Equal(ack is null ? 0 : 1, (await shop.DrainStoredAsync()).Count);
        Assert.Empty(shop.Complaints);
    }

    [Fact]
    public async Task A_page_of_no_origin_may_send_where_any_may()
    {
        await using Shop shop = await browser.OpenShopAsync();
        IPage page = await shop.OpenAsync(shop.Elsewhere, "frame-src data:;");

        int status = await page.EvaluateAsync<int>($$"""
            new Promise(seen => {
              addEventListener('message', message => seen(message.data));
              const script = "fetch('{{shop.Network.Endpoint}}/collect', { method: 'POST', body: '{}', credentials: 'include', headers: { 'X-Requested-With': 'x' } })"
                + ".then(answer => parent.postMessage(answer.status, '*'), () => parent.postMessage(0, '*'))";
              document.body.append(Object.assign(document.createElement('iframe'), { src: 'data:text/html,<script nonce=a>' + encodeURIComponent(script) + '<' + '/script>' }));
            })
            """);

        Assert.Equal(200, status);
        Assert.Single(await shop.DrainStoredAsync());
    }

    [Fact]
    public async Task The_snippet_delivers_all_events_of_a_page_whose_fetch_is_traced()
    {
        // As OpenTelemetry, Datadog and others do it: fetch is wrapped, and each request gets their headers.
        const string Traced = """
            const real = fetch;
            window.fetch = (url, init) => real(url, { ...init, headers: {
              traceparent: '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01', tracestate: 'a=1', baggage: 'b=2',
              'X-Requested-With': 'XMLHttpRequest', 'Cache-Control': 'no-cache', 'x-datadog-trace-id': '1' } });
            """;
        await using Shop shop = await browser.OpenShopAsync();
        IPage page = await shop.VisitAsync(prepare: page => page.AddInitScriptAsync(Traced));

        await page.EvaluateAsync("for (let i = 0; i < 5; i++) estat('traced', i); estat.flush()");

        await shop.UntilAcceptedAsync(6);
        await shop.UntilRequestedAsync(1);
        IRequest request = Assert.Single(shop.Requests);
        Assert.Equal("b=2", (await request.AllHeadersAsync())["baggage"]);
        Assert.Equal(0, await page.EvaluateAsync<int>("estat.dropped"));
        await UntilStoredAsync(page, 0);
        Assert.Equal(6, (await shop.DrainAsync()).Select(one => one.Id).Distinct().Count());
        Assert.Empty(shop.Complaints);
    }

    [Theory]
    [InlineData(200, "text/html", "<!DOCTYPE html><title>Please sign in</title>")]
    [InlineData(200, "text/plain", "")]
    [InlineData(200, "application/json", """{"ok":true}""")]
    [InlineData(200, "application/json", "null")]
    [InlineData(200, "application/json", """{"accepted":99,"rejected":[]}""")] // of another batch: a cache's
    [InlineData(403, "text/html", "<!DOCTYPE html><title>Please sign in</title>")]
    [InlineData(400, "text/plain", "")]
    [InlineData(404, "application/json", "null")]
    [InlineData(413, "application/json", """{"accepted":6,"rejected":[]}""")]
    [InlineData(401, "application/problem+json", """{"type":"about:blank","title":"Unauthorized","status":401}""")]
    public async Task What_something_else_answers_is_kept_and_arrives_once_when_the_server_answers(int status, string type, string body)
    {
        await using Shop shop = await browser.OpenShopAsync();
        await shop.AnswerNextAsync(1, status, new() { ["Content-Type"] = type }, body);
        IPage page = await shop.VisitAsync();

        await page.EvaluateAsync("for (let i = 0; i < 5; i++) estat('waits', i); estat.flush()");
        // What was kept goes by itself, after its pause.
        await shop.UntilAcceptedAsync(6);
        await shop.UntilRequestedAsync(2);
        Assert.Equal(shop.Requests[0].PostData, shop.Requests[1].PostData);
        await UntilStoredAsync(page, 0);
        Assert.Equal(0, await page.EvaluateAsync<int>("estat.dropped"));
        IReadOnlyList<SentEvent> events = await shop.DrainAsync();
        Assert.Equal((6, 6), (events.Count, events.Select(one => one.Id).Distinct().Count()));
        Assert.Empty(shop.Complaints);
    }

    [Fact]
    public async Task What_a_firewall_never_lets_through_keeps_nothing_else_back_and_is_given_up_after_a_day()
    {
        await using Shop shop = await browser.OpenShopAsync();
        await shop.RefuseAsync("poison");
        IPage page = await shop.VisitAsync();
        await page.EvaluateAsync("(async () => { await estat.flush(); estat('poison'); await estat.flush(); })()");
        await UntilStoredAsync(page, 1);

        await page.EvaluateAsync("(async () => { for (let i = 0; i < 3; i++) { estat('next', i); await estat.flush(); } })()");

        await shop.UntilAcceptedAsync(4);
        await UntilStoredAsync(page, 1);
        Assert.Equal(0, await page.EvaluateAsync<int>("estat.dropped"));

        // As if it had been made two days ago.
        await page.EvaluateAsync("""
            (() => {
              const [key, text] = Object.entries(localStorage)[0];
              localStorage.removeItem(key);
              localStorage[key.slice(0, key.lastIndexOf(':') + 1) + (Date.now() - 2 * 864e5).toString(36)] = text;
            })()
            """);
        await page.EvaluateAsync("estat.flush()");

        await UntilStoredAsync(page, 0);
        Assert.Equal(1, await page.EvaluateAsync<int>("estat.dropped"));
        Assert.Equal(["early", "next", "next", "next"], (await shop.DrainAsync()).Select(one => one.Name).Order(StringComparer.Ordinal));
        Assert.Empty(shop.Complaints);
    }

    [Fact]
    public async Task A_batch_whose_answer_has_lost_its_body_counts_by_its_header()
    {
        await using Shop shop = await browser.OpenShopAsync();
        await shop.AnswerNextAsync(1, 200, new() { ["X-Estat-Ack"] = "disk" });
        IPage page = await shop.VisitAsync();

        await page.EvaluateAsync("(async () => { await estat.flush(); estat('next'); await estat.flush(); })()");

        await UntilStoredAsync(page, 0);
        Assert.Equal("next", Assert.Single(await shop.DrainAsync()).Name);
        Assert.Empty(shop.Complaints);
    }

    private static Task UntilStoredAsync(IPage page, int parts) => Wait.UntilAsync(
        async () => await page.EvaluateAsync<int>("localStorage.length") == parts, Patience, $"{parts} parts in the browser's store");
}
