// The DLQ's pages: what is there, and that an order does what it says, once.
using System.IO.Compression;
using System.Net;
using System.Text.Json;

namespace Estat.Api.Tests.Administration;

public sealed class DlqPagesTests
{
    [Fact]
    public async Task Files_are_listed_by_name_page_by_page_with_what_their_metas_say()
    {
        await using AdministeredServer server = await AdministeredServer.StartAsync(storageIsAway: true);
        await FillAsync(server, files: 3);
        JsonElement all = await server.GetAsync("/admin/dlq");
        string[] names = Names(all);
        Assert.Equal(3, names.Length);
        Assert.Equal(names.Order(StringComparer.Ordinal), names);
        Assert.Equal((3, JsonValueKind.Null), (all.GetProperty("total").GetInt64(), all.GetProperty("next").ValueKind));
        JsonElement file = all.GetProperty("files")[0];
        Assert.Equal(10, file.GetProperty("events").GetInt64());
        Assert.StartsWith("raw/dt=", file.GetProperty("key").GetString(), StringComparison.Ordinal);
        Assert.Contains("STORAGE_DIR", file.GetProperty("reason").GetString(), StringComparison.Ordinal);
        Assert.Equal("gzip", file.GetProperty("form").GetString());
        Assert.False(file.GetProperty("expired").GetBoolean());
        Assert.True(file.GetProperty("bytes").GetInt64() > 0);

        JsonElement first = await server.GetAsync("/admin/dlq?limit=2");
        Assert.Equal(names[..2], Names(first));
        Assert.Equal(names[1], first.GetProperty("next").GetString());
        JsonElement second = await server.GetAsync($"/admin/dlq?limit=2&after={first.GetProperty("next").GetString()}");
        Assert.Equal(names[2..], Names(second));
        Assert.Equal(JsonValueKind.Null, second.GetProperty("next").ValueKind);
    }

    [Fact]
    public async Task A_file_is_inspected_and_downloaded()
    {
        await using AdministeredServer server = await AdministeredServer.StartAsync(storageIsAway: true);
        await FillAsync(server, files: 1);
        string name = Names(await server.GetAsync("/admin/dlq"))[0];
        JsonElement file = await server.GetAsync($"/admin/dlq/{name}?lines=3");
        Assert.Equal(3, file.GetProperty("lines").GetArrayLength());
        Assert.True(file.GetProperty("truncated").GetBoolean());
        Assert.Contains("event 1 of file 1", file.GetProperty("lines")[1].GetString(), StringComparison.Ordinal);

        using HttpResponseMessage download = await server.Http.GetAsync(new Uri($"/admin/dlq/{name}/content", UriKind.Relative));
        Assert.Equal("application/gzip", download.Content.Headers.ContentType!.MediaType);
        Assert.Equal($"{name}.jsonl.gz", download.Content.Headers.ContentDisposition!.FileName!.Trim('"'));
        using var gzip = new GZipStream(await download.Content.ReadAsStreamAsync(), CompressionMode.Decompress);
        using var reader = new StreamReader(gzip);
        Assert.Equal(10, (await reader.ReadToEndAsync()).Split('\n', StringSplitOptions.RemoveEmptyEntries).Length);
    }

    [Fact]
    public async Task A_retry_fails_with_the_reason_while_storage_is_away_and_stores_the_file_once_it_is_back()
    {
        await using AdministeredServer server = await AdministeredServer.StartAsync(storageIsAway: true);
        await FillAsync(server, files: 1);
        string name = Names(await server.GetAsync("/admin/dlq"))[0];
        JsonElement failed = (await server.AskAsync(HttpMethod.Post, $"/admin/dlq/{name}/retry", HttpStatusCode.OK))!.Value;
        Assert.Equal("failed", failed.GetProperty("outcome").GetString());
        Assert.Contains("STORAGE_DIR", failed.GetProperty("detail").GetString(), StringComparison.Ordinal);
        Assert.Equal(1, (await server.GetAsync($"/admin/dlq/{name}")).GetProperty("attempts").GetInt32());

        server.GiveStorageBack();
        JsonElement stored = (await server.AskAsync(HttpMethod.Post, $"/admin/dlq/{name}/retry", HttpStatusCode.OK))!.Value;
        Assert.Equal("stored", stored.GetProperty("outcome").GetString());
        await server.UntilAsync("stored", 10);
        await server.AskAsync(HttpMethod.Get, $"/admin/dlq/{name}", HttpStatusCode.NotFound);
        JsonElement last = Assert.Single((await server.GetAsync("/admin/objects")).GetProperty("objects").EnumerateArray());
        Assert.Equal(10, last.GetProperty("events").GetInt64());
    }

