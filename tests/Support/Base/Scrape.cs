// What a node's metrics say, read as Prometheus would.
using System.Globalization;
using Estat.Base.Metrics;

namespace Estat.Tests.Support;

/// <summary>Reads single samples out of the text.</summary>
internal static class Scrape
{
    /// <summary>The value of a series, such as <c>dlq_files_current</c> or <c>estat_events{place="dlq"}</c>.</summary>
    internal static double Value(this PrometheusText metrics, string series)
    {
        string[] lines = metrics.Write().Split('\n');
        string line = lines.SingleOrDefault(text => text.StartsWith(series + " ", StringComparison.Ordinal))
            ?? throw new InvalidOperationException($"no series {series}");
        return double.Parse(line[(series.Length + 1)..], CultureInfo.InvariantCulture);
    }
}
