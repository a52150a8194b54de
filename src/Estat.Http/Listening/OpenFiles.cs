// The process' limit of open files, and who may use how many of them: every connection is one.
using System.Globalization;

namespace Estat.Http.Listening;

/// <summary>
/// What is left for connections once the node's own files are provided for. Without that, a crowd of connections would take the descriptors that the
/// spool needs to acknowledge anything.
/// </summary>
/// <param name="Limit">Files that the process may open; null where the system does not tell.</param>
/// <param name="Reserve">Those that are kept for everything but connections.</param>
/// <param name="Connections">Connections that there may be: MAX_CONNECTIONS, or what the limit leaves.</param>
internal sealed record OpenFiles(long? Limit, int Reserve, int Connections)
{
    // The runtime holds two for each of some eighty assemblies, and a few dozen pipes and event queues.
    private const int Runtime = 224;

    // DLQ, quarantine, key file, certificates, queries of the console, OTLP, a folder of objects.
    private const int Chores = 64;

    // With less than this share of the limit the node would hardly serve anybody: better a reserve that is short.
    private const int LeastShare = 8;

    private const string LimitsFile = "/proc/self/limits";
    private const string Row = "Max open files";

    /// <summary>What this process may open, shared out.</summary>
    /// <param name="most">MAX_CONNECTIONS.</param>
    /// <param name="own">Files that what the node does needs at the most.</param>
    internal static OpenFiles Of(int most, int own) => Of(most, own, ReadLimit());

    /// <summary>A limit shared out.</summary>
    internal static OpenFiles Of(int most, int own, long? limit)
    {
        int reserve = Runtime + Chores + own;
        long left = limit is { } files ? Math.Max(files - reserve, files / LeastShare) : long.MaxValue;
        return new OpenFiles(limit, reserve, (int)Math.Min(most, Math.Max(1, left)));
    }

    // The soft one, which binds: the runtime has raised it to the hard one by now, if it may.
    private static long? ReadLimit()
    {
        if (!File.Exists(LimitsFile))
        {
            return null;
        }

        string? row = File.ReadLines(LimitsFile).FirstOrDefault(line => line.StartsWith(Row, StringComparison.Ordinal));
        string[] columns = row?[Row.Length..].Split(' ', StringSplitOptions.RemoveEmptyEntries) ?? [];
        return columns.Length >= 2 && long.TryParse(columns[0], NumberStyles.None, CultureInfo.InvariantCulture, out long soft) ? soft : null;
    }
}
