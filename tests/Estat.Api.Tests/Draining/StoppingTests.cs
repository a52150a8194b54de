// SIGTERM ends the standalone server within SHUTDOWN_TIMEOUT, whatever hangs under it. The cluster's programs have the same table.
using Estat.Testing;

namespace Estat.Api.Tests.Draining;

/// <summary>Each row is a process that is really stuck in something.</summary>
public sealed class StoppingTests
{
    [Theory]
    [InlineData("disk", 1)] // the last flush came to nothing, and nobody was told that it had
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
