// CLUSTERING=redis: membership and reminders in two keys of a Redis.
using System.Globalization;
using System.Text;
using Estat.Api.Options;
using Estat.Base.Options;
using Estat.Http.Options;
using Orleans.Clustering.Redis;
using StackExchange.Redis;

namespace Estat.Silo.Clustering;

/// <summary>
/// Two keys, under the cluster's own prefix: a hash with the table's version and a row a silo, and a sorted set of reminders. Each operation touches
/// one key, so a Redis Cluster serves as well. All of a node goes over one connection.
/// </summary>
internal sealed class RedisClustering : IClusteringProvider
{
    private readonly EstatOptions _options;
    private readonly RedisConnection _connection;
    private readonly string _prefix;

    /// <exception cref="OptionException">A file of its TLS options cannot be read.</exception>
    internal RedisClustering(EstatOptions options)
    {
        _options = options;
        RedisOptions redis = options.Cluster.Redis;
        _prefix = $"{redis.KeyPrefix}/{options.Cluster.ClusterId}";
        _connection = new RedisConnection(redis);
        string database = redis.Database == 0 ? "" : string.Create(CultureInfo.InvariantCulture, $", database {redis.Database}");
        Description = $"Redis at {string.Join(", ", redis.Endpoints)}{database}, keys {_prefix}/*";
    }

    /// <inheritdoc/>
    public string Description { get; }

    /// <inheritdoc/>
    public bool KeepsTable => true;

    private RedisKey Members => Encoding.UTF8.GetBytes($"{_prefix}/members");

    /// <inheritdoc/>
    public void AddTo(ISiloBuilder silo)
    {
        silo.UseRedisClustering(Point);
        silo.UseRedisReminderService(table =>
        {
            table.ConfigurationOptions = _connection.Configuration;
            table.CreateMultiplexer = async _ => (await _connection.OpenAsync().ConfigureAwait(false), true);
        });
        silo.Configure<Orleans.Configuration.ClusterOptions>(target => target.ServiceId = _prefix); // reminders are at <service id>/reminders
        silo.Services.AddSingleton<IMembershipRows>(_ => new RedisRows(_connection, Members, Description));
    }

    /// <inheritdoc/>
    public ISiloList OpenSiloList(ILoggerFactory loggers) =>
        new TableSilos(_options, Description, client => client.UseRedisClustering(Point), loggers);

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => _connection.DisposeAsync();

    private void Point(RedisClusteringOptions table)
    {
        table.ConfigurationOptions = _connection.Configuration;
        table.CreateMultiplexer = async _ => (await _connection.OpenAsync().ConfigureAwait(false), true);
        table.CreateRedisKey = _ => Members;
    }
}
