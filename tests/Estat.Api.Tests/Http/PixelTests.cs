// GET /collect and /collect.gif: events from where nothing but an address can be given.
using System.Text;
using Estat.Testing;

namespace Estat.Api.Tests.Http;

public sealed class PixelTests
{
    [Theory]
    [InlineData("a=1&b=2")]
    [InlineData("q=%ED%95%9C%EA%B8%80&plus=a+b")]
    [InlineData("broken=%zz&%")]
    [InlineData("?a=1?b=2&&==")]
    [InlineData("\"quoted\"<b>\\{json:'1'}|^`")]
    [InlineData("x")]
    [InlineData("a#fragment")]
    public async Task The_raw_query_is_the_event(string query)
    {
        await using RunningServer server = await RunningServer.StartAsync();
        using RawHttp connection = await server.ConnectAsync();
        foreach (string target in new[] { $"/collect?{query}", $"/collect.gif?{query}", $"http://estat.test/collect?{query}" })
        {
            await connection.SendAsync($"GET {target} HTTP/1.1\r\nHost: estat.test\r\n\r\n");
            RawAnswer answer = await connection.ReadAnswerAsync();
            Assert.Equal(200, answer.Status);
            Assert.Equal(["disk"], answer.Headers["X-Estat-Ack"]);
        }

        Assert.Equal([query, query, query], await server.DrainBodiesAsync());
    }

    [Fact]
    public async Task Collect_gif_answers_a_transparent_GIF_of_one_pixel_that_nobody_keeps()
    {
        await using RunningServer server = await RunningServer.StartAsync();

        using HttpResponseMessage answer = await server.Client.GetAsync(new Uri("/collect.gif?a=1", UriKind.Relative));
        byte[] gif = await answer.Content.ReadAsByteArrayAsync();

        Assert.Equal("image/gif", answer.Content.Headers.ContentType?.ToString());
        Assert.True(answer.Headers.CacheControl?.NoStore);
        Assert.Equal("GIF89a", Encoding.ASCII.GetString(gif, 0, 6));
        Assert.Equal((1, 1), (BitConverter.ToUInt16(gif, 6), BitConverter.ToUInt16(gif, 8)));
        // A global table of two colours, a graphic control extension that makes the first transparent, an image of 1×1 and the trailer.
        Assert.Equal(0x80, gif[10]);
        Assert.Equal([0x21, 0xF9, 4], gif[19..22]);
        Assert.Equal(1, gif[22] & 1);
        Assert.Equal(0, gif[25]);
        Assert.Equal([0x2C, 0, 0, 0, 0, 1, 0, 1, 0, 0], gif[27..37]);
        Assert.Equal(0x3B, gif[^1]);
    }

    [Fact]
    public async Task A_plain_GET_answers_nothing_and_is_not_kept_by_caches_either()
    {
        await using RunningServer server = await RunningServer.StartAsync();

        using HttpResponseMessage answer = await server.Client.GetAsync(new Uri("/collect?a=1", UriKind.Relative));

        Assert.Equal(0, answer.Content.Headers.ContentLength);
        Assert.True(answer.Headers.CacheControl?.NoStore);
    }

    [Theory]
    [InlineData("/collect")]
    [InlineData("/collect?")]
    [InlineData("/collect.gif")]
    [InlineData("/collect.gif?")]
    public async Task An_empty_query_is_400(string target)
    {
        await using RunningServer server = await RunningServer.StartAsync();
        using RawHttp connection = await server.ConnectAsync();

        await connection.SendAsync($"GET {target} HTTP/1.1\r\nHost: estat.test\r\n\r\n");

        RawAnswer answer = await connection.ReadAnswerAsync();
        Assert.Equal(400, answer.Status);
        Assert.Contains("empty", answer.Detail, StringComparison.Ordinal);
        Assert.Empty(await server.DrainAsync());
    }

    [Fact]
    public async Task A_query_may_be_as_long_as_a_body_and_no_longer()
    {
        string largest = new('q', Bodies.Largest);
        await using RunningServer server = await RunningServer.StartAsync();
        foreach ((string query, int status) in new[] { (largest, 200), (largest + "q", 413), (new string('q', Bodies.Largest + 2000), 414) })
        {
            using RawHttp connection = await server.ConnectAsync();
            await connection.SendAsync($"GET /collect.gif?{query} HTTP/1.1\r\nHost: estat.test\r\n\r\n");
            Assert.Equal(status, (await connection.ReadAnswerAsync()).Status);
        }

        StoredEvent stored = Assert.Single(await server.DrainAsync());
        Assert.Equal(largest, stored.Body);
    }
}
