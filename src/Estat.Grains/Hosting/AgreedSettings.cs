// What all silos of a cluster have to agree on: where their events end up, and what their answers mean.
using Estat.Base.Acks;
using Estat.Collect.Options;
using Estat.Http.Options;

namespace Estat.Grains.Hosting;

/// <summary>
/// Names and values, in the form in which people read them and silos compare them. Two silos that differ in one of them would lay the events of one
/// cluster in two places, or acknowledge the same request with two meanings. A name that only one side knows is of another version, and is not
/// compared.
/// </summary>
public sealed class AgreedSettings
{
    private readonly SortedDictionary<string, string> _values = new(StringComparer.Ordinal);

    /// <param name="options">Checked options of a silo.</param>
    /// <param name="cluster">Those of its cluster.</param>
    public AgreedSettings(CollectOptions options, ClusterOptions cluster)
    {
        ArgumentNullException.ThrowIfNull(cluster);
        ArgumentNullException.ThrowIfNull(options);
        _values["storage"] = options.Storage.RawBucket is { } bucket
            ? $"s3://{bucket} at {options.Storage.S3Endpoint?.ToString().TrimEnd('/') ?? options.Storage.AwsRegion}"
            : $"folder {Path.GetFullPath(options.Storage.StorageDir)}";
        _values["RAW_PREFIX"] = options.Storage.RawPrefix;
        _values["DLQ_PREFIX"] = options.Storage.DlqPrefix;
        _values["ACK"] = options.Ack.ToText();
        _values["ACK_ALLOWED"] = options.AckAllowed is { } allowed ? string.Join(',', allowed.Select(level => level.ToText())) : "all";
        _values["REPLICA_DEGRADED"] = cluster.ReplicaDegraded.ToString().ToLowerInvariant();
    }

    private AgreedSettings(IEnumerable<string> lines)
    {
        foreach (string line in lines)
        {
            int end = line.IndexOf('=', StringComparison.Ordinal);
            _values[end < 0 ? line : line[..end]] = end < 0 ? "" : line[(end + 1)..];
        }
    }

    /// <summary>As they cross the wire: <c>name=value</c>.</summary>
    public IReadOnlyList<string> Lines => [.. _values.Select(pair => $"{pair.Key}={pair.Value}")];

    /// <summary>Those of another silo.</summary>
    /// <param name="lines">Its <see cref="Lines"/>.</param>
    public static AgreedSettings Parse(IEnumerable<string> lines)
    {
        ArgumentNullException.ThrowIfNull(lines);
        return new AgreedSettings(lines);
    }

    /// <summary>In what this silo differs from another one, such as <c>RAW_PREFIX is raw here and clicks there</c>; null if in nothing.</summary>
    public string? DifferenceFrom(AgreedSettings other)
    {
        ArgumentNullException.ThrowIfNull(other);
        string[] differences =
        [
            .. _values.Where(pair => other._values.TryGetValue(pair.Key, out string? theirs) && theirs != pair.Value)
                .Select(pair => $"{pair.Key} is {pair.Value} here and {other._values[pair.Key]} there"),
        ];
        return differences.Length == 0 ? null : string.Join(", ", differences);
    }
}
