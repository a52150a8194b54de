// The whole result on one page: the chart, and below it every table that is known of this machine and build.
using System.Net;

namespace Estat.Bench.Reporting;

internal static class ReportPage
{
    /// <summary>What a change means.</summary>
    internal const string HowToRead =
        "Compare rows of one run only. A change of up to 3 %, or of less than two runs of the same build differ by (ONLY=before AGAINST=…), is "
        + "noise. A larger one is a gain or a loss: say in the commit which, and put it into docs/performance.md.";

    private const string Style =
        """
        body { font: 14px -apple-system, "Segoe UI", "Noto Sans", Helvetica, Arial, sans-serif }
        body { margin: 2rem auto; max-width: 100rem; padding: 0 1rem }
        pre { font: 12px ui-monospace, Consolas, monospace; overflow-x: auto } :root { color-scheme: light dark }
        """;

    internal static string Of(Report report) => $"""
        <!doctype html>
        <html lang="en">
        <meta charset="utf-8">
        <title>Estat measured</title>
        <style>{Style}</style>
        <h1>Estat measured</h1>
        <p>{WebUtility.HtmlEncode(report.Machine.ToString())}</p>
        {Chart.Of(report)}
        <p>{WebUtility.HtmlEncode(HowToRead)}</p>
        <pre>{WebUtility.HtmlEncode(TextTable.Of(report.Sections))}</pre>
        </html>

        """;
}
