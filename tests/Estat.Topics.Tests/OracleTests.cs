// A short run of the oracle on every `make test`, and the same over readings that were tampered with, to see it fail.
namespace Estat.Topics.Tests;

public sealed class OracleTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(10);

    [Fact]
    public async Task Every_promise_holds_while_the_server_and_PostgreSQL_are_killed()
    {
        CommandResult run = await RunAsync("--duration", "25s", "--every", "5s");

        Assert.True(run.ExitCode == 0, run.Output);
        Assert.Contains(": kill 1", run.Output, StringComparison.Ordinal);
        Assert.Contains("outage 1: PostgreSQL killed", run.Output, StringComparison.Ordinal);
        Assert.Contains("a server with another log refused", run.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_reading_that_was_tampered_with_fails_the_run()
    {
        CommandResult run = await RunAsync("--duration", "1s", "--every", "1h", "--sabotage", "lose,double,swap,bury");

        Assert.True(run.ExitCode == 1, run.Output);
        Assert.Contains("a message is lost", run.Output, StringComparison.Ordinal);
        Assert.Contains("a message is there twice", run.Output, StringComparison.Ordinal);
        Assert.Contains("the order of a key is broken", run.Output, StringComparison.Ordinal);
        Assert.Contains("a good message is a dead letter", run.Output, StringComparison.Ordinal);
    }

    private static async Task<CommandResult> RunAsync(params string[] args)
    {
        Assert.SkipUnless(PostgresServer.Available(out string reason), reason);
        CommandResult run = await Command.RunAsync(
            Patience, "dotnet", [Repository.Assembly("Estat.Topics.Chaos"), .. args, "--rate", "1000", "--seed", "20261201"]);
        TestContext.Current.TestOutputHelper?.WriteLine(run.Output);
        return run;
    }
}
