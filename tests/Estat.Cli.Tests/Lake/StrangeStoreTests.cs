// Stores whose ETags are no hashes, and what is no store at all.
using Estat.Cli.Tests.Support;
using Estat.Testing;

namespace Estat.Cli.Tests.Lake;

public sealed class StrangeStoreTests
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);

    [Fact]
    public async Task A_store_whose_ETags_are_anything_is_written_read_checked_and_copied_all_the_same()
    {
        using var folder = new TempFolder();
        using StoreStub store = StoreStub.Start();
        string?[] etags = ["\"0x8DBF00D\"", "\"d41d8cd98f00b204e9800998ecf8427e\"", null];
        int given = 0;
        store.ETag = _ => etags[Interlocked.Increment(ref given) % etags.Length];
        Dictionary<string, string> options = EnvironmentOf(store, folder);
        options["BATCH_SIZE"] = "1";
        await using (ServerProcess server = await ServerProcess.StartAsync(options))
        {
            for (int n = 0; n < 6; n++)
            {
                using HttpResponseMessage answer = await server.Client.PostAsync("/collect", new StringContent($"{{\"n\":{n}}}"));
                Assert.True(answer.IsSuccessStatusCode);
            }

            server.Terminate();
            Assert.Equal(0, await server.WaitForExitAsync(Limit));
        }

        Assert.Equal(6, store.Keys.Length);
        await SucceedsAsync("created, refused a second time, read, listed", "check");
        await SucceedsAsync("\"objects\":6,", "verify", "--json");
        await SucceedsAsync(",6", "query", "--by", "hour", "--csv");
        await SucceedsAsync("\"objects\":6,", "replay", "--to", folder["copy"], "--checkpoint", folder["checkpoint"], "--json");

        // A page in one object's place is not copied under its name.
        store.Instead = request =>
            request.HttpMethod == "GET" && Uri.UnescapeDataString(request.RawUrl!).Contains(store.Keys[0], StringComparison.Ordinal)
                ? new StubAnswer(200, "<html/>", "text/html") : null;
        (int code, string output) = await EstatCommand.RunAsync(
            options, "replay", "--to", folder["other"], "--checkpoint", folder["checkpoint"], "--json");
        Assert.True(code == 1 && output.Contains("GET gave 7 bytes", StringComparison.Ordinal), output);
        Assert.Equal(5, Directory.GetFiles(folder["other"], "*.gz", SearchOption.AllDirectories).Length);

        async Task SucceedsAsync(string expected, params string[] args)
        {
            (int ended, string said) = await EstatCommand.RunAsync(options, args);
            Assert.True(ended == 0, said);
            Assert.True(said.Contains(expected, StringComparison.Ordinal), said);
        }
    }

    [Fact]
    public async Task What_answers_every_question_with_a_page_is_no_empty_bucket()
    {
        using var folder = new TempFolder();
        using StoreStub portal = StoreStub.Start();
        portal.Instead = _ => new StubAnswer(200, "<html><body>Please sign in</body></html>", "text/html");
        await Task.WhenAll(FailsAsync("verify"), FailsAsync("query", "--by", "hour"),
            FailsAsync("replay", "--to", folder["copy"], "--checkpoint", folder["checkpoint"]), FailsAsync("check"));

        async Task FailsAsync(params string[] args)
        {
            (int code, string output) = await EstatCommand.RunAsync(EnvironmentOf(portal, folder), args);
            Assert.Equal(1, code);
            Assert.Contains("is not a list of objects (text/html)", output, StringComparison.Ordinal);
        }
    }

    private static Dictionary<string, string> EnvironmentOf(StoreStub store, TempFolder folder) => new()
    {
        ["RAW_BUCKET"] = "events",
        ["S3_ENDPOINT"] = store.Endpoint.ToString(),
        ["S3_TIMEOUT"] = "30s", // a busy machine is no failure of the store
        ["AWS_ACCESS_KEY_ID"] = "key",
        ["AWS_SECRET_ACCESS_KEY"] = "secret",
        ["SPOOL_DIR"] = folder["spool"],
        ["SPOOL_VOLATILE"] = "true",
        ["DLQ_DIR"] = folder["dlq"],
        ["DISK_MIN_FREE_BYTES"] = "1000000",
        ["HTTP_ADDR"] = $"127.0.0.1:{FreePort.Next()}",
    };
}
