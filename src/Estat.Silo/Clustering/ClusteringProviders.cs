// Which provider CLUSTERING means.
using Estat.Api.Options;
using Estat.Base.Options;
using Estat.Http.Options;

namespace Estat.Silo.Clustering;

/// <summary>All providers that this build has.</summary>
internal static partial class ClusteringProviders
{
    /// <summary>The one that the options ask for.</summary>
    /// <exception cref="OptionException">This build does not have it, or it cannot use its options.</exception>
    internal static IClusteringProvider Of(EstatOptions options) => options.Cluster.Clustering switch
    {
        ClusteringKind.Redis => new RedisClustering(options),
        ClusteringKind.DynamoDb => DynamoDbOf(options),
        _ => new LocalhostClustering(options.Cluster),
    };

    private static IClusteringProvider DynamoDbOf(EstatOptions options)
    {
        IClusteringProvider? provider = null;
        MakeDynamoDb(options, ref provider);
        return provider ?? throw new OptionException(
            "CLUSTERING=dynamodb: this build has no DynamoDB provider, because its packages Microsoft.Orleans.Clustering.DynamoDB and "
            + "Microsoft.Orleans.Reminders.DynamoDB were not found when it was built. Use CLUSTERING=redis, or build again with a NuGet source that "
            + "has them, such as nuget.org.");
    }

    // Its body is in DynamoDbClustering.cs. A build without the provider leaves that file out, and the compiler this call.
    static partial void MakeDynamoDb(EstatOptions options, ref IClusteringProvider? provider);
}
