// The command line beside a server, with that server's environment: as `docker exec` starts it.
using System.Collections.Concurrent;
using Estat.Cli.Tests.Support;
using Estat.Testing;

namespace Estat.Cli.Tests;

public sealed class ContainerTests
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);

    [Fact]
    public async Task The_servers_own_token_file_opens_its_admin_pages()
    {
        using var folder = new TempFolder();
        await File.WriteAllTextAsync(folder["token"], "a-token-of-32-characters-0123456\n", TestContext.Current.CancellationToken);
        var options = new Dictionary<string, string>
        {
            ["STORAGE_DIR"] = folder["data"], ["SPOOL_DIR"] = folder["spool"], ["DLQ_DIR"] = folder["dlq"], ["SPOOL_VOLATILE"] = "true",
                ["ADMIN_TOKEN_FILE"] = folder["token"],
        };
        await using ServerProcess server = await ServerProcess.StartAsync(options);
        options["ESTAT_URL"] = server.BaseAddress.ToString();

        (int code, string output) = await EstatCommand.RunAsync(options, "dlq", "list");
        Assert.True(code == 0, output);
        (code, output) = await EstatCommand.RunAsync(new Dictionary<string, string> { ["ESTAT_URL"] = options["ESTAT_URL"] }, "dlq", "list");
        Assert.Equal(1, code);
        Assert.Contains("401", output, StringComparison.Ordinal);
        options["ADMIN_TOKEN_FILE"] = folder["none"];
        (code, output) = await EstatCommand.RunAsync(options, "dlq", "list");
        Assert.Equal(2, code);
        Assert.StartsWith("estat: ADMIN_TOKEN_FILE=", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_servers_own_token_is_shown_to_nobody_who_only_takes_events()
    {
        using var folder = new TempFolder();
        await File.WriteAllTextAsync(folder["events"], "one\ntwo\n", TestContext.Current.CancellationToken);
        var shown = new ConcurrentQueue<string>();
        await using FakeNode node = await FakeNode.StartAsync(context =>
        {
            shown.Enqueue($"{context.Request.Method} {context.Request.Headers.Authorization}");
            context.Response.StatusCode = 401;
            return Task.CompletedTask;
        });
        var options = new Dictionary<string, string> { ["ADMIN_TOKEN"] = "a-token-of-32-characters-0123456", ["ESTAT_URL"] = node.Url };
        (int code, string output) = await EstatCommand.RunAsync(options, "send", folder["events"]);
        Assert.True(code == 1, output);
        Assert.Equal("POST ", Assert.Single(shown.Distinct()));
        await EstatCommand.RunAsync(options, "dlq", "list");
        Assert.Contains("GET Bearer a-token-of-32-characters-0123456", shown);
    }

    [Fact]
    public async Task Beside_a_clusters_node_its_options_are_right()
    {
        using var folder = new TempFolder();
        var options = new Dictionary<string, string>
        {
            ["ACK"] = "replica", ["STORAGE_DIR"] = folder["data"], ["SPOOL_DIR"] = folder["spool"], ["DLQ_DIR"] = folder["dlq"],
                ["HTTP_ADDR"] = $"127.0.0.1:{FreePort.Next()}", ["SPOOL_VOLATILE"] = "true",
        };
        (int code, string output) = await EstatCommand.RunAsync(options, "check");
        Assert.Equal(2, code);
        Assert.Contains("replica needs a cluster", output, StringComparison.Ordinal);

        foreach (string file in Directory.EnumerateFiles(AppContext.BaseDirectory)
            .Where(file => Path.GetExtension(file) == ".dll" || Path.GetFileName(file).StartsWith("estat.", StringComparison.Ordinal)))
        {
            File.Copy(file, folder[Path.GetFileName(file)]);
        }

        await File.WriteAllBytesAsync(folder["Estat.Silo.dll"], [], TestContext.Current.CancellationToken);
        foreach (string verb in new[] { "check", "verify" })
        {
            await using ChildProcess process = ChildProcess.Launch("estat " + verb, ["dotnet", folder["estat.dll"], verb], options);
            Assert.True(await process.WaitForExitAsync(Limit) == 0, process.AllOutput);
        }

        await using ChildProcess wrong = ChildProcess.Launch(
            "estat check", ["dotnet", folder["estat.dll"], "check"], new Dictionary<string, string>(options) { ["ROLE"] = "queen" });
        Assert.Equal(2, await wrong.WaitForExitAsync(Limit));
        Assert.Contains("ROLE=queen", wrong.AllOutput, StringComparison.Ordinal);
    }
}
