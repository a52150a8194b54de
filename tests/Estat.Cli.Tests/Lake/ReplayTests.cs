// `estat replay`: whatever ends it, what it was to bring is there once when it has run to its end.
using System.Text;
using Amazon.S3.Model;
using Estat.Base.Files;
using Estat.Cli.Tests.Support;
using Estat.Lake.Replaying;
using Estat.Testing;

namespace Estat.Cli.Tests.Lake;

[Collection(LakeTests.Name)]
public sealed class ReplayTests(LakeBucket lake)
{
    [Fact]
    public async Task A_copy_killed_in_the_middle_is_the_same_bucket_after_it_went_on()
    {
        using var folder = new TempFolder();
        using FaultProxy proxy = FaultProxy.Start(lake.Rgw.Port);
        proxy.Fault = Fault.Slow(100_000);
        string target = await lake.Rgw.CreateBucketAsync();
        SortedDictionary<string, string> source = await lake.ObjectsAsync(lake.Name);
        string[] args = ["replay", "--to", $"s3://{target}", "--checkpoint", folder["checkpoint"]];
        await using (ChildProcess first = EstatCommand.Start(lake.Environment(lake.Name, proxy.Endpoint), args))
        {
            await Wait.UntilAsync(async () => (await lake.ObjectsAsync(target)).Count >= 5, LakeBucket.Limit, "five objects in the target");
            first.Kill();
            Assert.Equal(137, await first.WaitForExitAsync(LakeBucket.Limit));
        }

        Assert.InRange((await lake.ObjectsAsync(target)).Count, 5, source.Count - 1);
        (int code, string output) = await EstatCommand.RunAsync(lake.Environment(lake.Name), args);
        Assert.True(code == 0, output);
        Assert.Equal(source, await lake.ObjectsAsync(target));
        GetObjectMetadataResponse head = await lake.Rgw.Client.GetObjectMetadataAsync(target, source.Keys.First());
        GetObjectMetadataResponse original = await lake.Rgw.Client.GetObjectMetadataAsync(lake.Name, source.Keys.First());
        Assert.NotNull(original.Metadata["estat-sha256"]);
        Assert.Equal(original.Metadata.Keys.Select(name => original.Metadata[name]), original.Metadata.Keys.Select(name => head.Metadata[name]));
        Assert.Equal((original.Headers.ContentType, original.Headers.ContentEncoding), (head.Headers.ContentType, head.Headers.ContentEncoding));
        Assert.False(File.Exists(folder["checkpoint"]), "a checkpoint stayed");

        await lake.Rgw.Client.PutObjectAsync(new PutObjectRequest { BucketName = target, Key = source.Keys.Last(), ContentBody = "another" });
        (code, output) = await EstatCommand.RunAsync(lake.Environment(lake.Name), [.. args, "--json", "--quiet"]);
        Assert.Equal(1, code);
        Assert.Contains($"{{\"failed\":\"{source.Keys.Last()}\",\"reason\":\"another object has the key", output, StringComparison.Ordinal);
        Assert.Contains($"\"already_there\":{source.Count - 1},\"failed\":1", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_replay_through_ingest_that_is_interrupted_and_goes_on_loses_and_doubles_nothing()
    {
        using var folder = new TempFolder();
        string target = await lake.Rgw.CreateBucketAsync();
        await using ServerProcess server = await lake.StartServerAsync(target, folder);
        string[] args = ["replay", "--to", server.BaseAddress.ToString(), "--checkpoint", folder["checkpoint"], "--rate", "40000"];
        await using (ChildProcess first = EstatCommand.Start(lake.Environment(lake.Name), args))
        {
            await Wait.UntilAsync(
                () => ReplayState.Read(folder["checkpoint"])?.Events > 10_000, LakeBucket.Limit, "10,000 acknowledged events", () => first.AllOutput);
            (int refused, string why) = await EstatCommand.RunAsync(lake.Environment(lake.Name), args);
            Assert.Equal(1, refused);
            Assert.Contains("another estat replay uses it", why, StringComparison.Ordinal);
            first.Interrupt();
            Assert.Equal(130, await first.WaitForExitAsync(LakeBucket.Limit));
            Assert.Contains("the same command continues from there", first.AllOutput, StringComparison.Ordinal);
        }

        Assert.InRange(ReplayState.Read(folder["checkpoint"])!.Events, 10_000, LakeBucket.Events - 1);
        (int code, string output) = await EstatCommand.RunAsync(lake.Environment(lake.Name), [.. args[..^2]]);
        Assert.True(code == 0, output);
        Assert.Contains($"{LakeBucket.Events:N0} events", output, StringComparison.Ordinal);
        Assert.Equal(0, await LakeBucket.StopAsync(server));
        Assert.Equal(Enumerable.Range(0, LakeBucket.Events), await lake.NumbersAsync(target));
    }

    [Fact]
    public async Task Only_what_was_chosen_is_sent_and_a_dry_run_sends_nothing()
    {
        using var folder = new TempFolder();
        await WriteAsync(folder["lake/raw/a.jsonl.gz"], "/a", "/b", "/a");
        await WriteAsync(folder["lake/dlq/b.jsonl.gz"], "/quarantined");
        await WriteAsync(folder["broken/c.jsonl.gz"], "/dlq");
        var environment = new Dictionary<string, string> { ["RAW_PREFIX"] = "raw", ["DLQ_PREFIX"] = "dlq" };
        await SendAsync(folder["server"], async client =>
        {
            string[] to = ["--to", client.BaseAddress!.ToString(), "--checkpoint", folder["checkpoint"]];
            string[] chosen = ["replay", "--from", folder["lake"], "--where", "$.page=/a", .. to];
            await RunAsync("would replay 1 object, 2 events, 1 events left out", [.. chosen, "--dry-run"]);
            await RunAsync("replayed 1 object, 2 events, 1 events left out", chosen);
            await RunAsync("replayed 1 object, 1 event", ["replay", "--from", folder["lake"], "--quarantine", .. to]);
            using (DirectoryLock.Take(folder["broken"], "DLQ_DIR"))
            {
                (int refused, string why) = await EstatCommand.RunAsync(environment, ["replay", "--dlq", folder["broken"], .. to]);
                Assert.Equal(1, refused);
                Assert.Contains("estat dlq retry", why, StringComparison.Ordinal);
            }

            await RunAsync("replayed 1 object, 1 event", ["replay", "--dlq", folder["broken"], .. to]);
        });
        Assert.Equal(
            ["/a", "/a", "/dlq", "/quarantined"],
            StoredEvents.FromFolder(folder["server/data"]).Select(stored =>
                System.Text.Json.JsonDocument.Parse(stored.Body).RootElement.GetProperty("page").GetString()!).Order(StringComparer.Ordinal));

        async Task RunAsync(string said, string[] args)
        {
            (int code, string output) = await EstatCommand.RunAsync(environment, args);
            Assert.True(code == 0, output);
            Assert.Contains(said, output, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task A_copy_that_waits_for_its_rate_hears_Ctrl_C()
    {
        using var folder = new TempFolder();
        Directory.CreateDirectory(folder["from/raw"]);
        foreach (string name in new[] { "a", "b", "c" })
        {
            await File.WriteAllBytesAsync(folder[$"from/raw/{name}.jsonl.gz"], new byte[1000], TestContext.Current.CancellationToken);
        }

        string[] args = ["replay", "--from", folder["from"], "--to", folder["to"], "--rate", "1B", "--checkpoint", folder["checkpoint"],
            "--parallel", "1"];
        await using ChildProcess copying = EstatCommand.Start(new Dictionary<string, string>(), args);
        await Wait.UntilAsync(() => File.Exists(folder["to/raw/a.jsonl.gz"]), LakeBucket.Limit, "the first object", () => copying.AllOutput);
        copying.Interrupt();
        Assert.Equal(130, await copying.WaitForExitAsync(TimeSpan.FromSeconds(20)));
        Assert.Contains("the same command continues from there", copying.AllOutput, StringComparison.Ordinal);
        (int code, string output) = await EstatCommand.RunAsync([.. args[..5], .. args[7..]]);
        Assert.True(code == 0, output);
        Assert.True(File.Exists(folder["to/raw/c.jsonl.gz"]));
    }

    [Fact]
    public async Task A_server_that_writes_to_where_the_objects_come_from_is_refused()
    {
        using var folder = new TempFolder();
        string bucket = await lake.Rgw.CreateBucketAsync();
        await using ServerProcess server = await lake.StartServerAsync(bucket, folder);
        (int code, string output) = await EstatCommand.RunAsync(
            lake.Environment(bucket), "replay", "--to", server.BaseAddress.ToString(), "--checkpoint", folder["checkpoint"]);
        Assert.Equal(1, code);
        Assert.Contains("--into-same", output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("body")]
    [InlineData("line")]
    public async Task What_a_body_holds_comes_back_whatever_it_is_and_so_does_its_id(string form)
    {
        string[] bodies = ["plain", "[1,2]", "two\nlines", "cr at the end\r", "  ", "\uFEFFmark", "한국어 \U0001F600", new string('x', 10_000),
            "{\"page\":\"/a\"}"];
        using var folder = new TempFolder();
        await SendAsync(folder["first"], async client =>
        {
            foreach (string body in bodies)
            {
                using var request = new HttpRequestMessage(
                    HttpMethod.Post, "/collect") { Content = new ByteArrayContent(Encoding.UTF8.GetBytes(body)) };
                request.Headers.Add("Idempotency-Key", $"id-{body.Length}");
                Assert.True((await client.SendAsync(request)).IsSuccessStatusCode);
            }
        });
        IReadOnlyList<StoredEvent> sent = StoredEvents.FromFolder(folder["first/data"]);
        await SendAsync(folder["second"], async client =>
        {
            (int code, string output) = await EstatCommand.RunAsync(
                new Dictionary<string, string>(), "replay", "--from", folder["first/data"], "--to", client.BaseAddress!.ToString(), "--as", form,
                "--checkpoint", folder["checkpoint"]);
            Assert.True(code == 0, output);
        });
        IReadOnlyList<StoredEvent> came = StoredEvents.FromFolder(folder["second/data"]);
        Assert.Equal(
            (form == "body" ? sent.Select(stored => (stored.Body, stored.Id)) : sent.Select(stored => (stored.RawLine, (string?)null))).Order(),
            came.Select(stored => (stored.Body, form == "body" ? stored.Id : null)).Order());
        Assert.All(came, stored => Assert.Equal("estat-replay/0.1.0", stored.UserAgent));
    }

    private static async Task WriteAsync(string path, params string[] pages)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        await using FileStream file = File.Create(path);
        await using var gzip = new System.IO.Compression.GZipStream(file, System.IO.Compression.CompressionLevel.Fastest);
        foreach (string page in pages)
        {
            await gzip.WriteAsync(Encoding.UTF8.GetBytes($$$"""{"ts":1,"ip":"203.0.113.9","user_agent":"","body":"{\"page\":\"{{{page}}}\"}"}""" + "\n"));
        }
    }

    private static async Task SendAsync(string folder, Func<HttpClient, Task> send)
    {
        await using ServerProcess server = await ServerProcess.StartAsync(new Dictionary<string, string>
        {
            ["STORAGE_DIR"] = Path.Combine(folder, "data"),
            ["SPOOL_DIR"] = Path.Combine(folder, "spool"),
            ["SPOOL_VOLATILE"] = "true",
            ["DLQ_DIR"] = Path.Combine(folder, "dlq"),
            ["MAX_BODY_SIZE"] = "65536",
        });
        await send(server.Client);
        Assert.Equal(0, await LakeBucket.StopAsync(server));
    }
}
