// SIGTERM ends the standalone server within SHUTDOWN_TIMEOUT, whatever hangs under it. The cluster's programs have the same table.
using System.Net;
using System.Net.Sockets;
using System.Text.RegularExpressions;
using Estat.Testing;

namespace Estat.Api.Tests.Draining;

/// <summary>Each row is a process that is really stuck in something.</summary>
public sealed class StoppingTests
{
    [Theory]
    [InlineData("disk", 1)] // the last sync came to nothing, and nobody was told that it had
    [InlineData("store", 0)]
    [InlineData("key file: a pipe", 0)]
    [InlineData("key file: calls that do not come back", 0)]
    [InlineData("client: a body without end", 0)]
    [InlineData("client: answers that nobody reads", 0)]
    [InlineData("client: a tail", 0)]
    public async Task SIGTERM_ends_the_server_within_SHUTDOWN_TIMEOUT_whatever_hangs(string what, int exitCode)
    {
        await using Hang hang = what switch
        {
            "disk" => new DiskHang(),
            "store" => new StoreHang(),
            "key file: a pipe" => new KeyFileHang(isPipe: true),
            "key file: calls that do not come back" => new KeyFileHang(isPipe: false),
            "client: a body without end" => new ClientHang(HangingClient.Body),
            "client: answers that nobody reads" => new ClientHang(HangingClient.Answer),
            _ => new ClientHang(HangingClient.Tail),
        };
        Assert.SkipWhen(hang.Missing is not null, hang.Missing ?? "");
        using var folder = new TempFolder();
        var options = new Dictionary<string, string>
        {
            ["SPOOL_DIR"] = folder["spool"], ["DLQ_DIR"] = folder["dlq"], ["STORAGE_DIR"] = folder["data"], ["SPOOL_VOLATILE"] = "true",
        };

        (int code, string output) = await Stopping.RunAsync(hang, options, environment => ServerProcess.Launch(environment));

        Assert.True(exitCode == code, $"ended with {code}: {output}");
    }

    [Fact]
    public async Task A_start_that_fails_is_told_and_ends_within_SHUTDOWN_TIMEOUT_though_its_disk_hangs()
    {
        Assert.SkipWhen(HangingCalls.Missing is not null, HangingCalls.Missing ?? "");
        using var folder = new TempFolder();
        using var taken = new TcpListener(IPAddress.Loopback, 0);
        taken.Start();
        var options = new Dictionary<string, string>
        {
            ["SPOOL_DIR"] = folder["spool"], ["DLQ_DIR"] = folder["dlq"], ["STORAGE_DIR"] = folder["data"], ["SPOOL_VOLATILE"] = "true",
            ["HTTP_ADDR"] = taken.LocalEndpoint.ToString()!, ["SHUTDOWN_TIMEOUT"] = Stopping.ShutdownTimeout,
        };
        Assert.Equal(1, (await ServerProcess.RunToEndAsync(options, [], TimeSpan.FromSeconds(60))).ExitCode);
        string id = Regex.Match(await File.ReadAllTextAsync(folder["spool/identity"]), "[0-9a-f]{32}").Value;

        // The second start waits until the disk hangs for the first segment that it makes in advance.
        await using ChildProcess server = ChildProcess.Launch(
            "the server",
            ["bash", "-c", $"until [ -e {folder["go"]} ]; do sleep 0.05; done; exec \"$0\" \"$@\"", .. ChildProcess.DotnetCommand("Estat.Api", [])],
            options);
        await using HangingCalls calls = await HangingCalls.BeginAsync(
            server.Id, "rename,renameat,renameat2,fdatasync", folder[$"spool/.tmp-{id[..8]}-000002-a000000001"]);
        await File.WriteAllTextAsync(folder["go"], "");

        await Wait.UntilAsync(() => server.HasExited, TimeSpan.FromSeconds(60), "the server to end", () => server.AllOutput);

        Assert.Equal(1, await server.WaitForExitAsync(TimeSpan.FromSeconds(60)));
        Assert.Contains("cannot listen there", server.AllOutput, StringComparison.Ordinal);
        Assert.Contains("did not end within SHUTDOWN_TIMEOUT", server.AllOutput, StringComparison.Ordinal); // it did hang
    }

    [Theory]
    [InlineData(1)] // SIGHUP
    [InlineData(10)] // SIGUSR1
    [InlineData(12)] // SIGUSR2
    public async Task A_signal_that_asks_for_no_end_ends_nothing(int signal)
    {
        using var folder = new TempFolder();
        var options = new Dictionary<string, string> { ["SPOOL_DIR"] = folder["spool"], ["DLQ_DIR"] = folder["dlq"],
            ["STORAGE_DIR"] = folder["data"] };
        await using ServerProcess server = await ServerProcess.StartAsync(options);
        server.Signal(signal);
        using var body = new StringContent("event");
        using HttpResponseMessage answer = await server.Client.PostAsync(new Uri("/collect", UriKind.Relative), body);
        Assert.Equal(200, (int)answer.StatusCode);
        server.Terminate();
        Assert.Equal(0, await server.WaitForExitAsync(TimeSpan.FromSeconds(60)));
        Assert.Single(StoredEvents.FromFolder(folder["data"]));
    }
}
