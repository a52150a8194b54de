// What a program asks of the standalone server, a silo and a gateway.
namespace Estat.Node.Running;

/// <summary>A node from start to drain.</summary>
internal interface INodeServer : IAsyncDisposable
{
    /// <summary>Joins, where there is a cluster, and listens.</summary>
    /// <exception cref="IOException">An address cannot be listened on, or the cluster cannot be joined; the message says which.</exception>
    Task StartAsync();

    /// <summary>Serves until a signal, then drains.</summary>
    /// <returns>The process' exit code: 0, or 1 when events were lost because neither storage nor the disk took them.</returns>
    Task<int> RunAsync();
}
