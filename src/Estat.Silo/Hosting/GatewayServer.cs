// A gateway's process: HTTP in front of the silos. It keeps nothing, and has no disk.
using Estat.Api.Options;
using Estat.Base.Access;
using Estat.Base.Acks;
using Estat.Base.Options;
using Estat.Base.Threading;
using Estat.Node.Running;
using Estat.Silo.Clustering;
using Estat.Silo.Forwarding;
using Estat.Silo.Tls;

namespace Estat.Silo.Hosting;

/// <summary>Chooses the clustering and hands the forwarding to the host.</summary>
internal sealed partial class GatewayServer : INodeServer
{
    private static readonly TimeSpan LongestEnd = TimeSpan.FromSeconds(5);

    private readonly EstatOptions _options;
    private readonly NodeFrame _frame;
    private readonly IClusteringProvider _clustering;
    private readonly SiloLinks _links;
    private readonly ForwardingCapability _forwarding;
    private readonly NodeHost _host;
    private readonly ILogger _logger;

    /// <summary>Puts the node together.</summary>
    /// <exception cref="OptionException">A certificate cannot be read, write keys cannot be used, or this build has no such clustering.</exception>
    internal GatewayServer(EstatOptions options, TimeProvider time, bool isTerminal, ExitLimit? limit = null)
    {
        _options = options;
        _clustering = ClusteringProviders.Of(options);
        var tls = NodeTls.Of(options.Cluster);
        _frame = new NodeFrame(options.Http, options.Node, time, isTerminal, limit);
        _logger = _frame.Loggers.CreateLogger<GatewayServer>();
        var keys = WriteKeys.Open(options.WriteKeys, time, _frame.Loggers.CreateLogger<WriteKeys>());
        _links = new SiloLinks(_clustering.OpenSiloList(_frame.Loggers), options, tls, time, _frame.Loggers);
        _forwarding = new ForwardingCapability(options.Collect, options.Keys, keys, _links, Name, _frame);
        _host = new NodeHost(_frame, [_forwarding], Introduce);
    }

    /// <summary>What ends the node.</summary>
    internal StopSignals Signals => _frame.Signals;

    /// <summary>Where it listens for HTTP, once started.</summary>
    internal Uri Address => _host.Address;

    // There may be several on a machine, and a silo beside them.
    private string Name =>
        ListenAddress.TryParse(_options.Http.HttpAddr, out ListenAddress address) ? $"{Environment.MachineName}:{address.Port}"
            : Environment.MachineName;

    /// <inheritdoc/>
    public Task StartAsync() => _host.StartAsync();

    /// <inheritdoc/>
    public Task<int> RunAsync() => _host.RunAsync();

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await _host.DisposeAsync().ConfigureAwait(false);
        await _frame.End.TryAsync("leave the membership", LongestEnd, _ => _clustering.DisposeAsync().AsTask()).ConfigureAwait(false);
    }

    private void Introduce(NodeHost host) => LogServes(
        _logger, host.Bound, _options.Cluster.ClusterId, _links.Source, _forwarding.Levels, _options.Collect.Ack.ToText());

    [LoggerMessage(
        Level = LogLevel.Information,
        Message = "This is a gateway: HTTP on {Http}, for the silos of cluster {Cluster} ({Silos}); ack levels {Levels}, by default {Ack}")]
    private static partial void LogServes(ILogger logger, string http, string cluster, string silos, string levels, string ack);
}
