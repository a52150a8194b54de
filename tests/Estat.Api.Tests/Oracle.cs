// The judgement that every end-to-end test ends with: what was acknowledged is stored exactly once, and the counters agree.
using Estat.Testing;

namespace Estat.Api.Tests;

internal static class Oracle
{
    /// <summary>Waits until everything the server accepted is stored and its DLQ is empty.</summary>
    internal static Task UntilAllStoredAsync(ServerProcess server, TimeSpan timeout) => Conservation.UntilAllStoredAsync(server, timeout);

    /// <summary>Accepted + found = stored + buffered + spooled + dlq + quarantined + dropped, in one scrape.</summary>
    internal static void Conserves(IReadOnlyDictionary<string, double> metrics) =>
        Assert.True(Conservation.Holds(metrics), Conservation.Describe(metrics));

    /// <summary>Events at a place of <c>estat_events</c>.</summary>
    internal static double At(IReadOnlyDictionary<string, double> metrics, string place) => Conservation.At(metrics, place);

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
}
