// A short run of the chaos program on every `make test`; and the same program over a bucket that was tampered with, to see it fail.
using Estat.Testing;

namespace Estat.Api.Tests.Chaos;

public sealed class ChaosTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(5);

    [Fact]
    public async Task Every_promise_holds_through_twenty_seconds_of_trouble()
    {
        CommandResult run = await RunAsync("--seed", "20261121", "--duration", "20s");

        TestContext.Current.TestOutputHelper?.WriteLine(run.Output);
        Assert.True(run.ExitCode == 0, run.Output);
    }

    [Fact]
    public async Task An_object_that_vanishes_one_that_is_there_twice_and_one_that_is_written_twice_fail_the_run_which_says_how_to_run_it_again()
    {
        CommandResult run = await RunAsync(
            "--seed", "1", "--scenario", "s3-slow", "--level", "disk", "--round", "1", "--sabotage", "lose,double,rewrite");

        Assert.True(run.ExitCode == 1, run.Output);
        Assert.All(
            ["acknowledged and lost", "stored more than once", "was written 2 times"],
            complaint => Assert.Contains(complaint, run.Output, StringComparison.Ordinal));
        Assert.Contains("again: make chaos SEED=1 ROUND=1 LEVEL=disk SCENARIO=s3-slow", run.Output, StringComparison.Ordinal);
    }

    private static async Task<CommandResult> RunAsync(params string[] args)
    {
        Assert.SkipUnless(CephRgw.Available(out string reason), reason);
        return await Command.RunAsync(Patience, "dotnet", [Repository.Assembly("Estat.Chaos"), .. args]);
    }
}
