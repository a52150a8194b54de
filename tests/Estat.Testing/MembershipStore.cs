// What holds a cluster's membership in tests: a real Redis, or a DynamoDB emulator.

namespace Estat.Testing;

/// <summary>
/// One process, that can stand still, and whose table somebody may empty. It forgets everything at its end, which is that of the test at the latest.
/// </summary>
public abstract class MembershipStore : IAsyncDisposable
{
    /// <summary>As CLUSTERING names it: on every machine.</summary>
    public const string Redis = "redis";

    /// <summary>As CLUSTERING names it: where the provider is built.</summary>
    public const string DynamoDb = "dynamodb";

    private const string Project = "Estat.Silo";
    private const string Provider = "Orleans.Clustering.DynamoDB";

    /// <summary>Where it listens, as a port of 127.0.0.1.</summary>
    public abstract int Port { get; }

    /// <summary>Whether this machine and this build have what a cluster over it takes; if not, what is missing.</summary>
    public static bool Available(string clustering, out string reason) =>
        IsBuilt(clustering, out reason) && (clustering == DynamoDb ? DynamoDbEmulator.Available(out reason) : RedisServer.Available(out reason));

    /// <summary>Whether the cluster is built, and with the provider for this CLUSTERING; if not, what is missing.</summary>
    public static bool IsBuilt(string clustering, out string reason)
    {
        try
        {
            var needs = File.ReadAllText(Path.ChangeExtension(Repository.Assembly(Project), ".deps.json"));
            reason = clustering == DynamoDb && !needs.Contains(Provider, StringComparison.Ordinal)
                ? "the DynamoDB provider is not built: its packages do not restore here"
                : "";
        }
        catch (FileNotFoundException e)
        {
            reason = e.Message;
        }

        return reason.Length == 0;
    }

    /// <summary>Starts one.</summary>
    public static async Task<MembershipStore> StartAsync(string clustering) =>
        clustering == DynamoDb ? await DynamoDbEmulator.StartAsync() : await RedisServer.StartAsync();

    /// <summary>Adds the options by which a node of the cluster CLUSTER_ID joins by it.</summary>
    /// <param name="options">A node's; CLUSTER_ID is among them.</param>
    /// <param name="port">Where nodes reach it, if that is not where it listens, but a proxy.</param>
    public abstract void Point(IDictionary<string, string> options, int? port = null);

    /// <summary>Deletes the row of every silo, as an operator's mistake does.</summary>
    public abstract Task EmptyAsync(string clusterId);

    /// <summary>How many silos have a row.</summary>
    public abstract Task<int> CountAsync(string clusterId);

    /// <summary>Lets it stand still: connections are accepted by the kernel and never answered.</summary>
    public abstract void Stop();

    /// <summary>Lets it go on; everything in it is still there.</summary>
    public abstract void Continue();

    public abstract ValueTask DisposeAsync();
}
