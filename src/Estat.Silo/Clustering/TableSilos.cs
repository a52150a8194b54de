// The active silos of a membership table.
using System.Net;
using Estat.Api.Options;
using Orleans.Messaging;

namespace Estat.Silo.Clustering;

/// <summary>Orleans' own reader of the table, taken from a client that is never started.</summary>
internal sealed class TableSilos : ISiloList
{
    private readonly IHost _unstarted;
    private IGatewayListProvider? _table;

    /// <param name="options">Checked options.</param>
    /// <param name="description">Which table, for people.</param>
    /// <param name="addTable">Gives the client its table.</param>
    /// <param name="loggers">Where Orleans logs.</param>
    internal TableSilos(EstatOptions options, string description, Action<IClientBuilder> addTable, ILoggerFactory loggers)
    {
        Description = description;
        HostApplicationBuilder builder = Host.CreateEmptyApplicationBuilder(null);
        builder.Services.AddSingleton(loggers);
        builder.UseOrleansClient(client =>
        {
            client.Configure<Orleans.Configuration.ClusterOptions>(target => ClusterSetup.Name(target, options));
            addTable(client);
        });
        _unstarted = builder.Build();
    }

    /// <inheritdoc/>
    public string Description { get; }

    /// <inheritdoc/>
    public async Task<IReadOnlyList<IPEndPoint>> ReadAsync()
    {
        if (_table is null)
        {
            IGatewayListProvider table = _unstarted.Services.GetRequiredService<IGatewayListProvider>();
            await table.InitializeGatewayListProvider().ConfigureAwait(false);
            _table = table;
        }

        return [.. (await _table.GetGateways().ConfigureAwait(false)).Select(uri => new IPEndPoint(IPAddress.Parse(uri.Host), uri.Port)).Distinct()];
    }

    /// <inheritdoc/>
    public void Dispose() => _unstarted.Dispose();
}
