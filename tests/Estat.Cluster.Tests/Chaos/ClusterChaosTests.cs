// The cluster oracle on every `make test`, briefly: real processes, a real S3, a real Redis; and the same over a bucket that was tampered with, to
// see it fail.
namespace Estat.Cluster.Tests.Chaos;

public sealed class ClusterChaosTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(5);

    [Theory]
    [InlineData("kill,pause,rolling,kill,membership-away", "replica", "12s")]
    [InlineData("membership-away", "replica", "12s", MembershipStore.DynamoDb)]
    [InlineData("scale", "disk", "10s")]
    public async Task Every_promise_holds_whatever_happens_to_the_nodes(
        string scenario, string level, string duration, string clustering = MembershipStore.Redis)
    {
        CommandResult run = await RunAsync(
            clustering, "--scenario", scenario, "--level", level, "--duration", duration, "--every", "8s", "--rate", "500", "--seed", "20261121");

        TestContext.Current.TestOutputHelper?.WriteLine(run.Output);
        Assert.True(run.ExitCode == 0, run.Output);
    }

    [Fact]
    public async Task An_object_that_vanishes_fails_the_run()
    {
        CommandResult run = await RunAsync(
            MembershipStore.Redis, "--scenario", "calm", "--level", "disk", "--duration", "3s", "--rate", "200", "--sabotage", "lose");

        Assert.True(run.ExitCode == 1, run.Output);
        Assert.Contains("lost", run.Output, StringComparison.Ordinal);
    }

    private static async Task<CommandResult> RunAsync(string clustering, params string[] args)
    {
        Assert.SkipUnless(CephRgw.Available(out string reason), reason);
        Assert.SkipUnless(MembershipStore.Available(clustering, out reason), reason);
        return await Command.RunAsync(Patience, "dotnet", [Repository.Assembly("Estat.Cluster.Chaos"), "--clustering", clustering, .. args]);
    }
}
