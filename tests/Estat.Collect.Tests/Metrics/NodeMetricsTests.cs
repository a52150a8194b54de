// What a node says at /metrics is what Prometheus can read, and has the names that dashboards know.
using System.Text.RegularExpressions;
using Estat.Base.Acks;

namespace Estat.Collect.Tests.Metrics;

public sealed partial class NodeMetricsTests
{
    // The names that the Go original had.
    private static readonly string[] Seed =
    [
        "http_requests_total", "http_requests_accepted_total", "http_requests_rejected_body_too_large_total",
        "http_requests_rejected_queue_full_total",
        "s3_events_stored_total", "s3_put_errors_total", "dlq_events_enqueued_total", "dlq_events_reuploaded_total", "dlq_events_dropped_total",
        "dlq_files_expired_total", "dlq_files_current", "dlq_size_bytes",
    ];

    [Fact]
    public async Task A_node_s_metrics_are_valid_exposition()
    {
        using var folder = new TempFolder();
        await using TestNode node = new TestNode(folder).Start();
        await node.SendAsync(EventLines.Bodies(10));
        Assert.True((await node.AskAsync("in memory", AckLevel.Memory)).IsAccepted);
        node.Engine.Instruments.OnUploadEnded(TimeSpan.FromMilliseconds(3), succeeded: true);
        node.Engine.Instruments.OnUploadEnded(TimeSpan.FromSeconds(3), succeeded: false);
        HashSet<string> series = Parse(node.Metrics.Write());
        Assert.All(Seed, name => Assert.Contains(name, series));
        Assert.Contains(series, name => name.StartsWith("dotnet_", StringComparison.Ordinal));
        Assert.Contains("estat_upload_duration_seconds_bucket{outcome=\"failed\",le=\"+Inf\"}", series);
        Assert.Equal(11, node.Metrics.Value("http_requests_accepted_total"));
        Assert.Equal(10, node.Metrics.Value("estat_events{place=\"spooled\"}"));
        Assert.Equal(1, node.Metrics.Value("estat_events{place=\"buffered\"}"));
    }

    // The series of a text in format 0.0.4. Fails where Prometheus would refuse it.
    private static HashSet<string> Parse(string text)
    {
        var types = new Dictionary<string, string>();
        var series = new HashSet<string>();
        string family = "";
        string[] lines = text.Split('\n');
        Assert.Equal("", lines[^1]);
        foreach (string line in lines[..^1])
        {
            string[] words = line.Split(' ');
            if (line.StartsWith("# HELP ", StringComparison.Ordinal))
            {
                family = words[2];
                Assert.False(types.ContainsKey(family), $"{family} stands there twice");
            }
            else if (line.StartsWith("# TYPE ", StringComparison.Ordinal))
            {
                Assert.Equal(family, words[2]);
                Assert.Contains(words[3], new[] { "counter", "gauge", "histogram" });
                types.Add(family, words[3]);
            }
            else
            {
                Match sample = Sample().Match(line);
                Assert.True(sample.Success, line);
                string name = sample.Groups["name"].Value;
                Assert.Equal(family, types[family] == "histogram" ? HistogramPart().Replace(name, "") : name);
                Assert.True(types[family] != "counter" || name.EndsWith("_total", StringComparison.Ordinal), $"{name} is a counter");
                Assert.True(series.Add(name + sample.Groups["labels"].Value), $"{line} stands there twice");
            }
        }

        return series;
    }

    [GeneratedRegex("""^(?<name>[a-zA-Z_:][a-zA-Z0-9_:]*)(?<labels>\{([a-zA-Z_][a-zA-Z0-9_]*="([^"\\\n]|\\["\\n])*",?)+\})? -?([0-9.]+([eE][+-]?[0-9]+)?|Infinity|NaN)$""")]
    private static partial Regex Sample();

    [GeneratedRegex("_(bucket|sum|count)$")]
    private static partial Regex HistogramPart();
}
