// A site that uses /estat.js, in a real browser, with a real Estat on another origin and a network between them that can fail.
using System.Collections.Concurrent;
using System.Text.Json;
using Estat.Api.Hosting;
using Estat.Api.Options;
using Estat.Testing;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Playwright;

namespace Estat.Console.Tests.Snippet;

/// <summary>
/// The site is http://localhost, whose pages forbid everything but the snippet (Content-Security-Policy). What its pages send to goes through
/// <see cref="Network"/>; the script itself comes straight from the server, as from a cache. Whatever the test is about, the pages must not complain.
/// </summary>
internal sealed class Shop : IAsyncDisposable
{
    internal const string Key = "key of the shop";
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly TempFolder _folder = new();
    private readonly ConcurrentQueue<IRequest> _requests = new();
    private readonly List<string> _complaints = [];
    private readonly StandaloneServer _server;
    private readonly WebApplication _site;
    private readonly IBrowserContext _context;
    private string _attributes = "";
    private string _policy = "";
    private bool _drained;

    private Shop(IBrowserContext context)
    {
        _context = context;
        _server = new StandaloneServer(
            new EstatOptions
            {
                Http = new() { HttpAddr = "127.0.0.1:0" },
                Node = new() { LogLevel = "critical" },
                Collect = new()
                {
                    DlqDir = _folder["dlq"],
                    SpoolDir = _folder["spool"],
                    CaptureCookie = true,
                    Storage = new() { StorageDir = _folder["data"] },
                },
            },
            TimeProvider.System, isTerminal: false);
        WebApplicationBuilder builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().UseUrls("http://127.0.0.1:0");
        _site = builder.Build();
        _site.Run(AnswerAsync);
    }

    /// <summary>Pages of the test's own, by their path.</summary>
    internal Dictionary<string, Func<HttpContext, Task>> Pages { get; } = [];

    internal FaultProxy Network { get; private set; } = null!;

    /// <summary>Bodies of the requests that pages sent, in order; those at unload are not seen here.</summary>
    internal IRequest[] Requests => [.. _requests];

    /// <summary>All that the browser complained of, but for requests that failed.</summary>
    internal IReadOnlyList<string> Complaints => _complaints;

    internal Uri Site => new($"http://localhost:{new Uri(_site.Urls.First()).Port}/");

    internal static async Task<Shop> OpenAsync(IBrowser browser)
    {
        IBrowserContext context = await browser.NewContextAsync();
        context.SetDefaultTimeout((float)Patience.TotalMilliseconds);
        var shop = new Shop(context);
        await shop._server.StartAsync();
        await shop._site.StartAsync();
        shop.Network = FaultProxy.Start(shop._server.Address.Port);
        context.Console += (_, message) =>
        {
            // A request that fails is always logged by Chromium itself.
            if (message.Type is "error" or "warning" && !message.Text.StartsWith("Failed to load resource", StringComparison.Ordinal))
            {
                shop._complaints.Add(message.Text);
            }
        };
        context.WebError += (_, error) => shop._complaints.Add(error.Error);
        context.Request += (_, request) =>
        {
            if (request.Method == "POST")
            {
                shop._requests.Enqueue(request);
            }
        };
        return shop;
    }

    /// <summary>Opens a page of the site in a new tab.</summary>
    /// <param name="attributes">Of the script, beside src, data-key and data-endpoint.</param>
    /// <param name="prepare">What is done to the tab before it loads.</param>
    internal async Task<IPage> VisitAsync(string attributes = "", Func<IPage, Task>? prepare = null)
    {
        _attributes = attributes;
        IPage page = await _context.NewPageAsync();
        if (prepare is not null)
        {
            await prepare(page);
        }

        await page.GotoAsync(Site.ToString());
        return page;
    }

    /// <summary>Opens another page.</summary>
    /// <param name="url">Which.</param>
    /// <param name="policy">Of the Content-Security-Policy, beside what all pages have.</param>
    internal async Task<IPage> OpenAsync(Uri url, string policy = "")
    {
        _policy = policy;
        IPage page = await _context.NewPageAsync();
        await page.GotoAsync(url.ToString());
        return page;
    }

    /// <summary>Opens examples/browser.</summary>
    internal async Task<IPage> ExampleAsync()
    {
        IPage page = await _context.NewPageAsync();
        await page.GotoAsync(new Uri(Site, $"example?estat={Network.Endpoint}&key=k").ToString());
        return page;
    }

    /// <summary>Answers pages' next requests in the server's place.</summary>
    internal Task AnswerNextAsync(
        int times, int status, Dictionary<string, string> headers, string body = "", string path = "**/collect/batch*") => _context.RouteAsync(
        path,
        route => route.FulfillAsync(new()
        {
            Status = status,
            Headers = new Dictionary<string, string>(headers)
            {
                ["Access-Control-Allow-Origin"] = "*",
                ["Access-Control-Expose-Headers"] = "Retry-After, X-Estat-Ack",
            },
            Body = body,
        }),
        new() { Times = times });

