// Objects and the quarantine: what lies there, and that nothing else can be read by way of a key.
using System.Net;
using System.Text.Json;
using Estat.Api.Tests.Access;
using Estat.Testing;

namespace Estat.Api.Tests.Administration;

public sealed class ObjectPagesTests(RealS3 s3)
{
    [Fact]
    public async Task The_last_objects_are_listed_newest_first_previewed_and_downloaded()
    {
        await using AdministeredServer server = await AdministeredServer.StartAsync();
        await server.SendAsync(Enumerable.Range(0, 30).Select(number => $"event {number} <script>alert(1)</script>"));
        await server.UntilAsync("stored", 30);
        JsonElement list = await server.GetAsync("/admin/objects?limit=2");
        JsonElement[] objects = [.. list.GetProperty("objects").EnumerateArray()];
        Assert.Equal(2, objects.Length);
        Assert.True(string.CompareOrdinal(objects[0].GetProperty("stored").GetString(), objects[1].GetProperty("stored").GetString()) >= 0);
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
            configure: options => options with { WriteKeysFile = file.Path, FlushInterval = TimeSpan.FromMilliseconds(20) });
        server.Http.DefaultRequestHeaders.Add("X-Api-Key", KeyFile.Key("shop"));
        await server.SendAsync("of the shop");
        await server.UntilAsync("stored", 1);
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
                     (HttpMethod.Get, "/admin/objects/preview"), (HttpMethod.Get, "/admin/objects/content"), (HttpMethod.Get, "/admin/quarantine/preview"),
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

    [Fact]
    public async Task The_quarantine_of_a_bucket_is_listed_tried_again_and_discarded()
    {
        using var folder = new TempFolder();
        string bucket = await s3.Rgw.CreateBucketAsync();
        await using ServerProcess server = await ServerProcess.StartAsync(s3.Options(bucket, folder));
        server.Client.DefaultRequestHeaders.Add("X-Estat-Admin", "1");
        // As a node lays there what gzip had failed, and what nobody can read.
        const string Line = "{\"ts\":1,\"ip\":\"\",\"user_agent\":\"\",\"body\":\"late\"}\n";
        string mended = $"raw_dlq/1700000000_{new string('a', 32)}-1_1.jsonl";
        string broken = $"raw_dlq/1700000000_{new string('a', 32)}-1_2.jsonl.gz";
        await PutAsync(bucket, mended, Line, events: 1);
        await PutAsync(bucket, broken, "no gzip \u0001", events: 7);

        JsonElement list = await GetAsync(server, "/admin/quarantine?limit=1");
        Assert.Equal(mended, list.GetProperty("next").GetString());
        list = await GetAsync(server, $"/admin/quarantine?after={mended}");
        JsonElement listed = Assert.Single(list.GetProperty("objects").EnumerateArray());
        Assert.Equal((broken, 7, "a test's wish"), (listed.GetProperty("key").GetString(), listed.GetProperty("events").GetInt64(), listed.GetProperty("reason").GetString()));
        Assert.Equal("no gzip \u0001", (await GetAsync(server, $"/admin/quarantine/preview?key={broken}")).GetProperty("lines")[0].GetString());

        Assert.Equal("failed", (await SendAsync(server, HttpMethod.Post, $"/admin/quarantine/retry?key={broken}")).GetProperty("outcome").GetString());
        Assert.Equal("stored", (await SendAsync(server, HttpMethod.Post, $"/admin/quarantine/retry?key={mended}")).GetProperty("outcome").GetString());
        Assert.Equal(7, (await SendAsync(server, HttpMethod.Delete, $"/admin/quarantine?key={broken}&events=7")).GetProperty("discarded").GetInt64());
        Assert.Empty((await GetAsync(server, "/admin/quarantine")).GetProperty("objects").EnumerateArray());

        Assert.Equal([$"raw/dt=2023-11-14/hr=22/1700000000_{new string('a', 32)}-1_1.jsonl.gz"], (await s3.Rgw.Client.ListObjectsV2Async(new Amazon.S3.Model.ListObjectsV2Request { BucketName = bucket })).S3Objects.Select(found => found.Key));
        Dictionary<string, long> at = AdministeredServer.Conserved(await GetAsync(server, "/admin/state"));
        Assert.Equal((8, 1, 7, 0), (at["found"], at["stored"], at["dropped"], at["quarantined"]));
        server.Terminate();
        await server.WaitForExitAsync(AdministeredServer.Patience);
    }

    private async Task PutAsync(string bucket, string key, string text, int events)
    {
        var request = new Amazon.S3.Model.PutObjectRequest { BucketName = bucket, Key = key, ContentBody = text };
        request.Metadata.Add("estat-events", events.ToString(System.Globalization.CultureInfo.InvariantCulture));
        request.Metadata.Add("estat-bytes", "1");
        request.Metadata.Add("estat-sha256", new string('0', 64));
        request.Metadata.Add("estat-last-sequence", "1");
        request.Metadata.Add("estat-reason", "a test's wish");
        await s3.Rgw.Client.PutObjectAsync(request);
    }

    private static Task<JsonElement> GetAsync(ServerProcess server, string path) => SendAsync(server, HttpMethod.Get, path);

    private static async Task<JsonElement> SendAsync(ServerProcess server, HttpMethod method, string path)
    {
        using var request = new HttpRequestMessage(method, path);
        using HttpResponseMessage answer = await server.Client.SendAsync(request);
        string text = await answer.Content.ReadAsStringAsync();
        Assert.True(answer.IsSuccessStatusCode, text);
        using var document = JsonDocument.Parse(text);
        return document.RootElement.Clone();
    }
}
