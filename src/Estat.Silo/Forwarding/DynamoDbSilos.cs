// The active silos of the membership table.
using System.Net;
using Estat.Collect.Options;
using Estat.Silo.Hosting;
using Orleans.Messaging;

namespace Estat.Silo.Forwarding;

/// <summary>Orleans' own reader of the table, taken from a client that is never started.</summary>
internal sealed class DynamoDbSilos : ISiloList, IDisposable
{
    private readonly IHost _unstarted;
    private IGatewayListProvider? _table;

    internal DynamoDbSilos(EstatOptions options, ILoggerFactory loggers)
    {
        HostApplicationBuilder builder = Host.CreateEmptyApplicationBuilder(null);
        builder.Services.AddSingleton(loggers);
        builder.UseOrleansClient(client => Clustering.Apply(client, options));
        _unstarted = builder.Build();
    }

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
