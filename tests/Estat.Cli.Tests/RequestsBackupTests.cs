// `estat requests backup` and `restore` as an operator runs them: beside a server, and on folders that are not what they should be.
using System.Net;
using System.Text.Json;
using Estat.Cli.Tests.Support;
using Estat.Testing;

namespace Estat.Cli.Tests;

public sealed class RequestsBackupTests
{
    private const int Failed = 1;
    private const int Usage = 2;
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);
    private static readonly string Opens = CampaignNode.FromNow(TimeSpan.FromMinutes(-1));

    [Fact]
    public async Task A_backup_is_taken_while_the_server_runs_and_what_is_restored_accepts_nothing_before_it_is_resumed()
    {
        await using CampaignNode node = await CampaignNode.StartAsync();
        string backup = node.Folder["backup.db"];
        string restored = node.Folder["restored"];
        await node.DoAsync("campaigns", "put", "sale", "--policy", "first-come", "--opens-at", Opens, "--capacity", "9");
        await node.TakePartAsync("sale", "ann", "bob");

        Assert.Contains($"{backup} holds the requests as of now (", await DoAsync("backup", backup, "--dir", node.Dir), StringComparison.Ordinal);
        await FailAsync($"{backup} is there already. Name another file: a backup never replaces one", "backup", backup, "--dir", node.Dir);
        await FailAsync($"REQUESTS_DIR={node.Dir}: another process owns this folder", "restore", backup, "--dir", node.Dir);
        await FailAsync($"REQUESTS_DIR={node.Dir}: another process owns this folder", "restore", "--resume", "--dir", node.Dir);
        await FailAsync(node.Folder["no-folder"], "backup", node.Folder["no-folder/backup.db"], "--dir", node.Dir);
        await node.TakePartAsync("sale", "cid"); // the server has not noticed

        string said = await DoAsync("restore", backup, "--dir", restored);
        Assert.Contains(
            "Start the node and look: it decides, and accepts nothing. What came after the backup is lost.", said, StringComparison.Ordinal);
        Assert.Contains($"run `estat requests restore --resume --dir {restored}`", said, StringComparison.Ordinal);
        await FailAsync(
            $"{Path.Combine(restored, "requests.db")} is there already. Move all requests.db* away first", "restore", backup, "--dir", restored);

        await using (ServerProcess held = await StartAsync(node, restored))
        {
            Assert.Equal(HttpStatusCode.ServiceUnavailable, (await TakePartAsync(held, "cid")).Status); // lost with the old database
            Assert.Contains("\"sequence\":2,", (await TakePartAsync(held, "bob")).Body, StringComparison.Ordinal);
            await FailAsync($"REQUESTS_DIR={restored}: another process owns this folder", "restore", "--resume", "--dir", restored);
            held.Terminate();
            Assert.Equal(0, await held.WaitForExitAsync(Limit));
        }

        Assert.Contains($"{restored} accepts requests again once the node is started.", await DoAsync("restore", "--resume", "--dir", restored),
            StringComparison.Ordinal);
        await using ServerProcess resumed = await StartAsync(node, restored);
        (HttpStatusCode status, string body) = await TakePartAsync(resumed, "cid");
        Assert.Equal(HttpStatusCode.Accepted, status);
        using JsonDocument request = JsonDocument.Parse(body);
        Assert.True(request.RootElement.GetProperty("sequence").GetInt64() > 1_000_000_000, body);
    }

    [Fact]
    public async Task What_is_not_there_or_no_backup_is_told_and_nothing_is_made()
    {
        using var folder = new TempFolder();
        string nothing = folder["nothing"];
        await FailAsync($"There is no requests.db in {nothing}. Name the node's REQUESTS_DIR", "backup", folder["backup.db"], "--dir", nothing);
        await FailAsync($"There is no requests.db in {nothing}. Name the node's REQUESTS_DIR", "restore", "--resume", "--dir", nothing);
        Assert.False(Directory.Exists(nothing));
        Assert.False(File.Exists(folder["backup.db"]));

        (int code, string output) = await RunAsync("restore", "--dir", nothing);
        Assert.Equal(Usage, code);
        Assert.Contains("Name the backup: estat requests restore FILE --dir REQUESTS_DIR", output, StringComparison.Ordinal);
        Assert.Equal(Usage, (await RunAsync("backup")).Code);

        await FailAsync(folder["missing.db"], "restore", folder["missing.db"], "--dir", nothing);
        await File.WriteAllTextAsync(folder["text"], "no database", TestContext.Current.CancellationToken);
        await FailAsync($"{folder["text"]} is no backup of requests", "restore", folder["text"], "--dir", nothing);
        Assert.Empty(Directory.GetFiles(nothing, "requests.db*"));
    }

    private static Task<(int Code, string Output)> RunAsync(params string[] args) => EstatCommand.RunAsync(["requests", .. args]);

    private static async Task<string> DoAsync(params string[] args)
    {
        (int code, string output) = await RunAsync(args);
        Assert.True(code == 0, $"{string.Join(' ', args)} ended with {code}: {output}");
        return output;
    }

    private static async Task FailAsync(string why, params string[] args)
    {
        (int code, string output) = await RunAsync(args);
        Assert.Contains(why, output, StringComparison.Ordinal);
        Assert.Equal(Failed, code);
        Assert.DoesNotContain("   at ", output, StringComparison.Ordinal); // a sentence, not a stack
    }

    private static Task<ServerProcess> StartAsync(CampaignNode node, string dir) => ServerProcess.StartAsync(
        new Dictionary<string, string>(SendTests.LocalServer(node.Folder)) { ["SERVE"] = "requests", ["REQUESTS_DIR"] = dir });

    private static async Task<(HttpStatusCode Status, string Body)> TakePartAsync(ServerProcess server, string user)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, new Uri("campaigns/sale/requests", UriKind.Relative));
        request.Headers.Add("X-User-Id", user);
        using HttpResponseMessage answer = await server.Client.SendAsync(request);
        return (answer.StatusCode, await answer.Content.ReadAsStringAsync());
    }
}
