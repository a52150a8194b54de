// SIGTERM ends a silo and a gateway within SHUTDOWN_TIMEOUT though the membership hangs: Redis, and DynamoDB where it is built.
using Estat.Cluster.Tests.Support;

namespace Estat.Cluster.Tests.Stopping;

/// <summary>The same over each membership, side by side.</summary>
public abstract class MembershipStoppingTests(string clustering) : IAsyncLifetime
{
    private static readonly TimeSpan ReadyLimit = TimeSpan.FromSeconds(120);
    private readonly StoppableNodes _nodes = new();

    [Theory]
    [InlineData("silo")]
    [InlineData("gateway")]
    public async Task SIGTERM_ends_a_node_within_SHUTDOWN_TIMEOUT_whatever_hangs(string role)
    {
        await using var hang = new MembershipHang(clustering, fromStart: false);
        Assert.SkipWhen(hang.Missing is not null, hang.Missing ?? "");

        (int code, string output) = await Estat.Testing.Stopping.RunAsync(hang, _nodes.Options(), environment => _nodes.Launch(role, environment));

        Assert.True(code == 0, $"ended with {code}: {output}");
    }

    [Theory]
    [InlineData("silo")]
    [InlineData("gateway")]
    public async Task SIGTERM_ends_a_node_that_waits_for_a_membership_that_hangs(string role)
    {
        await using var hang = new MembershipHang(clustering, fromStart: true);
        Assert.SkipWhen(hang.Missing is not null, hang.Missing ?? "");
        Dictionary<string, string> options = _nodes.Options();
        options["SHUTDOWN_TIMEOUT"] = "5s";
        await hang.PrepareAsync(options);
        await using ServerProcess node = _nodes.Start(role, options, "node");
        await hang.BeginAsync(node);
        await Wait.UntilAsync(() => role == "silo" || node.Output.Count > 0, ReadyLimit, "the gateway to listen");

        node.Terminate();

        Assert.Equal(0, await node.WaitForExitAsync(TimeSpan.FromSeconds(8))); // and what a supervisor adds
    }

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public async ValueTask DisposeAsync()
    {
        await _nodes.DisposeAsync();
        GC.SuppressFinalize(this);
    }
}

public sealed class RedisStoppingTests() : MembershipStoppingTests(MembershipStore.Redis);

public sealed class DynamoDbStoppingTests() : MembershipStoppingTests(MembershipStore.DynamoDb);
