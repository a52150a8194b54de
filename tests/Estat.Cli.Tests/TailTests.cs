// `estat tail` over a real server: what it accepts passes by, filtered, and Ctrl-C ends it.
using Estat.Cli.Tests.Support;
using Estat.Testing;

namespace Estat.Cli.Tests;

public sealed class TailTests
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);

    [Fact]
    public async Task Events_that_fit_the_filter_pass_by_and_Ctrl_C_ends_it()
    {
        using var folder = new TempFolder();
        await using ServerProcess server = await ServerProcess.StartAsync(new Dictionary<string, string>
        {
            ["STORAGE_DIR"] = folder["data"], ["SPOOL_DIR"] = folder["spool"], ["DLQ_DIR"] = folder["dlq"], ["SPOOL_VOLATILE"] = "true",
        });
        var url = new Dictionary<string, string> { ["ESTAT_URL"] = server.BaseAddress.ToString() };
        await using ChildProcess all = EstatCommand.Start(url, "tail", "--rate", "100");
        await using ChildProcess carts = EstatCommand.Start(url, "tail", "--json", "--where", "$.page=/cart", "--count", "1");
        using var client = new HttpClient { BaseAddress = server.BaseAddress };

        // Nobody says when a watcher has arrived: events are sent until both have seen theirs.
        await Wait.UntilAsync(
            async () =>
            {
                await SendAsync(client, """{"page":"/home","title":"안녕"}""");
                await SendAsync(client, """{"page":"/cart"}""");
                return carts.HasExited && all.AllOutput.Contains("안녕", StringComparison.Ordinal)
                    && all.AllOutput.Contains("/cart", StringComparison.Ordinal);
            },
            Limit, "both tails to show their events");
        Assert.Equal(0, await carts.WaitForExitAsync(Limit));
        Assert.Contains("\"body\":\"{\\\"page\\\":\\\"/cart\\\"}\"", carts.AllOutput, StringComparison.Ordinal);
        Assert.DoesNotContain("/home", carts.AllOutput, StringComparison.Ordinal);
        all.Interrupt();
        Assert.Equal(0, await all.WaitForExitAsync(Limit));
    }

    [Fact]
    public async Task A_connection_that_breaks_is_made_again()
    {
        using var folder = new TempFolder();
        await using ServerProcess server = await ServerProcess.StartAsync(SendTests.LocalServer(folder));
        using FaultProxy proxy = FaultProxy.Start(server.BaseAddress.Port);
        await using ChildProcess tail = EstatCommand.Start(new Dictionary<string, string>(), "tail", "--rate", "100", "--url", proxy.Endpoint);
        using var client = new HttpClient { BaseAddress = server.BaseAddress };
        await UntilShownAsync("before");
        proxy.Fault = Fault.None; // closes what is open
        await UntilShownAsync("after");
        await Wait.UntilAsync( // they come by another stream than events
            () => tail.AllOutput.Contains("connecting again", StringComparison.Ordinal)
                && tail.AllOutput.Contains("connected again", StringComparison.Ordinal),
            Limit, "the notes about the connection", () => tail.AllOutput);
        tail.Interrupt();
        Assert.Equal(0, await tail.WaitForExitAsync(Limit));

        Task UntilShownAsync(string word) => Wait.UntilAsync(
            async () =>
            {
                await SendAsync(client, $$"""{"word":"{{word}}"}""");
                return tail.AllOutput.Contains($"\"{word}\"", StringComparison.Ordinal);
            },
            Limit, $"the tail to show {word}", () => tail.AllOutput);
    }

    private static async Task SendAsync(HttpClient client, string body)
    {
        using var content = new StringContent(body);
        using HttpResponseMessage answer = await client.PostAsync(
            new Uri("/collect", UriKind.Relative), content, TestContext.Current.CancellationToken);
        Assert.True(answer.IsSuccessStatusCode);
    }
}
