// CLUSTERING=dynamodb: membership and reminders in two DynamoDB tables. Compiled only where its packages restore: the MSBuild property
// DynamoDbClustering in Directory.Packages.props.
using Estat.Api.Options;
using Orleans.Configuration;

namespace Estat.Silo.Clustering;

/// <summary>Set up in code: configured by settings, Orleans' DynamoDB providers misread the session token.</summary>
internal sealed class DynamoDbClustering(EstatOptions options) : IClusteringProvider
{
    private readonly string _service = options.Cluster.DynamoDbEndpoint?.ToString().TrimEnd('/') ?? options.Collect.Storage.AwsRegion;
    private readonly string _silos = $"{options.Cluster.DynamoDbTablePrefix}-silos";

    /// <inheritdoc/>
    public string Description => $"DynamoDB table {_silos} at {_service}";

    /// <inheritdoc/>
    public bool KeepsTable => true;

    /// <inheritdoc/>
    public void AddTo(ISiloBuilder silo)
    {
        silo.UseDynamoDBClustering((DynamoDBClusteringOptions table) =>
        {
            table.Service = _service;
            table.TableName = _silos;
            table.UseProvisionedThroughput = false;
        });
        silo.UseDynamoDBReminderService(table =>
        {
            table.Service = _service;
            table.TableName = $"{options.Cluster.DynamoDbTablePrefix}-reminders";
            table.UseProvisionedThroughput = false;
        });
        silo.Services.AddSingleton<IMembershipRows>(
            services => new Rows(services.GetRequiredService<IMembershipTable>(), Description, services.GetRequiredService<TimeProvider>()));
    }

    /// <inheritdoc/>
    public ISiloList OpenSiloList(ILoggerFactory loggers) => new TableSilos(
        options, Description, client => client.UseDynamoDBClustering((DynamoDBGatewayOptions table) =>
        {
            table.Service = _service;
            table.TableName = _silos;
            table.UseProvisionedThroughput = false;
        }),
        loggers);

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    // Through Orleans' own table: its version row is written on condition of an etag that is not the version, so a row may be put in under any
    // version.
    private sealed class Rows(IMembershipTable table, string description, TimeProvider time) : IMembershipRows
    {
        private readonly Dictionary<SiloAddress, MembershipEntry> _copy = [];
        private bool _isGone;

        public string Description => description;

        public async Task<bool> TryCopyAsync(SiloAddress self, CancellationToken cancellationToken)
        {
            MembershipTableData data;
            try
            {
                data = await table.ReadAllAsync(cancellationToken).WaitAsync(cancellationToken).ConfigureAwait(false);
            }
            catch (KeyNotFoundException)
            {
                _isGone = true; // not even a version is left
                return false;
            }

            _isGone = false;
            if (data.Members.All(row => !row.Item1.SiloAddress.Equals(self)))
            {
                return false;
            }

            _copy.Clear();
            foreach ((MembershipEntry row, _) in data.Members)
            {
                _copy[row.SiloAddress] = row;
            }

            return true;
        }

        public bool Has(SiloAddress silo) => _copy.ContainsKey(silo);

        public async Task PutBackAsync(IReadOnlyCollection<SiloAddress> silos, long version, CancellationToken cancellationToken)
        {
            if (_isGone)
            {
                await table.InitializeMembershipTableAsync(true, cancellationToken).ConfigureAwait(false);
            }

            foreach (SiloAddress silo in silos)
            {
                MembershipTableData now = await table.ReadAllAsync(cancellationToken).WaitAsync(cancellationToken).ConfigureAwait(false);
                if (now.Members.All(there => !there.Item1.SiloAddress.Equals(silo)) && _copy.TryGetValue(silo, out MembershipEntry? row))
                {
                    row.IAmAliveTime = time.GetUtcNow().UtcDateTime;
                    var next = new TableVersion((int)Math.Max(version, now.Version.Version), now.Version.VersionEtag);
                    await table.InsertRowAsync(row, next, cancellationToken).ConfigureAwait(false);
                }
            }
        }
    }
}

/// <summary>The part of the choice that exists only with this file.</summary>
internal static partial class ClusteringProviders
{
    static partial void MakeDynamoDb(EstatOptions options, ref IClusteringProvider? provider) => provider = new DynamoDbClustering(options);
}