    /// <summary>Refuses pages' batches that hold this text, as a firewall does.</summary>
    internal Task RefuseAsync(string text) => _context.RouteAsync(
        "**/collect/batch*",
        route => route.Request.PostData?.Contains(text, StringComparison.Ordinal) == true
            ? route.FulfillAsync(new()
            {
                Status = 403,
                Headers = new Dictionary<string, string> { ["Access-Control-Allow-Origin"] = "*", ["Content-Type"] = "text/html" },
                Body = "<!DOCTYPE html><title>Request blocked</title>",
            })
            : route.ContinueAsync());

    /// <summary>A page without the snippet.</summary>
    internal Uri Elsewhere => new(Site, "elsewhere");

    internal Task SetCookieAsync() => _context.AddCookiesAsync([new() { Name = "secret", Value = "1", Url = Network.Endpoint }]);

    /// <summary>Waits until the server has taken so many events.</summary>
    internal Task UntilAcceptedAsync(long events) => Wait.UntilAsync(
        () => _server.Engine.Ledger.Read().Accepted >= events, Patience, $"{events} events to be accepted",
        () => $"{_server.Engine.Ledger.Read().Accepted} were");

    /// <summary>Waits until the browser has told of so many requests: it may do so after the server has answered them.</summary>
    internal Task UntilRequestedAsync(int requests) =>
        Wait.UntilAsync(() => _requests.Count >= requests, Patience, $"{requests} requests to be told of", () => $"{_requests.Count} were");

    internal long Accepted => _server.Engine.Ledger.Read().Accepted;

    /// <summary>Stops the server; what it stored, and what each event says.</summary>
    internal async Task<IReadOnlyList<SentEvent>> DrainAsync() =>
        [
            .. (await DrainStoredAsync()).Select(stored =>
            {
                JsonElement body = JsonDocument.Parse(stored.Body).RootElement;
                return new SentEvent(
                    body.GetProperty("id").GetString()!, body.GetProperty("event").GetString()!,
                    body.TryGetProperty("data", out JsonElement data) ? data.GetRawText() : "", body, stored);
            }),
        ];

    /// <summary>Stops the server; what it stored, whatever its pages sent.</summary>
    internal async Task<IReadOnlyList<StoredEvent>> DrainStoredAsync()
    {
        _drained = true;
        _server.Signals.Stop("the test's end");
        await _server.RunAsync();
        return [.. StoredEvents.FromFolder(_folder["data"])];
    }

    public async ValueTask DisposeAsync()
    {
        await _context.DisposeAsync();
        await _site.DisposeAsync();
        Network.Dispose();
        if (!_drained)
        {
            _server.Signals.Stop("the test's end");
            await _server.RunAsync();
        }

        await _server.DisposeAsync();
        _folder.Dispose();
    }

    private Task AnswerAsync(HttpContext context)
    {
        context.Response.ContentType = "text/html; charset=utf-8";
        if (context.Request.Path == "/example")
        {
            return context.Response.SendFileAsync(Path.Combine(Repository.Root, "examples", "browser", "index.html"));
        }

        if (Pages.TryGetValue(context.Request.Path.Value!, out Func<HttpContext, Task>? own))
        {
            return own(context);
        }

        string script = _server.Address.GetLeftPart(UriPartial.Authority);
        context.Response.Headers.ContentSecurityPolicy =
            $"default-src 'none'; img-src data:; script-src {script} 'nonce-a'; connect-src {Network.Endpoint}; {_policy}";
        return context.Response.WriteAsync(
            context.Request.Path == "/elsewhere"
                ? "<!DOCTYPE html><title>Elsewhere</title><link rel=icon href=data:,>"
                : Html(_attributes));
    }

    /// <summary>A page with the snippet.</summary>
    /// <param name="attributes">Of the script, beside src, data-key and data-endpoint.</param>
    internal string Html(string attributes) =>
        $"""
        <!DOCTYPE html><title>Shop</title><link rel=icon href=data:,>
        <script nonce=a>window.estat = window.estat || ((...call) => estat.queue.push(call)); estat.queue = estat.queue || []; estat('early', [1]);</script>
        <script src="{_server.Address.GetLeftPart(UriPartial.Authority)}/estat.js" data-key="{Key}" data-endpoint="{Network.Endpoint}/collect/batch" {attributes} defer></script>
        """;
}

/// <summary>An event of the snippet's, as it was stored.</summary>
internal sealed record SentEvent(string Id, string Name, string Data, JsonElement Body, StoredEvent Stored);
