// The pages beside the collecting paths: one that fails is answered, and told to the log once.
using System.Diagnostics.Metrics;
using Estat.Http.Access;
using Estat.Http.Answering;
using Estat.Http.Options;
using Estat.Http.Routing;
using Microsoft.AspNetCore.Http;

namespace Estat.Http.Tests.Routing;

public sealed class OperatorRouterTests : IDisposable
{
    private readonly Meter _meter = new("test");
    private readonly LogLines _log = new();

    public void Dispose()
    {
        _meter.Dispose();
        _log.Dispose();
    }

    [Fact]
    public async Task A_page_that_fails_is_answered_500_with_advice_and_logged_once()
    {
        DefaultHttpContext context = await AskAsync(_ => throw new InvalidOperationException("a page's fault"));

        Assert.Equal((500, "application/problem+json"), (context.Response.StatusCode, context.Response.ContentType));
        Assert.Equal(["Error: GET /page failed"], _log.Lines);
    }

    [Fact]
    public async Task Somebody_who_left_is_no_fault_of_a_page()
    {
        var left = new CancellationToken(canceled: true);
        // the server's to end
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => AskAsync(context => Task.FromCanceled(context.RequestAborted), left));
        Assert.Empty(_log.Lines);
    }

    private async Task<DefaultHttpContext> AskAsync(RequestDelegate handle, CancellationToken aborted = default)
    {
        var context = new DefaultHttpContext { RequestAborted = aborted };
        context.Request.Method = "GET";
        context.Request.Path = "/page";
        var access = new AdminAccess(new HttpOptions(), _meter, TimeProvider.System, _log);
        var router = new OperatorRouter(health: null!, scrape: null!, [], [new Page("/page", handle, IsOpen: true)], access, _log.CreateLogger(""));
        await router.HandleAsync(context);
        return context;
    }
}
