// CLUSTERING=localhost: one silo of this machine is asked by the others; gateways are told which silos there are.
using Estat.Http.Options;

namespace Estat.Silo.Clustering;

/// <summary>For trying it out and for tests. The membership is in the memory of the first silo, as are reminders.</summary>
internal sealed class LocalhostClustering(ClusterOptions options) : IClusteringProvider
{
    /// <inheritdoc/>
    public string Description => "localhost clustering";

    /// <inheritdoc/>
    public bool KeepsTable => false;

    /// <inheritdoc/>
    public void AddTo(ISiloBuilder silo)
    {
        silo.UseDevelopmentClustering(ClusterSetup.EndPointOf(options.SeedAddr ?? options.SiloAddr with { Address = options.Advertised }));
        silo.UseInMemoryReminderService();
    }

    /// <inheritdoc/>
    public ISiloList OpenSiloList(ILoggerFactory loggers) => new NamedSilos(options);

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => ValueTask.CompletedTask;
}
