// What a program needs to choose this store.
using Estat.Requests.Hosting;

namespace Estat.Requests.Aws.Hosting;

/// <summary>Opens stores in DynamoDB.</summary>
internal static class DynamoStores
{
    /// <summary>In a region.</summary>
    internal static OpenStore In(string region) => (options, rule, observer, time, loggers) =>
        new DynamoRequestStore(options, region, rule, observer, time, loggers.CreateLogger<DynamoRequestStore>());
}
