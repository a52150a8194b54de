// The clients under examples/, against a real server.
using System.Text.Json;
using Estat.Testing;

namespace Estat.Api.Tests.Examples;

public sealed class ExampleTests(ExampleRuns runs) : IClassFixture<ExampleRuns>
{
    [Theory]
    [InlineData("curl")]
    [InlineData("node")]
    [InlineData("python")]
    [InlineData("java")]
    [InlineData("go")]
    [InlineData("csharp")]
    public void It_comes_through_a_portal_and_a_restart_with_each_event_stored_once_and_says_what_was_acknowledged(string language)
    {
        ExampleRun run = runs.Of(language);
        Assert.True(run.ExitCode == 0, $"it ended with {run.ExitCode}:\n{run.Output}");
        Assert.Matches(@"no X-Estat-Ack, again in[\s\S]*503.*, again in", run.Output);

        StoredEvent[] stored = [.. runs.Stored.Where(one => JsonDocument.Parse(one.Body).RootElement.GetProperty("from").GetString() == language)];
        Assert.Equal(["/a", "/b", "/c", "/home"], stored.Select(one => JsonDocument.Parse(one.Body).RootElement.GetProperty("page").GetString()!)
            .Order(StringComparer.Ordinal));
        Assert.All(stored, one => Assert.NotNull(one.Id));
        // One for the event, one for each half of the batch, which was too large as a whole.
        Assert.Equal(3, stored.Select(one => one.Id).Distinct().Count());
        Assert.All(stored, one => Assert.Contains(one.Key, run.Output, StringComparison.Ordinal));
        Assert.Matches(@"one event: disk, in raw/[\s\S]*batch: disk, in raw/", run.Output);
    }

    [Fact]
    public async Task Without_a_server_they_give_up_and_say_so()
    {
        // One is enough: the others' loops are the same, and giving up takes its time.
        Assert.SkipUnless(Command.Exists("python3"), "python3 is not on this machine");
        string code = $"import sys; sys.argv=['send']; sys.path.insert(0, "
            + $"{JsonSerializer.Serialize(Path.Combine(Repository.Root, "examples", "python"))}); import send; send.time.sleep = lambda pause: None; "
            + "\ntry: send.main()\nexcept OSError as error: sys.exit(f'not taken: {error}')";
        await using ChildProcess process = ChildProcess.Launch(
            "the example in python", ["python3", "-B", "-c", code], new Dictionary<string,
            string> { ["ESTAT_URL"] = $"http://127.0.0.1:{FreePort.Next()}" });
        Assert.Equal(1, await process.WaitForExitAsync(TimeSpan.FromSeconds(60)));
        Assert.Contains("given up after 8 attempts", process.AllOutput, StringComparison.Ordinal);
    }
}
