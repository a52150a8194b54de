// SIGTERM ends `estat run` and every verb that takes long within SHUTDOWN_TIMEOUT, whatever hangs under it.
using Estat.Cli.Tests.Support;
using Estat.Testing;

namespace Estat.Cli.Tests;

/// <summary>
/// Each row is a process that is really stuck in something. The server's other rows are in Estat.Api.Tests, the cluster's in Estat.Cluster.Tests.
/// </summary>
public sealed class StoppingTests
{
    private const int Interrupted = 130;
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);

    [Theory]
    [InlineData("disk", 1)]
    [InlineData("store", 0)]
    public async Task SIGTERM_ends_estat_run_within_SHUTDOWN_TIMEOUT_whatever_hangs(string what, int exitCode)
    {
        await using Hang hang = what == "disk" ? new DiskHang() : new StoreHang();
        Assert.SkipWhen(hang.Missing is not null, hang.Missing ?? "");
        using var folder = new TempFolder();
        (int code, string output) = await Stopping.RunAsync(
            hang, SendTests.LocalServer(folder), environment => ServerProcess.LaunchProject("Estat.Cli", "estat run", environment, "run"));
        Assert.True(exitCode == code, $"ended with {code}: {output}");
    }

    [Theory]
    [InlineData("send FILE --url NODE", Interrupted)]
    [InlineData("replay --from LAKE --to INGEST --checkpoint CHECKPOINT", Interrupted)]
    [InlineData("replay --to NODE --checkpoint CHECKPOINT", Interrupted)]
    [InlineData("verify --since 1h", Interrupted)]
    [InlineData("query --since 1h", Interrupted)]
    [InlineData("check", Interrupted)]
    [InlineData("tail --url NODE", 0)] // that is how a tail ends
    [InlineData("dlq list --url NODE", Interrupted)]
    [InlineData("dlq export EXPORT --all --url NODE", Interrupted)]
    [InlineData("dlq retry --all --url NODE", Interrupted)]
    [InlineData("dlq discard 1_a-1_1.jsonl.gz --yes --events 1 --url NODE", Interrupted)]
    [InlineData("bench --url NODE --seconds 3600", Interrupted)]
    public async Task SIGTERM_ends_a_verb_within_SHUTDOWN_TIMEOUT_while_its_node_or_store_hangs(string line, int exitCode)
    {
        using var folder = new TempFolder();
        await using var store = new StoreHang();
        var options = new Dictionary<string, string>();
        await store.PrepareAsync(options);
        bool isHeld = false;
        await using FakeNode ingest = await FakeNode.StartAsync(async context => // answers all but events
        {
            if (context.Request.Path.StartsWithSegments("/collect", StringComparison.Ordinal))
            {
                isHeld = true;
                await Task.Delay(Timeout.InfiniteTimeSpan, context.RequestAborted).ContinueWith(_ => { }, TaskScheduler.Default);
            }
            else
            {
                context.Response.StatusCode = 404;
            }
        });
        string file = SendTests.WriteEvents(folder, 1_000, isGzip: false);
        await LakeOf(folder["lake"]);
        var names = new Dictionary<string, string>
        {
            ["FILE"] = file, ["NODE"] = store.Endpoint, ["INGEST"] = ingest.Url, ["LAKE"] = folder["lake"], ["CHECKPOINT"] = folder["checkpoint"],
            ["EXPORT"] = folder["export"],
        };
        options["SHUTDOWN_TIMEOUT"] = Stopping.ShutdownTimeout;
        options["SPOOL_DIR"] = folder["spool"];
        options["DLQ_DIR"] = folder["dlq"];
        await using ChildProcess verb = EstatCommand.Start(options, [.. line.Split(' ').Select(word => names.GetValueOrDefault(word, word))]);
        await Wait.UntilAsync(() => store.Struck > 0 || Volatile.Read(ref isHeld) || verb.HasExited, Limit, "the verb to ask", () => verb.AllOutput);
        verb.ThrowIfEnded("it hung");

        int code = await Stopping.EndAsync(verb);

        Assert.True(exitCode == code, $"ended with {code}: {verb.AllOutput}");
    }

    [Fact]
    public async Task What_send_had_in_flight_when_its_time_was_over_is_noted_as_unknown_and_goes_on()
    {
        using var folder = new TempFolder();
        await using var node = new StoreHang();
        await node.PrepareAsync(new Dictionary<string, string>());
        string file = SendTests.WriteEvents(folder, 1_000, isGzip: false);
        await using (ChildProcess sending = EstatCommand.Start(
            new Dictionary<string, string> { ["SHUTDOWN_TIMEOUT"] = "2s" }, "send", file, "--url", node.Endpoint))
        {
            await Wait.UntilAsync(() => node.Struck > 0, Limit, "the request");
            Assert.Equal(Interrupted, await Stopping.EndAsync(sending));
            Assert.Contains("to continue at line 1", sending.AllOutput, StringComparison.Ordinal);
        }

        await using ServerProcess server = await ServerProcess.StartAsync(SendTests.LocalServer(folder));
        (int code, string output) = await EstatCommand.RunAsync("send", file, "--url", server.BaseAddress.ToString());
        Assert.True(code == 0, output);
        server.Terminate();
        Assert.Equal(0, await server.WaitForExitAsync(Limit));
        Assert.Equal(1_000, StoredEvents.FromFolder(folder["data"]).Count);
    }

    // One object of a server that ran.
    private static async Task LakeOf(string folder)
    {
        Directory.CreateDirectory(Path.Combine(folder, "raw"));
        await using FileStream file = File.Create(Path.Combine(folder, "raw", "1_a-1_1.jsonl.gz"));
        await using var gzip = new System.IO.Compression.GZipStream(file, System.IO.Compression.CompressionLevel.Fastest);
        gzip.Write("""{"ts":1,"ip":"","user_agent":"","body":"event"}"""u8);
        gzip.Write("\n"u8);
    }
}
