// The medians as bars, for the README: SVG by hand, on a ground of its own, so that it can be read in light and dark.
using System.Globalization;
using System.Security;
using System.Text;
using Estat.Bench.Collecting;
using Estat.Bench.Measuring;
using Encoding = Estat.Bench.Encoders.Encoding;

namespace Estat.Bench.Reporting;

internal static class Chart
{
    private const int Width = 880;
    private const int NameWidth = 250;
    private const int BarWidth = 330;
    private const int RowHeight = 24;
    private const int BarHeight = 14;
    private const int Margin = 24;
    private const string Style =
        """
        <style>
        text { font: 13px -apple-system, "Segoe UI", "Noto Sans", Helvetica, Arial, sans-serif; fill: #24292f }
        .title { font-weight: 600 } .small { font-size: 11px; fill: #57606a }
        .ground { fill: #ffffff; stroke: #d0d7de } .bar { fill: #0969da } .floor { fill: #8c959f }
        @media (prefers-color-scheme: dark) {
        text { fill: #e6edf3 } .small { fill: #9198a1 } .ground { fill: #0d1117; stroke: #30363d } .bar { fill: #4493f8 } .floor { fill: #6e7681 }
        }
        </style>
        """;

    private static readonly string[] Others = ["bare", "GZipStream", "pigz"]; // not Estat, but what it is compared with

    internal static string Of(Report report)
    {
        var body = new StringBuilder();
        int at = Margin;
        foreach (Section section in report.Sections)
        {
            if (PanelOf(section) is { } panel && section.Rows.Where(panel.Takes).ToList() is { Count: > 0 } rows)
            {
                at = Draw(body, at, panel, rows);
            }
        }

        at = Text(body, Margin, at + 8, "small", report.Machine.ToString());
        DateTime day = report.Sections.Count == 0 ? DateTime.UtcNow : report.Sections.Max(section => section.Measured);
        at = Text(body, Margin, at + 16, "small",
            string.Create(CultureInfo.InvariantCulture, $"The load comes from the same cores. {day:yyyy-MM-dd}"));
        int height = at + Margin;
        return string.Create(
            CultureInfo.InvariantCulture,
            $"""
            <svg xmlns="http://www.w3.org/2000/svg" width="{Width}" height="{height}" viewBox="0 0 {Width} {height}" role="img" aria-label="Estat measured">
            {Style}
            <rect class="ground" x="0.5" y="0.5" width="{Width - 1}" height="{height - 1}" rx="8"/>
            {body}</svg>

            """);
    }

    // What is drawn, of all that was measured: what can be compared by length.
    private static Panel? PanelOf(Section section) => (section.Part, section.Columns is [var first, ..] ? first.Key : "") switch
    {
        ("collect", _) => new Panel(
            "POST /collect, one event a request: events a second",
            Metric.EventsPerSecond,
            row => row.Name is not (CollectPart.Ceiling or CollectPart.Stored),
            Server),
        ("batch", Metric.EventsPerSecond) => new Panel(
            "POST /collect/batch at disk, 500 events a request: events a second", Metric.EventsPerSecond, _ => true, Server),
        ("batch", _) => new Panel(
            "The same until all of it is stored: events a second", Metric.StoredPerSecond, _ => true,
            row => Format(row, Metric.StoredPerSecond, "N0", "/s")),
        ("encode", _) => new Panel(
            "gzip on one thread: MB of lines a second", Encoding.MegabytesPerSecond, row => row.Medians[Encoding.Shrunk] > 1, Compression),
        ("cluster", _) => new Panel("A cluster's forms at disk, one event a request: events a second", Metric.EventsPerSecond, _ => true, Server),
        _ => null,
    };

    private static string Compression(Row row) => string.Join(
        " · ",
        Format(row, Encoding.MegabytesPerSecond, "N0", " MB/s"),
        Format(row, Encoding.MicrosPerEvent, "0.0", " µs/event"),
        Format(row, Encoding.Shrunk, "0.0", " to 1"));

    private static string Server(Row row) => string.Join(
        " · ",
        new[]
        {
            Format(row, Metric.EventsPerSecond, "N0", "/s"),
            Format(row, Metric.CpuMicros, "N1", " µs CPU"),
            Format(row, Metric.PercentOfBare, "0", " % of bare"),
        }.Where(text => text.Length > 0));

    private static string Format(Row row, string key, string format, string unit) =>
        row.Medians.TryGetValue(key, out double value) ? value.ToString(format, CultureInfo.InvariantCulture) + unit : "";

    private static int Draw(StringBuilder body, int at, Panel panel, IReadOnlyList<Row> rows)
    {
        at = Text(body, Margin, at + 16, "title", panel.Title) + 8;
        double most = rows.Max(row => row.Medians[panel.Key]);
        foreach (Row row in rows)
        {
            double bar = Math.Max(1, BarWidth * row.Medians[panel.Key] / most);
            string kind = Others.Any(name => row.Name.StartsWith(name, StringComparison.Ordinal)) ? "floor" : "bar";
            Text(body, Margin, at + BarHeight, "", row.Name);
            body.AppendLine(
                CultureInfo.InvariantCulture,
                $"""<rect class="{kind}" x="{Margin + NameWidth}" y="{at + 2}" width="{bar:0.#}" height="{BarHeight}" rx="2"/>""");
            Text(body, Margin + NameWidth + (int)bar + 8, at + BarHeight, "small", panel.Label(row));
            at += RowHeight;
        }

        return at + 8;
    }

    private static int Text(StringBuilder body, int x, int y, string kind, string text)
    {
        body.AppendLine(CultureInfo.InvariantCulture, $"""<text class="{kind}" x="{x}" y="{y}">{SecurityElement.Escape(text)}</text>""");
        return y;
    }

    private sealed record Panel(string Title, string Key, Func<Row, bool> Takes, Func<Row, string> Label);
}
