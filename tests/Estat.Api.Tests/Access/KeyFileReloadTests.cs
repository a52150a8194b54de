// A file of keys that changes under a running server, or that is wrong from the beginning; keys through kill -9.
using System.Text.Json;
using Estat.Testing;

namespace Estat.Api.Tests.Access;

public sealed class KeyFileReloadTests : IDisposable
{
    private const int Hangup = 1;
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);
    private readonly TempFolder _folder = new();
    private readonly KeyFile _file = new(new { name = "shop", sha256 = KeyFile.Hash("shop"), prefix = "lake/shop", daily_quota = 5 },
        new { name = "other", sha256 = KeyFile.Hash("other") });

    // The signals that this process ignores, and its children with it: a bit for each, SIGHUP's is the lowest.
    private static bool HangupIsIgnored =>
        (Convert.ToInt64(File.ReadLines("/proc/self/status")
            .Single(line => line.StartsWith("SigIgn:", StringComparison.Ordinal))[7..].Trim(), 16) & 1) != 0;

    public void Dispose()
    {
        _file.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public async Task A_changed_file_holds_at_once_and_a_broken_or_missing_one_changes_nothing_but_the_log()
    {
        await using ServerProcess server = await ServerProcess.StartAsync(Environment);
        Assert.Equal((200, 401), (await PostAsync(server, "shop"), await PostAsync(server, "new")));

        _file.Write(new { name = "new", sha256 = KeyFile.Hash("new") });
        await Wait.UntilAsync(async () => await PostAsync(server, "new") == 200, Limit, "the new key to hold");
        Assert.Equal(401, await PostAsync(server, "shop"));

        _file.WriteText("""{"keys":[{"name":"new","orgins":["https://shop.example"]}]}""");
        await Wait.UntilAsync(() => Logged(server, "unknown field orgins").Any(), Limit, "the error in the log");
        Assert.Equal((200, 401), (await PostAsync(server, "new"), await PostAsync(server, "shop")));
        Assert.Contains("stay valid", Assert.Single(Logged(server, "unknown field orgins")), StringComparison.Ordinal);

        if (!HangupIsIgnored) // as whatever nohup starts ignores it, and what that starts
        {
            server.Signal(Hangup); // asks, and hears again
            await Wait.UntilAsync(() => Logged(server, "unknown field orgins").Count() == 2, Limit, "the answer to SIGHUP");
        }

        File.Delete(_file.Path);
        await Wait.UntilAsync(() => Logged(server, "there is no such file").Any(), Limit, "the missing file in the log");
        Assert.Equal(200, await PostAsync(server, "new"));

        _file.Write(new { name = "new", sha256 = KeyFile.Hash("newer") });
        await Wait.UntilAsync(async () => await PostAsync(server, "newer") == 200, Limit, "the mended file to hold");
        Assert.Equal(401, await PostAsync(server, "new"));
        Assert.DoesNotContain(server.Output, line => line.Contains(KeyFile.Key("new"), StringComparison.Ordinal));
    }

    [Fact]
    public async Task What_was_acknowledged_below_a_prefix_is_there_once_after_kill_9_and_so_is_what_was_used_of_the_quota()
    {
        string[] sent = [.. Enumerable.Range(0, 3).Select(n => $"event {n}")];
        await using (ServerProcess killed = await ServerProcess.StartAsync(Environment))
        {
            foreach (string body in sent)
            {
                Assert.Equal(200, await PostAsync(killed, "shop", body));
            }

            Assert.Equal(200, await PostAsync(killed, "other", "elsewhere"));
            await Wait.UntilAsync(() => Used("shop") == 3, Limit, "the used quota on the disk");
            killed.Kill();
            await killed.WaitForExitAsync(Limit);
        }

        await using ServerProcess server = await ServerProcess.StartAsync(Environment);
        Assert.Equal(200, await PostAsync(server, "shop", "event 3"));
        Assert.Equal(200, await PostAsync(server, "shop", "event 4"));
        Assert.Equal(429, await PostAsync(server, "shop", "one too many"));
        server.Terminate();
        await Oracle.EndsWellAsync(server, Limit);

        IReadOnlyList<StoredEvent> stored = StoredEvents.FromFolder(_folder["data"]);
        Assert.Equal(
            ["event 0", "event 1", "event 2", "event 3", "event 4"],
            stored.Where(each => each.Key.StartsWith("lake/shop/dt=", StringComparison.Ordinal)).Select(each => each.Body)
                .Order(StringComparer.Ordinal));
        Assert.Equal("elsewhere", Assert.Single(stored, each => each.Key.StartsWith("raw/dt=", StringComparison.Ordinal)).Body);
        Assert.Equal(6, stored.Count);
    }

    [Fact]
    public async Task A_body_that_comes_in_pieces_goes_below_the_prefix_of_its_key()
    {
        await using RunningServer server = await RunningServer.StartAsync(options => options with
        {
            Keys = options.Keys with { File = _file.Path },
        });
        using RawHttp connection = await server.ConnectAsync();
        await connection.SendAsync(RawHttp.Post($"X-Api-Key: {KeyFile.Key("shop")}\r\nContent-Length: 6\r\n") + "pie");
        Assert.Equal(System.Net.HttpStatusCode.Unauthorized, await server.PostAsync("meanwhile")); // the first piece is being handled by then
        await connection.SendAsync("ces");
        Assert.Equal(200, (await connection.ReadAnswerAsync()).Status);
        StoredEvent stored = Assert.Single(await server.DrainAsync());
        Assert.Equal("pieces", stored.Body);
        Assert.StartsWith("lake/shop/dt=", stored.Key, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_file_that_cannot_be_used_ends_the_start_with_one_line_that_says_what_to_do()
    {
        (int code, string output) = await ServerProcess.RunToEndAsync(
            new Dictionary<string, string>(Environment) { ["WRITE_KEYS_FILE"] = _folder["none.json"] }, [], Limit);
        Assert.Equal(2, code);
        Assert.Equal(
            $"estat: WRITE_KEYS_FILE={_folder["none.json"]}: there is no such file. `estat keys new --name NAME --file FILE` makes a file and a key; "
                + $"docs/keys.md describes it.", output.Trim());
    }

    private Dictionary<string, string> Environment => new()
    {
        ["WRITE_KEYS_FILE"] = _file.Path,
        ["SPOOL_DIR"] = _folder["spool"],
        ["DLQ_DIR"] = _folder["dlq"],
        ["STORAGE_DIR"] = _folder["data"],
    };

    private long Used(string name)
    {
        string path = Path.Combine(_folder["spool"], "write-key-quotas.json");
        if (!File.Exists(path))
        {
            return 0;
        }

        using var document = JsonDocument.Parse(File.ReadAllBytes(path));
        return document.RootElement.GetProperty("used").TryGetProperty(name, out JsonElement used) ? used.GetInt64() : 0;
    }

    private static IEnumerable<string> Logged(ServerProcess server, string text) =>
        server.Output.Where(line => line.Contains(text, StringComparison.Ordinal));

    private static async Task<int> PostAsync(ServerProcess server, string key, string body = "event")
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, "/collect") { Content = new StringContent(body) };
        request.Headers.Add("X-Api-Key", KeyFile.Key(key));
        using HttpResponseMessage answer = await server.Client.SendAsync(request);
        return (int)answer.StatusCode;
    }
}
