// `estat flush` and `estat retry`: to one node, and to all of a cluster.
using Estat.Cli.Tests.Support;
using Estat.Testing;
using Microsoft.AspNetCore.Http;

namespace Estat.Cli.Tests;

public sealed class UploadOrderTests
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);

    // A gateway, two silos, and one that is away.
    private const string Nodes = """
        {"nodes":[{"node":{"name":"gateway"},"storage":null},{"node":{"name":"silo-1"},"storage":{"failing":false}},
        {"node":{"name":"silo-2"},"storage":{"failing":true}},{"node":{"name":"silo-3"},"error":"it did not answer within 900 ms"}]}
        """;

    [Fact]
    public async Task Flush_has_a_server_store_what_it_holds()
    {
        using var folder = new TempFolder();
        Dictionary<string, string> options = SendTests.LocalServer(folder);
        options["FLUSH_INTERVAL"] = "1h";
        await using ServerProcess server = await ServerProcess.StartAsync(options);
        using var body = new StringContent("hello");
        (await server.Client.PostAsync(new Uri("/collect", UriKind.Relative), body, TestContext.Current.CancellationToken)).EnsureSuccessStatusCode();
        string url = server.BaseAddress.ToString();
        (int code, string output) = await EstatCommand.RunAsync("flush", "--url", url);
        Assert.True(code == 0, output);
        Assert.EndsWith(": 1 batch with 1 event flushed, to be uploaded now", output.TrimEnd(), StringComparison.Ordinal);
        await Wait.UntilAsync(() => StoredEvents.FromFolder(folder["data"]).Count == 1, Limit, "the event to be stored");
        Assert.EndsWith(": no open batch", (await EstatCommand.RunAsync("flush", "--url", url)).Output.TrimEnd(), StringComparison.Ordinal);
        Assert.EndsWith(": nothing waits", (await EstatCommand.RunAsync("retry", "--url", url)).Output.TrimEnd(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Every_node_that_keeps_events_gets_the_order_and_one_that_fails_keeps_no_other_from_it()
    {
        await using FakeNode node = await FakeNode.StartAsync(context => context.Response.WriteAsync(
            context.Request.Method == "GET" ? Nodes
            : context.Request.Query["node"] == "silo-1" ? """{"outcome":"due","segments":3,"files":1,"detail":null}"""
            : """{"outcome":"failed","segments":0,"files":0,"detail":"s3://events: 503"}"""));
        (int code, string output) = await EstatCommand.RunAsync("retry", "--url", node.Url);
        Assert.Equal(1, code);
        Assert.Equal(
            [
                "estat: silo-2: storage does not answer, so nothing was made due: s3://events: 503",
                "estat: silo-3: it did not answer within 900 ms",
                "silo-1: 3 batches of the spool and 1 file of the DLQ are due now",
            ],
            output.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries).Order(StringComparer.Ordinal));

        (code, output) = await EstatCommand.RunAsync("retry", "--url", node.Url, "--node", "silo-1", "--json");
        Assert.Equal(0, code);
        Assert.Equal("""{"node":"silo-1","outcome":"due","segments":3,"files":1}""", output.Trim());
    }

    [Fact]
    public async Task A_node_that_does_not_answer_is_told_of()
    {
        (int code, string output) = await EstatCommand.RunAsync("flush", "--node", "silo-1", "--url", $"http://127.0.0.1:{FreePort.Next()}");
        Assert.Equal(1, code);
        Assert.StartsWith("estat: silo-1: ", output, StringComparison.Ordinal);
        Assert.Contains("does not answer", output, StringComparison.Ordinal);
    }
}
