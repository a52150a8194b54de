// SIGTERM ends a silo and a gateway within SHUTDOWN_TIMEOUT, whatever hangs under them. The standalone server has the same table.
using Estat.Cluster.Tests.Support;

namespace Estat.Cluster.Tests.Stopping;

/// <summary>
/// Each row is a process that is really stuck in something. The exit code is the drain's. <see cref="MembershipStoppingTests"/> has more rows.
/// </summary>
public sealed class StoppingTests : IAsyncLifetime
{
    private readonly StoppableNodes _nodes = new();

    [Theory]
    [InlineData("both", "disk", 1)] // the last sync came to nothing, and nobody was told that it had
    [InlineData("both", "store", 0)]
    [InlineData("gateway", "a silo", 0)]
    [InlineData("gateway", "key file", 0)]
    [InlineData("gateway", "client", 0)]
    public async Task SIGTERM_ends_a_node_within_SHUTDOWN_TIMEOUT_whatever_hangs(string role, string what, int exitCode)
    {
        await using Hang hang = what switch
        {
            "disk" => new DiskHang(),
            "store" => new StoreHang(),
            "a silo" => new SiloHang(() => _nodes.Silo!),
            "key file" => new KeyFileHang(isPipe: true),
            _ => new ClientHang(HangingClient.Body),
        };
        Assert.SkipWhen(hang.Missing is not null, hang.Missing ?? "");

        (int code, string output) = await Estat.Testing.Stopping.RunAsync(hang, _nodes.Options(), environment => _nodes.Launch(role, environment));

        Assert.True(exitCode == code, $"ended with {code}: {output}");
    }

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public ValueTask DisposeAsync() => _nodes.DisposeAsync();
}
