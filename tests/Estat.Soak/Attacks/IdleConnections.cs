// More connections than the server may open files.
using System.Net.Sockets;

namespace Estat.Soak.Attacks;

/// <summary>Connections that say nothing.</summary>
/// <param name="connections">How many at once.</param>
internal sealed class IdleConnections(int connections) : IAttack
{
    public string Name => "idle";

    public Task RunAsync(int port, CancellationToken cancellationToken) =>
        Connection.KeepAsync(connections, TimeSpan.FromMilliseconds(3), ending => OneAsync(port, ending), cancellationToken);

    private static async Task OneAsync(int port, CancellationToken cancellationToken)
    {
        await using NetworkStream connection = await Connection.OpenAsync(port, cancellationToken);
        await connection.ReadExactlyAsync(new byte[1], cancellationToken); // nothing comes but the end
    }
}
