// The operator's endpoint: decides, and fails a tenth of the time.
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;

namespace Estat.Requests.Chaos;

/// <summary>A real HTTP server. It answers the same request the same way, as an endpoint behind calls that come at least once must.</summary>
internal sealed class DecidingShop : IAsyncDisposable
{
    /// <summary>What calls are signed with.</summary>
    internal const string Secret = "a secret of the oracle's shop";

    private readonly WebApplication _app;
    private int _calls;

    internal DecidingShop()
    {
        WebApplicationBuilder builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().UseUrls("http://127.0.0.1:0");
        _app = builder.Build();
        _app.Run(AnswerAsync);
    }

    /// <summary>Where it listens.</summary>
    internal string Url => $"{_app.Urls.First()}/decide";

    /// <summary>Whether it refuses nobody for good any more.</summary>
    internal bool IsWell { get; set; }

    internal Task StartAsync() => _app.StartAsync();

    public ValueTask DisposeAsync() => _app.DisposeAsync();

    private async Task AnswerAsync(HttpContext context)
    {
        string id = context.Request.Headers["Idempotency-Key"].ToString();
        int luck = Interlocked.Increment(ref _calls) % 20;
        context.Response.StatusCode = luck switch
        {
            0 or 1 => 503,
            _ when !IsWell && id.EndsWith("00", StringComparison.Ordinal) => 422, // one in 256
            _ => 200,
        };
        string status = id.Contains('7', StringComparison.Ordinal) ? "SUCCEEDED" : "REJECTED";
        await context.Response.WriteAsync(context.Response.StatusCode == 200 ? $$$"""{"status":"{{{status}}}","result":{"shop":1}}""" : "no");
    }
}
