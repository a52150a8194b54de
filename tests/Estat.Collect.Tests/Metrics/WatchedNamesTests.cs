// An alert on a metric that does not exist never fires, and a panel of it stays empty; neither says so.
using System.Text.RegularExpressions;

namespace Estat.Collect.Tests.Metrics;

public sealed partial class WatchedNamesTests
{
    private static readonly string[] HistogramSuffixes = ["_bucket", "_sum", "_count"];

    [Theory]
    [InlineData("deploy/prometheus/alerts.yml")]
    [InlineData("deploy/grafana/dashboards/estat.json")]
    [InlineData("docs/operations.md")]
    public void Every_metric_that_is_watched_exists(string file)
    {
        string text = File.ReadAllText(Path.Combine(Repository.Root, file));

        Assert.Empty(Unknown(text, Existing()));
        Assert.NotEmpty(Name().Matches(text));
    }

    [Fact]
    public void A_metric_that_does_not_exist_is_found() =>
        Assert.Equal(
            ["estat_evnts", "estat_raedy_bucket"],
            Unknown(
                "sum(rate(estat_evnts[5m])) + estat_raedy_bucket + estat_ack_duration_seconds_bucket / estat_ready",
                ["estat_events", "estat_ready", "estat_ack_duration_seconds"]));

    private static List<string> Unknown(string text, IReadOnlyCollection<string> existing) =>
        [.. Name().Matches(text).Select(match => match.Value).Distinct()
            .Where(name => !existing.Contains(name) && !existing.Contains(WithoutSuffix(name)))];

    // What a histogram is exposed as.
    private static string WithoutSuffix(string name) =>
        HistogramSuffixes.FirstOrDefault(suffix => name.EndsWith(suffix, StringComparison.Ordinal)) is { } suffix ? name[..^suffix.Length] : name;

    // Instruments are made with their names as literals, in the sources of any project.
    private static HashSet<string> Existing() =>
        [.. Directory.EnumerateFiles(Path.Combine(Repository.Root, "src"), "*.cs", SearchOption.AllDirectories)
            .SelectMany(file => Literal().Matches(File.ReadAllText(file)))
            .Select(match => match.Groups[1].Value)];

    [GeneratedRegex(@"\b(?:estat|http|s3|dlq)_[a-z0-9_]*[a-z0-9]\b")]
    private static partial Regex Name();

    [GeneratedRegex(@"""((?:estat|http|s3|dlq)_[a-z0-9_]+)""")]
    private static partial Regex Literal();
}
