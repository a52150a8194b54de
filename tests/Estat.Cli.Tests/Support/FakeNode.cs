// A node that answers as a test wants it to.
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Estat.Cli.Tests.Support;

/// <summary>Real HTTP on a port of its own.</summary>
internal sealed class FakeNode : IAsyncDisposable
{
    private readonly WebApplication _app;

    private FakeNode(WebApplication app) => _app = app;

    internal string Url => _app.Urls.First();

    /// <summary>Starts it.</summary>
    /// <param name="answer">Called with each request.</param>
    internal static async Task<FakeNode> StartAsync(Func<HttpContext, Task> answer)
    {
        WebApplicationBuilder builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        WebApplication app = builder.Build();
        app.Run(context => answer(context));
        await app.StartAsync();
        return new FakeNode(app);
    }

    /// <summary>Sends the beginning of a body that is announced longer.</summary>
    internal static async Task BeginAsync(HttpContext context, ReadOnlyMemory<byte> body)
    {
        context.Response.ContentLength = body.Length;
        await context.Response.Body.WriteAsync(body[..(body.Length / 2)]);
        await context.Response.Body.FlushAsync();
    }

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => _app.DisposeAsync();
}
