// The judgement that every end-to-end test ends with: what was acknowledged is stored exactly once, and the counters agree.
using System.Globalization;
using Estat.Testing;

namespace Estat.Api.Tests;

internal static class Oracle
{
    private static readonly string[] Destinations = ["stored", "buffered", "dlq", "quarantined", "dropped"];

    /// <summary>Waits until everything the server accepted is stored and its DLQ is empty.</summary>
    internal static Task UntilAllStoredAsync(ServerProcess server, TimeSpan timeout)
    {
        IReadOnlyDictionary<string, double>? last = null;
        return Wait.UntilAsync(
            async () =>
            {
                last = await server.MetricsAsync();
                return At(last, "buffered") == 0 && At(last, "dlq") == 0 && last["dlq_files_current"] == 0;
            },
            timeout,
            "everything to be stored",
            () => last is null ? "nothing" : Describe(last) + "; " + string.Join(Environment.NewLine, server.Output.TakeLast(3)));
    }

    /// <summary>Accepted + found = stored + buffered + dlq + quarantined + dropped, in one scrape.</summary>
    internal static void Conserves(IReadOnlyDictionary<string, double> metrics) =>
        Assert.True(At(metrics, "accepted") + At(metrics, "found") == Destinations.Sum(place => At(metrics, place)), Describe(metrics));

    /// <summary>Events at a place of <c>estat_events</c>.</summary>
    internal static double At(IReadOnlyDictionary<string, double> metrics, string place) => metrics[$"estat_events{{place=\"{place}\"}}"];

    /// <summary>Each acknowledged event is in the bucket exactly once, and nothing else is.</summary>
    internal static async Task IsExactAsync(CephRgw rgw, string bucket, SendReport report)
    {
        Audit audit = Audit.Of(report, await StoredEvents.FromBucketAsync(rgw.Client, bucket, "raw/"));
        Assert.True(audit.Clean && audit.NeverAcknowledged.Count == report.Unknown.Count(audit.NeverAcknowledged.Contains), audit.ToString());
    }

    /// <summary>The drain ends with exit code 0; if not, the server's last words are shown.</summary>
    internal static async Task EndsWellAsync(ServerProcess server, TimeSpan within)
    {
        int code = await server.WaitForExitAsync(within);
        Assert.True(code == 0, $"exit code {code}: {string.Join(Environment.NewLine, server.Output.TakeLast(10))}");
    }

    private static string Describe(IReadOnlyDictionary<string, double> metrics) =>
        string.Join(", ", metrics.Where(pair => pair.Key.StartsWith("estat_events{", StringComparison.Ordinal))
            .Select(pair => string.Create(CultureInfo.InvariantCulture, $"{pair.Key} {pair.Value}")));
}
