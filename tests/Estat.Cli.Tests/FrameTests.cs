// What holds for every verb: usage, exit codes, completion, what a terminal is shown.
using Estat.Cli.Frame;
using Estat.Cli.Tests.Support;
using Estat.Testing;

namespace Estat.Cli.Tests;

public sealed class FrameTests
{
    [Theory]
    [InlineData("rnu")]
    [InlineData("send", "--no-such-option")]
    [InlineData("send", "/no/such/file")]
    [InlineData("send", "-", "--in-flight", "0")]
    [InlineData("dlq", "retry")]
    [InlineData("run", "--HTTP_ADDR=nowhere")]
    [InlineData("check", "--BATCH_SIZE=many")]
    [InlineData("tail", "--url", "ftp://example")]
    [InlineData("campaigns", "put", "sale")]
    [InlineData("campaigns", "put", "sale", "--policy", "lottery")]
    [InlineData("campaigns", "put", "sale", "--file", "sale.json", "--capacity", "3")]
    [InlineData("campaigns", "close", "sale")]
    [InlineData("requests", "redrive")]
    [InlineData("requests", "redrive", "8c5f0a4e-0000-8000-8000-000000000000", "--reason", "x")]
    [InlineData("requests", "erase", "somebody")]
    [InlineData("draw", "verify", "http://127.0.0.1:9/campaigns/prize", "--url", "http://127.0.0.1:9")]
    public async Task Wrong_usage_ends_with_2_and_a_line_that_says_why(params string[] args)
    {
        (int code, string output) = await EstatCommand.RunAsync(args);
        Assert.Equal(2, code);
        Assert.StartsWith("estat: ", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Run_is_the_server_and_drains_at_SIGTERM()
    {
        using var folder = new TempFolder();
        Dictionary<string, string> options = SendTests.LocalServer(folder);
        int port = FreePort.Next();
        await using ChildProcess server = EstatCommand.Start(options, "run", $"--HTTP_ADDR=127.0.0.1:{port}");
        using var client = new HttpClient { BaseAddress = new Uri($"http://127.0.0.1:{port}") };
        await Wait.UntilAsync(() => server.Output.Any(line => line.Contains("Listening on", StringComparison.Ordinal)), TimeSpan.FromSeconds(60),
            "it to listen", () => server.AllOutput);
        using var event1 = new StringContent("hello");
        Assert.True((await client.PostAsync(
            new Uri("/collect", UriKind.Relative), event1, TestContext.Current.CancellationToken)).IsSuccessStatusCode);
        server.Terminate();
        Assert.Equal(0, await server.WaitForExitAsync(TimeSpan.FromSeconds(60)));
        Assert.Single(StoredEvents.FromFolder(folder["data"]));
    }

    [Fact]
    public async Task Bash_completes_verbs_options_and_values()
    {
        using var folder = new TempFolder();
        await File.WriteAllTextAsync(
            folder["estat"], $"#!/bin/sh\nexec dotnet {Path.Combine(AppContext.BaseDirectory, "estat.dll")} \"$@\"\n",
            TestContext.Current.CancellationToken);
        await Command.SucceedAsync(TimeSpan.FromSeconds(30), "chmod", "+x", folder["estat"]);
        const string Complete =
            """
            export PATH="$1:$PATH"; source <(estat completion bash)
            ask() { COMP_LINE="$*"; COMP_POINT=${#COMP_LINE}; read -ra COMP_WORDS <<<"$COMP_LINE"; COMP_CWORD=$((${#COMP_WORDS[@]} - 1)); COMPREPLY=(); _estat; echo "${COMPREPLY[*]}" | tr '\n' ' '; echo; }
            ask estat se; ask estat dlq ex; ask estat send --rej; ask estat completion ba
            ask estat campaigns exp; ask estat draw verify --req
            """;
        string said = await Command.SucceedAsync(TimeSpan.FromSeconds(60), "bash", "-c", Complete, "bash", folder.Path);
        Assert.Equal(["send", "export", "--rejects", "bash", "export", "--request"], said.Split('\n', StringSplitOptions.TrimEntries));
    }

    [Theory]
    [InlineData("plain 한글 text", "plain 한글 text")]
    [InlineData("\e[2J\e]0;title\a", "\\u001b[2J\\u001b]0;title\\u0007")]
    [InlineData("a\u202eb\u009bc", "a\\u202eb\\u009bc")]
    public void What_came_from_outside_is_shown_to_a_terminal_and_never_obeyed(string text, string shown) =>
        Assert.Equal(shown, Shell.Printable(text));
}
