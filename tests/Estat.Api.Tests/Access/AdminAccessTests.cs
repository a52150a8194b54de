// Who may see the pages of whoever runs a node.
using System.Net;
using Estat.Api.Access;
using Estat.Core.Metrics;
using Estat.Core.Options;
using Microsoft.AspNetCore.Http;

namespace Estat.Api.Tests.Access;

public sealed class AdminAccessTests
{
    private const string Token = "0123456789abcdef";

    [Theory]
    [InlineData("127.0.0.1", null, null, true)]
    [InlineData("::1", null, null, true)]
    [InlineData("::ffff:127.0.0.1", null, null, true)]
    [InlineData("10.0.0.7", null, null, false)]
    [InlineData("10.0.0.7", "Bearer 0123456789abcdef", null, true)]
    [InlineData("10.0.0.7", "bearer 0123456789abcdef", null, true)]
    [InlineData("10.0.0.7", "Bearer 0123456789abcdee", null, false)]
    [InlineData("10.0.0.7", "Bearer 0123456789abcdef0", null, false)]
    [InlineData("10.0.0.7", "Bearer ", null, false)]
    [InlineData("10.0.0.7", "Basic 0123456789abcdef", null, false)]
    [InlineData("127.0.0.1", null, "X-Forwarded-For", false)]
    [InlineData("127.0.0.1", null, "Forwarded", false)]
    [InlineData("127.0.0.1", null, "Via", false)]
    [InlineData("127.0.0.1", "Bearer 0123456789abcdef", "X-Forwarded-For", true)]
    public async Task It_is_for_callers_from_the_node_itself_and_for_those_who_know_the_token(string peer, string? authorization, string? proxyHeader, bool isLetIn) =>
        Assert.Equal(isLetIn, await IsLetInAsync(Token, peer, authorization, proxyHeader));

    [Theory]
    [InlineData(null)]
    [InlineData("Bearer ")]
    [InlineData("Bearer 0123456789abcdef")]
    public async Task Without_a_token_nobody_from_elsewhere_is_let_in(string? authorization) =>
        Assert.False(await IsLetInAsync(null, "10.0.0.7", authorization, null));

    private static async Task<bool> IsLetInAsync(string? token, string peer, string? authorization, string? proxyHeader)
    {
        bool isLetIn = false;
        using var instruments = new EstatInstruments();
        RequestDelegate guarded = new AdminAccess(new EstatOptions { AdminToken = token }, instruments).Guard(_ =>
        {
            isLetIn = true;
            return Task.CompletedTask;
        });
        var context = new DefaultHttpContext();
        context.Connection.RemoteIpAddress = IPAddress.Parse(peer);
        context.Response.Body = new MemoryStream();
        if (authorization is not null)
        {
            context.Request.Headers.Authorization = authorization;
        }

        if (proxyHeader is not null)
        {
            context.Request.Headers[proxyHeader] = "192.0.2.1";
        }

        await guarded(context);
        Assert.Equal(isLetIn ? 200 : 401, context.Response.StatusCode);
        return isLetIn;
    }
}
