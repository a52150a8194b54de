// Objects: what lies there, and that nothing else can be read by way of a key.
using System.Net;
using System.Text.Json;
using Estat.Api.Tests.Access;
using Estat.Testing;

namespace Estat.Api.Tests.Administration;

public sealed class ObjectPagesTests
{
    [Fact]
    public async Task The_last_objects_are_listed_newest_first_previewed_and_downloaded()
    {
        await using AdministeredServer server = await AdministeredServer.StartAsync();
        await server.SendAsync(Enumerable.Range(0, 30).Select(number => $"event {number} <script>alert(1)</script>"));
        await UntilListedAsync(server, 30);
        JsonElement list = await server.GetAsync("/admin/objects?limit=2");
        JsonElement[] objects = [.. list.GetProperty("objects").EnumerateArray()];
        Assert.Equal(2, objects.Length);
        Assert.True(objects[0].GetProperty("stored").GetDateTime() >= objects[1].GetProperty("stored").GetDateTime(), list.ToString());
        Assert.True(objects[0].GetProperty("bytes").GetInt64() > objects[0].GetProperty("content_bytes").GetInt64());
        string key = objects[0].GetProperty("key").GetString()!;
        JsonElement preview = await server.GetAsync($"/admin/objects/preview?key={key}&lines=4");
        Assert.Equal(4, preview.GetProperty("lines").GetArrayLength());
        Assert.True(preview.GetProperty("truncated").GetBoolean());
        Assert.EndsWith("<script>alert(1)</script>\"}", preview.GetProperty("lines")[0].GetString(), StringComparison.Ordinal);
        byte[] content = await server.Http.GetByteArrayAsync(new Uri($"/admin/objects/content?key={key}", UriKind.Relative));
        Assert.Equal(await File.ReadAllBytesAsync(Path.Combine(server.Server.StorageDir, key)), content);
        await server.AskAsync(HttpMethod.Get, $"/admin/objects/preview?key={key}x", HttpStatusCode.NotFound);
    }

    [Fact]
    public async Task What_a_write_key_s_prefix_holds_can_be_read_as_far_as_it_is_listed()
    {
        using var file = new KeyFile(new { name = "shop", sha256 = KeyFile.Hash("shop"), prefix = "lake/shop" });
        await using AdministeredServer server = await AdministeredServer.StartAsync(
            configure: options => options with
            {
                Keys = options.Keys with { File = file.Path },
                Collect = options.Collect with { FlushInterval = TimeSpan.FromMilliseconds(20) },
            });
        server.Http.DefaultRequestHeaders.Add("X-Api-Key", KeyFile.Key("shop"));
        await server.SendAsync("of the shop");
        await UntilListedAsync(server, 1);
        string key = (await server.GetAsync("/admin/objects")).GetProperty("objects")[0].GetProperty("key").GetString()!;
        Assert.StartsWith("lake/shop/", key, StringComparison.Ordinal);
        Assert.Equal(1, (await server.GetAsync($"/admin/objects/preview?key={key}")).GetProperty("lines").GetArrayLength());
        await server.AskAsync(HttpMethod.Get, $"/admin/objects/preview?key={key}x", HttpStatusCode.Forbidden);
    }

    [Theory]
    [InlineData("../secret")]
    [InlineData("raw/../../secret")]
    [InlineData("raw/../other/secret")]
    [InlineData("/etc/passwd")]
    [InlineData("raw")]
    [InlineData("raw/")]
    [InlineData("rawer/secret")]
    [InlineData("other/secret")]
    [InlineData("raw//secret")]
    [InlineData("raw/./secret")]
    [InlineData("raw/..\\..\\secret")]
    [InlineData("raw/a\nb")]
    [InlineData(".incomplete/secret")]
    public async Task Keys_beside_the_prefixes_are_refused(string key)
    {
        await using AdministeredServer server = await AdministeredServer.StartAsync();
        Directory.CreateDirectory(Path.Combine(server.Server.StorageDir, "other"));
        await File.WriteAllTextAsync(Path.Combine(server.Server.StorageDir, "other", "secret"), "secret");
        string query = $"key={Uri.EscapeDataString(key)}";
        foreach ((HttpMethod method, string path) in new[]
                 {
                     (HttpMethod.Get, "/admin/objects/preview"), (HttpMethod.Get, "/admin/objects/content"),
                         (HttpMethod.Get, "/admin/quarantine/preview"),
                     (HttpMethod.Post, "/admin/quarantine/retry"), (HttpMethod.Delete, "/admin/quarantine"),
                 })
        {
            await server.AskAsync(method, $"{path}?{query}&events=0", HttpStatusCode.Forbidden);
        }

        Assert.True(File.Exists(Path.Combine(server.Server.StorageDir, "other", "secret")));
    }

    [Fact]
    public async Task A_few_bytes_that_unpack_to_much_cost_a_preview_no_more_than_others()
    {
        await using AdministeredServer server = await AdministeredServer.StartAsync();
        string path = Path.Combine(server.Server.StorageDir, "raw", "bomb.jsonl.gz");
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        await using (var gzip = new System.IO.Compression.GZipStream(File.Create(path), System.IO.Compression.CompressionLevel.Fastest))
        {
            byte[] zeros = new byte[1 << 20];
            for (int i = 0; i < 64; i++)
            {
                await gzip.WriteAsync(zeros);
            }
        }

        JsonElement preview = await server.GetAsync("/admin/objects/preview?key=raw/bomb.jsonl.gz");
        Assert.Equal(64 * 1024, preview.GetProperty("lines")[0].GetString()!.Length);
        Assert.True(preview.GetProperty("truncated").GetBoolean());
    }

    // What is stored is counted first, then listed.
    private static Task UntilListedAsync(AdministeredServer server, long events) => Wait.UntilAsync(
        async () => (await server.GetAsync("/admin/objects")).GetProperty("objects").EnumerateArray()
            .Sum(one => one.GetProperty("events").GetInt64()) == events,
        AdministeredServer.Patience, $"the objects of {events} events to be listed");
}