    [Fact]
    public async Task All_are_due_at_once_when_somebody_says_so()
    {
        await using AdministeredServer server = await AdministeredServer.StartAsync(
            storageIsAway: true, options => options with
            {
                Collect = options.Collect with { RecoveryInterval = TimeSpan.FromMilliseconds(10) },
            });
        await FillAsync(server, files: 3);
        // Each has failed a few times and is put off for longer and longer.
        server.GiveStorageBack();
        JsonElement all = (await server.AskAsync(HttpMethod.Post, "/admin/dlq/retry", HttpStatusCode.OK))!.Value;
        Assert.InRange(all.GetProperty("files").GetInt32(), 1, 3);
        await server.UntilAsync("stored", 30);
    }

    [Fact]
    public async Task A_file_is_given_up_only_by_whoever_knows_what_it_holds()
    {
        await using AdministeredServer server = await AdministeredServer.StartAsync(storageIsAway: true);
        await FillAsync(server, files: 2);
        string[] names = Names(await server.GetAsync("/admin/dlq"));
        await server.AskAsync(HttpMethod.Delete, $"/admin/dlq/{names[0]}", HttpStatusCode.BadRequest);
        await server.AskAsync(HttpMethod.Delete, $"/admin/dlq/{names[0]}?events=9", HttpStatusCode.Conflict);
        Assert.Equal(20, await server.EventsAsync("dlq"));
        JsonElement gone = (await server.AskAsync(HttpMethod.Delete, $"/admin/dlq/{names[0]}?events=10", HttpStatusCode.OK))!.Value;
        Assert.Equal(10, gone.GetProperty("discarded").GetInt64());
        await server.AskAsync(HttpMethod.Delete, $"/admin/dlq/{names[0]}?events=10", HttpStatusCode.NotFound);
        await server.UntilAsync("dropped", 10);
        Assert.Equal(10, await server.EventsAsync("dlq"));
        Assert.Equal([names[1]], Names(await server.GetAsync("/admin/dlq")));
    }

    [Theory]
    [InlineData("..%2F..%2Fsecret")]
    [InlineData("%2Fetc%2Fpasswd")]
    [InlineData("..")]
    [InlineData("..%5Csecret")]
    [InlineData(".lock")]
    [InlineData("secret%00")]
    [InlineData("%2e%2e%2fsecret")]
    public async Task A_name_that_leads_out_of_the_DLQ_is_no_name(string name)
    {
        await using AdministeredServer server = await AdministeredServer.StartAsync(storageIsAway: true);
        await server.SendAsync("a");
        string secret = Path.Combine(Path.GetDirectoryName(server.Server.StorageDir)!, "secret.jsonl.gz");
        await File.WriteAllTextAsync(secret, "secret");
        foreach ((string method, string path) in new[]
                 {
                     ("GET", $"/admin/dlq/{name}"), ("GET", $"/admin/dlq/{name}/content"), ("POST", $"/admin/dlq/{name}/retry"),
                     ("DELETE", $"/admin/dlq/{name}?events=0"),
                 })
        {
            using RawHttp raw = await server.Server.ConnectAsync();
            await raw.SendAsync($"{method} {path} HTTP/1.1\r\nHost: localhost\r\nX-Estat-Admin: 1\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
            RawAnswer answer = await raw.ReadAnswerAsync();
            // As a browser does, Kestrel takes dots out of a path: "/admin/dlq/.." is "/admin".
            Assert.True(answer.Status is >= 400 and < 500, $"{method} {path}: {answer.Status} {answer.Text}");
        }

        Assert.True(File.Exists(secret));
    }

    private static string[] Names(JsonElement list) =>
        [.. list.GetProperty("files").EnumerateArray().Select(file => file.GetProperty("name").GetString()!)];

    // Ten events fill a batch, which fails at once.
    private static async Task FillAsync(AdministeredServer server, int files)
    {
        for (int file = 1; file <= files; file++)
        {
            await server.SendAsync(Enumerable.Range(0, 10).Select(number => $"event {number} of file {file}"));
            await server.UntilAsync("dlq", file * 10);
        }
    }
}
