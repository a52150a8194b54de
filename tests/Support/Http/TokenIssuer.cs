// Who signs tokens: a real HTTP server with a discovery page and a page of keys.
using System.Net;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Estat.Tests.Support;

/// <summary>On a port of 127.0.0.1 until dispose. A test sets what it says.</summary>
internal sealed class TokenIssuer : IAsyncDisposable
{
    private readonly WebApplication _server;
    private int _asked;

    private TokenIssuer(WebApplication server) => _server = server;

    /// <summary>Its name, which is where it is.</summary>
    internal string Name => _server.Urls.First();

    /// <summary>The keys that it publishes.</summary>
    internal SigningKey[] Keys { get; set; } = [];

    /// <summary>What its discovery page calls it; null: its name.</summary>
    internal string? CallsItself { get; set; }

    /// <summary>Where its discovery page says that the keys are; null: where they are.</summary>
    internal string? KeysAt { get; set; }

    /// <summary>Whether it answers 503 to everything.</summary>
    internal bool IsDown { get; set; }

    /// <summary>Completes when it may answer.</summary>
    internal Task MayAnswer { get; set; } = Task.CompletedTask;

    /// <summary>How often somebody asked for the discovery page.</summary>
    internal int Asked => Volatile.Read(ref _asked);

    /// <summary>Starts one.</summary>
    internal static async Task<TokenIssuer> StartAsync(params SigningKey[] keys)
    {
        WebApplicationBuilder builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0));
        WebApplication server = builder.Build();
        var issuer = new TokenIssuer(server) { Keys = keys };
        server.Run(issuer.AnswerAsync);
        await server.StartAsync();
        return issuer;
    }

    /// <summary>The claims of a token that is good for an hour.</summary>
    internal static JsonObject Claims(string issuer, DateTimeOffset now, string user = "kim", string audience = "shop") => new()
    {
        ["iss"] = issuer,
        ["aud"] = audience,
        ["sub"] = user,
        ["iat"] = now.ToUnixTimeSeconds(),
        ["exp"] = now.AddHours(1).ToUnixTimeSeconds(),
    };

    public ValueTask DisposeAsync() => _server.DisposeAsync();

    private async Task AnswerAsync(HttpContext context)
    {
        bool isDiscovery = context.Request.Path == "/.well-known/openid-configuration";
        if (isDiscovery)
        {
            Interlocked.Increment(ref _asked);
        }

        await MayAnswer;
        if (IsDown)
        {
            context.Response.StatusCode = StatusCodes.Status503ServiceUnavailable;
            return;
        }

        context.Response.ContentType = "application/json";
        await context.Response.WriteAsync(isDiscovery
            ? new JsonObject { ["issuer"] = CallsItself ?? Name, ["jwks_uri"] = KeysAt ?? Name + "/keys" }.ToJsonString()
            : SigningKey.Jwks(Keys));
    }
}
