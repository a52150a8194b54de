// The process' limit of open files: every connection is one.
using System.Globalization;

namespace Estat.Api.Hosting;

/// <summary>Reads the limit, so that a start can warn before connections are refused under load.</summary>
internal static class OpenFiles
{
    /// <summary>Files beside connections: assemblies, storage, DLQ, the runtime's own.</summary>
    internal const int BesideConnections = 500;

    private const string LimitsFile = "/proc/self/limits";
    private const string Row = "Max open files";

    /// <summary>The hard limit, to which the runtime raises the soft one; null where the system does not tell.</summary>
    internal static long? Limit()
    {
        if (!File.Exists(LimitsFile))
        {
            return null;
        }

        string? row = File.ReadLines(LimitsFile).FirstOrDefault(line => line.StartsWith(Row, StringComparison.Ordinal));
        string[] columns = row?[Row.Length..].Split(' ', StringSplitOptions.RemoveEmptyEntries) ?? [];
        return columns.Length >= 2 && long.TryParse(columns[1], NumberStyles.None, CultureInfo.InvariantCulture, out long hard) ? hard : null;
    }
}
