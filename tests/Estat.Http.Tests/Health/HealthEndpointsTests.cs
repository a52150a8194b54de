// /health: a text, or JSON for who asks for that.
using System.Diagnostics.Metrics;
using System.Text;
using System.Text.Json;
using Estat.Http.Access;
using Estat.Http.Health;
using Estat.Http.Options;
using Microsoft.AspNetCore.Http;

namespace Estat.Http.Tests.Health;

public sealed class HealthEndpointsTests : IDisposable
{
    private readonly Meter _meter = new("test");
    private readonly LogLines _log = new();

    public void Dispose()
    {
        _meter.Dispose();
        _log.Dispose();
    }

    [Theory]
    [InlineData(null)]
    [InlineData("*/*")]
    [InlineData("text/plain")]
    [InlineData("text/html, */*;q=0.8")]
    [InlineData("application/json;q=0.5, text/plain")]
    [InlineData("application/json;q=0")]
    [InlineData("no media type")]
    public async Task It_is_a_text_unless_JSON_is_asked_for(string? accept) =>
        Assert.Equal(("text/plain; charset=utf-8", "ok\n"), await AskAsync(accept));

    [Theory]
    [InlineData("application/json")]
    [InlineData("application/json, text/plain, */*")]
    public async Task As_JSON_it_has_status_time_uptime_and_version(string accept)
    {
        (string? type, string body) = await AskAsync(accept);
        using var json = JsonDocument.Parse(body);

        Assert.Equal("application/json", type);
        Assert.Equal(["status", "timestamp", "uptime", "version"], json.RootElement.EnumerateObject().Select(member => member.Name));
        Assert.Equal("healthy", json.RootElement.GetProperty("status").GetString());
        Assert.EndsWith("Z", json.RootElement.GetProperty("timestamp").GetString(), StringComparison.Ordinal);
        Assert.True(json.RootElement.GetProperty("uptime").GetDouble() >= 0);
    }

    private async Task<(string? Type, string Body)> AskAsync(string? accept)
    {
        var context = new DefaultHttpContext();
        using var body = new MemoryStream();
        context.Response.Body = body;
        context.Request.Method = "GET";
        if (accept is not null)
        {
            context.Request.Headers.Accept = accept;
        }

        var access = new AdminAccess(new HttpOptions(), _meter, TimeProvider.System, _log);
        await new HealthEndpoints(null!, access, TimeProvider.System).LivenessAsync(context);
        return (context.Response.ContentType, Encoding.UTF8.GetString(body.ToArray()));
    }
}
