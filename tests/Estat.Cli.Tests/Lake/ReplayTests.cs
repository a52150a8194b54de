// `estat replay`: whatever ends it, what it was to bring is there once when it has run to its end.
using System.Text;
using Amazon.S3.Model;
using Estat.Core.Replaying;
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
        await using (ChildProcess first = LakeBucket.Start(lake.Environment(lake.Name, proxy.Endpoint), args))
        {
            await Wait.UntilAsync(async () => (await lake.ObjectsAsync(target)).Count >= 5, LakeBucket.Limit, "five objects in the target");
            first.Kill();
            Assert.Equal(137, await first.WaitForExitAsync(LakeBucket.Limit));
        }

        Assert.InRange((await lake.ObjectsAsync(target)).Count, 5, source.Count - 1);
        (int code, string output) = await LakeBucket.RunAsync(lake.Environment(lake.Name), args);
        Assert.True(code == 0, output);
        Assert.Equal(source, await lake.ObjectsAsync(target));
        GetObjectMetadataResponse head = await lake.Rgw.Client.GetObjectMetadataAsync(target, source.Keys.First());
        GetObjectMetadataResponse original = await lake.Rgw.Client.GetObjectMetadataAsync(lake.Name, source.Keys.First());
        Assert.NotNull(original.Metadata["estat-sha256"]);
        Assert.Equal(original.Metadata.Keys.Select(name => original.Metadata[name]), original.Metadata.Keys.Select(name => head.Metadata[name]));
        Assert.Equal((original.Headers.ContentType, original.Headers.ContentEncoding), (head.Headers.ContentType, head.Headers.ContentEncoding));
        Assert.False(File.Exists(folder["checkpoint"]), "a checkpoint stayed");

        await lake.Rgw.Client.PutObjectAsync(new PutObjectRequest { BucketName = target, Key = source.Keys.Last(), ContentBody = "another" });
        (code, output) = await LakeBucket.RunAsync(lake.Environment(lake.Name), [.. args, "--json", "--quiet"]);
        Assert.Equal(1, code);
        Assert.Contains($"{{\"failed\":\"{source.Keys.Last()}\",\"reason\":\"another object lies under", output, StringComparison.Ordinal);
        Assert.Contains($"\"already_there\":{source.Count - 1},\"failed\":1", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_replay_through_ingest_that_is_interrupted_and_goes_on_loses_and_doubles_nothing()
    {
        using var folder = new TempFolder();
        string target = await lake.Rgw.CreateBucketAsync();
        await using ServerProcess server = await lake.StartServerAsync(target, folder);
        string[] args = ["replay", "--to", server.BaseAddress.ToString(), "--checkpoint", folder["checkpoint"], "--rate", "40000"];
        await using (ChildProcess first = LakeBucket.Start(lake.Environment(lake.Name), args))
        {
            await Wait.UntilAsync(
                () => ReplayState.Read(folder["checkpoint"])?.Events > 10_000, LakeBucket.Limit, "10,000 acknowledged events", () => first.AllOutput);
            first.Interrupt();
            Assert.Equal(130, await first.WaitForExitAsync(LakeBucket.Limit));
            Assert.Contains("the same command goes on from there", first.AllOutput, StringComparison.Ordinal);
        }

        Assert.InRange(ReplayState.Read(folder["checkpoint"])!.Events, 10_000, LakeBucket.Events - 1);
        (int code, string output) = await LakeBucket.RunAsync(lake.Environment(lake.Name), [.. args[..^2]]);
        Assert.True(code == 0, output);
        Assert.Contains($"{LakeBucket.Events:N0} events", output, StringComparison.Ordinal);
        Assert.Equal(0, await LakeBucket.StopAsync(server));
        Assert.Equal(Enumerable.Range(0, LakeBucket.Events), await lake.NumbersAsync(target));
    }

    [Fact]
    public async Task A_server_that_writes_to_where_the_objects_come_from_is_refused()
    {
        using var folder = new TempFolder();
        string bucket = await lake.Rgw.CreateBucketAsync();
        await using ServerProcess server = await lake.StartServerAsync(bucket, folder);
        (int code, string output) = await LakeBucket.RunAsync(lake.Environment(bucket), "replay", "--to", server.BaseAddress.ToString(), "--checkpoint", folder["checkpoint"]);
        Assert.Equal(1, code);
        Assert.Contains("--into-same", output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("body")]
    [InlineData("line")]
    public async Task What_a_body_holds_comes_back_whatever_it_is_and_so_does_its_id(string form)
    {
        string[] bodies = ["plain", "[1,2]", "two\nlines", "cr at the end\r", "  ", "\uFEFFmark", "한국어 \U0001F600", new string('x', 10_000), "{\"page\":\"/a\"}"];
        using var folder = new TempFolder();
        await SendAsync(folder["first"], async client =>
        {
            foreach (string body in bodies)
            {
                using var request = new HttpRequestMessage(HttpMethod.Post, "/collect") { Content = new ByteArrayContent(Encoding.UTF8.GetBytes(body)) };
                request.Headers.Add("Idempotency-Key", $"id-{body.Length}");
                Assert.True((await client.SendAsync(request)).IsSuccessStatusCode);
            }
        });
        IReadOnlyList<StoredEvent> sent = StoredEvents.FromFolder(folder["first/data"]);
        await SendAsync(folder["second"], async client =>
        {
            (int code, string output) = await LakeBucket.RunAsync(
                new Dictionary<string, string>(), "replay", "--from", folder["first/data"], "--to", client.BaseAddress!.ToString(), "--as", form, "--checkpoint", folder["checkpoint"]);
            Assert.True(code == 0, output);
        });
        IReadOnlyList<StoredEvent> came = StoredEvents.FromFolder(folder["second/data"]);
        Assert.Equal(
            (form == "body" ? sent.Select(stored => (stored.Body, stored.Id)) : sent.Select(stored => (stored.RawLine, (string?)null))).Order(),
            came.Select(stored => (stored.Body, form == "body" ? stored.Id : null)).Order());
        Assert.All(came, stored => Assert.Equal("estat-replay/0.1.0", stored.UserAgent));
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
