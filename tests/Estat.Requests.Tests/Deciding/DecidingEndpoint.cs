// An operator's endpoint: a real HTTP server, which answers as a test says.
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Logging;

namespace Estat.Requests.Tests.Deciding;

/// <summary>Remembers every call in the order of arrival.</summary>
internal sealed class DecidingEndpoint : IAsyncDisposable
{
    internal const string Succeeded = """{"status":"SUCCEEDED"}""";

    private readonly Lock _gate = new();
    private readonly List<EndpointCall> _calls = [];
    private readonly WebApplication _server;

    private DecidingEndpoint(WebApplication server) => _server = server;

    /// <summary>How it answers; SUCCEEDED unless a test says otherwise.</summary>
    internal Func<EndpointCall, HttpContext, Task> Answer { get; set; } = (_, context) => context.Response.WriteAsync(Succeeded);

    /// <summary>Calls so far.</summary>
    internal IReadOnlyList<EndpointCall> Calls
    {
        get
        {
            lock (_gate)
            {
                return [.. _calls];
            }
        }
    }

    internal Uri Url => new(_server.Urls.Single() + "/decide?of=test");

    internal static async Task<DecidingEndpoint> StartAsync()
    {
        WebApplicationBuilder builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        WebApplication server = builder.Build();
        var endpoint = new DecidingEndpoint(server);
        server.Run(endpoint.TakeAsync);
        await server.StartAsync();
        return endpoint;
    }

    /// <summary>An answer of this status.</summary>
    internal static Func<EndpointCall, HttpContext, Task> Status(int status, string body = "") => (_, context) =>
    {
        context.Response.StatusCode = status;
        return context.Response.WriteAsync(body);
    };

    public async ValueTask DisposeAsync() => await _server.DisposeAsync();

    private async Task TakeAsync(HttpContext context)
    {
        using var body = new MemoryStream();
        await context.Request.Body.CopyToAsync(body);
        var call = new EndpointCall(
            context.Request.Method, context.Request.Path + context.Request.QueryString,
            context.Request.Headers.ToDictionary(header => header.Key, header => header.Value.ToString(), StringComparer.OrdinalIgnoreCase),
            body.ToArray(), context.Features.GetRequiredFeature<IHttpConnectionFeature>().ConnectionId);
        Func<EndpointCall, HttpContext, Task> answer;
        lock (_gate)
        {
            _calls.Add(call);
            answer = Answer;
        }

        await answer(call, context);
    }
}

/// <summary>What the endpoint got.</summary>
internal sealed record EndpointCall(string Method, string Target, IReadOnlyDictionary<string, string> Headers, byte[] Body, string Connection)
{
    internal JsonElement Json => JsonDocument.Parse(Body).RootElement;

    internal string Campaign => Json.GetProperty("campaignId").GetString()!;

    internal string User => Json.GetProperty("userId").GetString()!;

    internal int Attempt => Json.GetProperty("attempt").GetInt32();
}
