// The process' limit of open files, and who may use how many of them: every connection is one.
using System.Globalization;
using Estat.Api.Options;

namespace Estat.Api.Hosting;

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

    // Prefixes of write keys that a process may come to hold, each at two levels with a segment of its own (PrefixPartitions).
    private const int OfPrefixes = 32 * 2;

    // A segment that is read, the connection to the store, and a file of a folder of objects.
    private const int EachUpload = 3;

    // With less than this share of the limit the node would hardly serve anybody: better a reserve that is short.
    private const int LeastShare = 8;

    private const string LimitsFile = "/proc/self/limits";
    private const string Row = "Max open files";

    /// <summary>What this process may open, shared out as the options need it.</summary>
    internal static OpenFiles Of(EstatOptions options) => Of(options, ReadLimit());

    /// <summary>A limit shared out.</summary>
    internal static OpenFiles Of(EstatOptions options, long? limit)
    {
        int partitions = (2 * options.Collect.Partitions) + 1; // disk, replica and stored: each has an open segment and a spare
        int prefixes = options.Keys.AreConfigured ? OfPrefixes : 0;
        int uploads = options.Collect.UploadQueue + (EachUpload * options.Collect.UploadConcurrency);
        int reserve = Runtime + Chores + (2 * partitions) + prefixes + uploads;
        long left = limit is { } files ? Math.Max(files - reserve, files / LeastShare) : long.MaxValue;
        return new OpenFiles(limit, reserve, (int)Math.Min(options.Http.MaxConnections, Math.Max(1, left)));
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
