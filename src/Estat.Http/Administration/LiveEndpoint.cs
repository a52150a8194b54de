// GET /admin/live: every node's state once a second.
namespace Estat.Http.Administration;

/// <summary>Each frame is made once for all who watch.</summary>
/// <param name="nodes">What is shown.</param>
/// <param name="stopping">Completes when the node begins to drain.</param>
internal sealed class LiveEndpoint(NodeDirectory nodes, Task stopping)
{
    /// <summary>More browsers than look at one node.</summary>
    internal const int MostWatchers = 100;

    private readonly EventStreams _streams = new(MostWatchers, stopping);

    /// <summary>Handles one request.</summary>
    internal Task HandleAsync(HttpContext context) => _streams.RunAsync(context, async (writer, cancellationToken) =>
    {
        NodesReading reading = await nodes.All.LatestAsync().WaitAsync(cancellationToken).ConfigureAwait(false);
        while (true)
        {
            Task<NodesReading> next = nodes.All.NextAsync(); // before the write: one that takes long misses frames and gets the latest
            await writer.WriteAsync(reading.Frame, cancellationToken).ConfigureAwait(false);
            reading = await next.WaitAsync(cancellationToken).ConfigureAwait(false);
        }
    });
}
