// Prometheus' text format, read strictly: what the real scraper would stumble over fails here.
using System.Globalization;
using System.Text.RegularExpressions;

namespace Estat.Api.Tests;

/// <summary>One rendering of <c>/metrics</c>: samples by name with labels as printed, and the type of each family.</summary>
internal sealed partial class PrometheusPage
{
    private static readonly string[] HistogramSuffixes = ["_bucket", "_sum", "_count"];
    private readonly Dictionary<string, double> _samples = new(StringComparer.Ordinal);

    /// <summary>A sample's value; it has to be there.</summary>
    internal double this[string sample] => Assert.Contains(sample, (IReadOnlyDictionary<string, double>)_samples);

    /// <summary>Types by family.</summary>
    internal Dictionary<string, string> Types { get; } = new(StringComparer.Ordinal);

    /// <summary>Families that say what they are for.</summary>
    internal HashSet<string> Helps { get; } = new(StringComparer.Ordinal);

    internal IReadOnlyDictionary<string, double> Samples => _samples;

    internal static PrometheusPage Parse(string text)
    {
        Assert.EndsWith("\n", text, StringComparison.Ordinal);
        Assert.DoesNotContain('\r', text);
        var page = new PrometheusPage();
        foreach (string line in text[..^1].Split('\n'))
        {
            page.Add(line);
        }

        return page;
    }

    private void Add(string line)
    {
        if (HelpLine().Match(line) is { Success: true } help)
        {
            Assert.True(Helps.Add(help.Groups[1].Value), $"a second HELP: {line}");
        }
        else if (TypeLine().Match(line) is { Success: true } type)
        {
            Assert.True(Types.TryAdd(type.Groups[1].Value, type.Groups[2].Value), $"a second TYPE: {line}");
        }
        else
        {
            Match sample = SampleLine().Match(line);
            Assert.True(sample.Success, $"neither HELP, TYPE nor a sample: {line}");
            string name = sample.Groups["name"].Value;
            string? suffix = HistogramSuffixes.FirstOrDefault(suffix => name.EndsWith(suffix, StringComparison.Ordinal)
                && Types.GetValueOrDefault(name[..^suffix.Length]) == "histogram");
            Assert.Contains(suffix is null ? name : name[..^suffix.Length], (IReadOnlyDictionary<string, string>)Types);
            string value = sample.Groups["value"].Value;
            double number = value switch
            {
                "+Inf" => double.PositiveInfinity,
                "-Inf" => double.NegativeInfinity,
                "NaN" => double.NaN,
                _ => double.Parse(value, NumberStyles.Float, CultureInfo.InvariantCulture),
            };
            Assert.True(_samples.TryAdd(name + sample.Groups["labels"].Value, number), $"a second sample: {line}");
        }
    }

    [GeneratedRegex("^# HELP ([a-zA-Z_:][a-zA-Z0-9_:]*) (.+)$")]
    private static partial Regex HelpLine();

    [GeneratedRegex("^# TYPE ([a-zA-Z_:][a-zA-Z0-9_:]*) (counter|gauge|histogram|summary|untyped)$")]
    private static partial Regex TypeLine();

    [GeneratedRegex("""^(?<name>[a-zA-Z_:][a-zA-Z0-9_:]*)(?<labels>\{([a-zA-Z_][a-zA-Z0-9_]*="([^"\\]|\\[\\"n])*",?)+\})? (?<value>[-+0-9.eE]+|[+-]Inf|NaN)$""")]
    private static partial Regex SampleLine();
}
