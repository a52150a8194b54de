// The console's files as HTTP gives them: no browser needed.
using System.IO.Compression;
using System.Net;
using System.Text.RegularExpressions;
using Estat.Testing;

namespace Estat.Console.Tests;

public sealed partial class FilesTests
{
    private static string Folder => Path.Combine(Repository.Root, "src", "Estat.Http", "Console");

    [Fact]
    public async Task A_file_is_sent_once_and_compressed_where_that_is_understood()
    {
        await using ConsoleServer server = await ConsoleServer.StartAsync();
        HttpClient client = server.Process.Client;
        using HttpResponseMessage plain = await client.GetAsync(new Uri("/console", UriKind.Relative), TestContext.Current.CancellationToken);
        string page = await plain.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
        Assert.Equal(await File.ReadAllTextAsync(Path.Combine(Folder, "index.html"), TestContext.Current.CancellationToken), page);
        Assert.Equal("no-cache", plain.Headers.CacheControl!.ToString());
        Assert.Contains("default-src 'none'", plain.Headers.GetValues("Content-Security-Policy").Single(), StringComparison.Ordinal);

        string tag = plain.Headers.ETag!.ToString();
        foreach (string known in new[] { tag, $"\"another\", {tag}", tag["W/".Length..], "*" })
        {
            using var again = new HttpRequestMessage(HttpMethod.Get, "/console") { Headers = { { "If-None-Match", known } } };
            using HttpResponseMessage unchanged = await client.SendAsync(again, TestContext.Current.CancellationToken);
            Assert.Equal((HttpStatusCode.NotModified, known), (unchanged.StatusCode, known));
            Assert.False(unchanged.Headers.Contains("Access-Control-Allow-Origin"));
            Assert.Equal("same-origin", unchanged.Headers.GetValues("Cross-Origin-Resource-Policy").Single());
        }

        using var compressed = new HttpRequestMessage(HttpMethod.Get, "/console/main.js");
        compressed.Headers.AcceptEncoding.ParseAdd("gzip, br");
        using HttpResponseMessage script = await client.SendAsync(compressed, TestContext.Current.CancellationToken);
        Assert.Equal("text/javascript", script.Content.Headers.ContentType!.MediaType);
        Assert.Contains("gzip", script.Content.Headers.ContentEncoding);
        using var text = new StreamReader(
            new GZipStream(await script.Content.ReadAsStreamAsync(TestContext.Current.CancellationToken), CompressionMode.Decompress));
        Assert.Equal(await File.ReadAllTextAsync(Path.Combine(Folder, "main.js"), TestContext.Current.CancellationToken),
            await text.ReadToEndAsync(TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task What_is_no_file_is_not_found_and_nothing_can_be_posted()
    {
        await using ConsoleServer server = await ConsoleServer.StartAsync();
        foreach (string path in new[] { "/console/nothing.js", "/console/vendor", "/console/..%2fProgram.cs", "/console/../admin" })
        {
            using HttpResponseMessage answer = await server.Process.Client.GetAsync(
                new Uri(path, UriKind.Relative), TestContext.Current.CancellationToken);
            Assert.Equal(HttpStatusCode.NotFound, answer.StatusCode);
        }

        using var post = new HttpRequestMessage(HttpMethod.Post, "/console") { Headers = { { "X-Estat-Admin", "1" } } };
        using HttpResponseMessage refused = await server.Process.Client.SendAsync(post, TestContext.Current.CancellationToken);
        Assert.Equal(HttpStatusCode.MethodNotAllowed, refused.StatusCode);
    }

    [Fact]
    public void No_file_names_another_host_or_makes_markup_of_strings()
    {
        foreach (string file in Directory.EnumerateFiles(Folder).Where(path => path.EndsWith(".js", StringComparison.Ordinal)
            || path.EndsWith(".html", StringComparison.Ordinal) || path.EndsWith(".css", StringComparison.Ordinal)))
        {
            string text = File.ReadAllText(file);
            Assert.DoesNotMatch(OtherHost(), text);
            Assert.DoesNotMatch(Markup(), text);
        }
    }

    [GeneratedRegex("(https?:)?//[a-z0-9-]+\\.[a-z]", RegexOptions.IgnoreCase)]
    private static partial Regex OtherHost();

    [GeneratedRegex("innerHTML|outerHTML|insertAdjacentHTML|document\\.write|eval\\(|new "
        + "Function|DOMParser|createContextualFragment|\\son[a-z]+=|style=\"")]
    private static partial Regex Markup();
}
