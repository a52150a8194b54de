// /estat.js as a file: small, made of its source, and served so that any page can load it. What it does is tested in a browser, in
// Estat.Console.Tests.
using System.IO.Compression;
using System.Net;
using System.Security.Cryptography;
using System.Text;
using Estat.Testing;

namespace Estat.Api.Tests.Snippet;

public sealed class SnippetTests
{
    private const int LargestCompressed = 1536;
    private static readonly Uri Path = new("/estat.js", UriKind.Relative);

    [Fact]
    public void It_was_made_of_the_source_beside_it()
    {
        string folder = System.IO.Path.Combine(Repository.Root, "src", "Estat.Collect", "Http", "Snippet");
        foreach (string line in File.ReadLines(System.IO.Path.Combine(folder, "estat.sha256")))
        {
            string[] parts = line.Split("  ");
            Assert.True(
                parts[0] == Convert.ToHexStringLower(SHA256.HashData(File.ReadAllBytes(System.IO.Path.Combine(folder, parts[1])))),
                $"{parts[1]} has changed since estat.min.js was made: run scripts/minify-snippet.sh");
        }
    }

    [Fact]
    public async Task It_travels_in_1536_bytes()
    {
        await using RunningServer server = await RunningServer.StartAsync();
        using var asked = new HttpRequestMessage(HttpMethod.Get, Path) { Headers = { { "Accept-Encoding", "gzip, deflate, br, zstd" } } };
        using HttpResponseMessage answer = await server.Client.SendAsync(asked);
        Assert.Equal("gzip", Assert.Single(answer.Content.Headers.ContentEncoding));
        byte[] compressed = await answer.Content.ReadAsByteArrayAsync();
        Assert.InRange(compressed.Length, 1, LargestCompressed);

        using var plain = new GZipStream(new MemoryStream(compressed), CompressionMode.Decompress);
        using var text = new StreamReader(plain, Encoding.UTF8);
        Assert.Equal(await text.ReadToEndAsync(), await server.Client.GetStringAsync(Path));
    }

    [Fact]
    public async Task Any_page_can_load_it_and_keep_it()
    {
        await using RunningServer server = await RunningServer.StartAsync(options => options with
        {
            Http = options.Http with { CorsOrigins = ["https://shop.example"] },
        });
        using HttpResponseMessage answer = await server.Client.GetAsync(Path);
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        Assert.Equal("text/javascript; charset=utf-8", answer.Content.Headers.ContentType!.ToString());
        Assert.Equal("*", answer.Headers.GetValues("Access-Control-Allow-Origin").Single());
        Assert.Equal("public, max-age=3600", answer.Headers.CacheControl!.ToString());
        Assert.Empty(answer.Content.Headers.ContentEncoding);

        foreach (string tag in new[] { answer.Headers.ETag!.ToString(), "\"other\", " + answer.Headers.ETag.ToString()[2..], "*" })
        {
            using var again = new HttpRequestMessage(HttpMethod.Get, Path);
            again.Headers.TryAddWithoutValidation("If-None-Match", tag);
            using HttpResponseMessage unchanged = await server.Client.SendAsync(again);
            Assert.Equal(HttpStatusCode.NotModified, unchanged.StatusCode);
            Assert.Empty(await unchanged.Content.ReadAsByteArrayAsync());
        }

        using var head = new HttpRequestMessage(HttpMethod.Head, Path);
        using HttpResponseMessage without = await server.Client.SendAsync(head);
        Assert.Equal(HttpStatusCode.OK, without.StatusCode);
        using var content = new StringContent("x");
        using HttpResponseMessage refused = await server.Client.PostAsync(Path, content);
        Assert.Equal(HttpStatusCode.MethodNotAllowed, refused.StatusCode);
    }
}
