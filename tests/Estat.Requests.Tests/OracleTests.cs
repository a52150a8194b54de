// A short run of the oracle on every `make test`, and the same over readings that were tampered with, to see it fail.
namespace Estat.Requests.Tests;

public sealed class OracleTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(6);

    [Fact]
    public async Task Every_promise_holds_while_the_server_is_killed()
    {
        CommandResult run = await RunAsync("--users", "500", "--every", "1s", "--senders", "16");

        TestContext.Current.TestOutputHelper?.WriteLine(run.Output);
        Assert.True(run.ExitCode == 0, run.Output);
        Assert.Contains("kill 1,", run.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Every_promise_holds_over_two_nodes_whatever_happens_to_them_and_to_DynamoDB()
    {
        Assert.SkipUnless(DynamoDbEmulator.Available(out string reason), reason);
        CommandResult run = await RunAsync("--users", "100", "--every", "1s", "--senders", "8", "--store", "dynamodb");

        TestContext.Current.TestOutputHelper?.WriteLine(run.Output);
        Assert.True(run.ExitCode == 0, run.Output);
        Assert.Contains("kill 1,", run.Output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("lose", "is lost")]
    [InlineData("double", "has 2 requests")]
    [InlineData("swap", "was told sequence")]
    public async Task A_reading_that_was_tampered_with_fails_the_run(string sabotage, string complaint)
    {
        CommandResult run = await RunAsync("--users", "20", "--senders", "4", "--campaigns", "sale", "--sabotage", sabotage);

        Assert.True(run.ExitCode == 1, run.Output);
        Assert.Contains(complaint, run.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_backup_that_was_taken_while_requests_poured_in_is_restored_and_goes_on()
    {
        CommandResult run = await RunAsync("--backup", "5000", "--senders", "16");

        TestContext.Current.TestOutputHelper?.WriteLine(run.Output);
        Assert.True(run.ExitCode == 0, run.Output);
        Assert.Contains("of 2 lives", run.Output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("lose", "was accepted before the backup, and is not in it")]
    [InlineData("double", "has 2 requests")]
    [InlineData("outcome", "the lake has no outcome of")]
    public async Task A_backup_whose_readings_were_tampered_with_fails_the_run(string sabotage, string complaint)
    {
        CommandResult run = await RunAsync("--backup", "500", "--senders", "4", "--sabotage", sabotage);

        Assert.True(run.ExitCode == 1, run.Output);
        Assert.Contains(complaint, run.Output, StringComparison.Ordinal);
    }

    private static Task<CommandResult> RunAsync(params string[] args) =>
        Command.RunAsync(Patience, "dotnet", [Repository.Assembly("Estat.Requests.Chaos"), .. args, "--seed", "20261130"]);
}
