// The server's own account of where events are, and what every reading of it has to satisfy.

using System.Globalization;

namespace Estat.Testing;

/// <summary>Reads <c>estat_events</c> in what <see cref="ServerProcess.MetricsAsync"/> returns.</summary>
public static class Conservation
{
    private const string Spooled = "spooled";
    private static readonly string[] Destinations = ["stored", "buffered", Spooled, "dlq", "quarantined", "dropped"];

    /// <summary>Accepted + found = stored + buffered + spooled + dlq + quarantined + dropped.</summary>
    public static bool Holds(IReadOnlyDictionary<string, double> metrics) =>
        At(metrics, "accepted") + At(metrics, "found") == Destinations.Sum(place => At(metrics, place));

    /// <summary>Events at a place. A server without a spool has no place "spooled".</summary>
    public static double At(IReadOnlyDictionary<string, double> metrics, string place)
    {
        ArgumentNullException.ThrowIfNull(metrics);
        return metrics.TryGetValue($"estat_events{{place=\"{place}\"}}", out var events) || place == Spooled
            ? events
            : throw new KeyNotFoundException($"no estat_events for {place}");
    }

    /// <summary>Waits until everything the server accepted or found is stored and its DLQ is empty.</summary>
    public static Task UntilAllStoredAsync(ServerProcess server, TimeSpan timeout)
    {
        ArgumentNullException.ThrowIfNull(server);
        IReadOnlyDictionary<string, double>? last = null;
        return Wait.UntilAsync(
            async () =>
            {
                last = await server.MetricsAsync();
                return At(last, "buffered") == 0 && At(last, Spooled) == 0 && At(last, "dlq") == 0 && last["dlq_files_current"] == 0;
            },
            timeout,
            "everything to be stored",
            () => last is null ? "nothing" : Describe(last) + "; " + string.Join(Environment.NewLine, server.Output.TakeLast(3)));
    }

    /// <summary>All places.</summary>
    public static string Describe(IReadOnlyDictionary<string, double> metrics) =>
        string.Join(", ", metrics.Where(pair => pair.Key.StartsWith("estat_events{", StringComparison.Ordinal))
            .Select(pair => string.Create(CultureInfo.InvariantCulture, $"{pair.Key} {pair.Value}")));
}
