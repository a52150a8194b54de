// A silo whose start is refused, as a process: inside the test it would leave a loop of Orleans' behind that never rests.
using System.Globalization;
using Estat.Api.Options;
using Estat.Base.Options;
using Estat.Http.Options;

namespace Estat.Cluster.Tests.Support;

/// <summary>It ends by itself with exit code 2 and one line.</summary>
internal static class RefusedSilo
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(120);

    /// <summary>Starts a silo with these options.</summary>
    /// <param name="options">Those of its cluster, folders and prefix count.</param>
    /// <param name="clock">Its clock; null for the machine's.</param>
    /// <returns>The line.</returns>
    internal static async Task<string> RunAsync(EstatOptions options, FakeClock? clock = null)
    {
        ClusterOptions cluster = options.Cluster;
        var environment = new Dictionary<string, string>(clock?.Environment ?? new Dictionary<string, string>())
        {
            ["CLUSTERING"] = cluster.Clustering.ToString(),
            ["CLUSTER_ID"] = cluster.ClusterId,
            ["REDIS_ENDPOINT"] = string.Join(',', cluster.Redis.Endpoints),
            ["MEMBERSHIP_PROBE"] = GoDuration.Format(cluster.MembershipProbe),
            ["SEED_ADDR"] = cluster.SeedAddr is { } seed ? Text(seed) : "",
            ["SILO_ADDR"] = Text(cluster.SiloAddr),
            ["SILO_CLIENT_ADDR"] = Text(cluster.SiloClientAddr[0]),
            ["STORAGE_DIR"] = options.Collect.Storage.StorageDir,
            ["SPOOL_DIR"] = options.Collect.SpoolDir,
            ["DLQ_DIR"] = options.Collect.DlqDir,
            ["RAW_PREFIX"] = options.Collect.Storage.RawPrefix,
            ["SPOOL_VOLATILE"] = "true",
            ["LOG_LEVEL"] = options.Node.LogLevel,
        };
        await using ServerProcess silo = ServerProcess.LaunchProject("Estat.Silo", "a silo that is refused", environment);
        int code = await silo.WaitForExitAsync(Limit);
        Assert.True(code == 2 && silo.Output.Count == 1, $"ended with {code}: {string.Join(Environment.NewLine, silo.Output)}");
        return silo.Output[0];
    }

    private static string Text(ListenAddress address) => string.Create(CultureInfo.InvariantCulture, $"{address.Address}:{address.Port}");
}
