// What is printed of a server under load.
using Estat.Bench.Measuring;

namespace Estat.Bench.Reporting;

internal static class ServerColumns
{
    internal static readonly IReadOnlyList<Column> All =
    [
        new(Metric.EventsPerSecond, "events/s", 0),
        new(Metric.CpuMicros, "CPU µs/event", 2),
        new(Metric.AllocatedBytes, "B alloc/event", 0),
        new(Metric.P50, "p50 ms", 2),
        new(Metric.P99, "p99 ms", 2),
        new(Metric.P999, "p99.9 ms", 2),
        new(Metric.Resident, "RSS MB", 0),
        new(Metric.Refused, "non-2xx", 0),
        new(Metric.PercentOfBare, "% of bare", 1),
        new(Metric.CpuBeyondBare, "µs beyond bare", 2),
        new(Metric.WrkCpuMicros, "wrk µs/request", 2),
    ];

    /// <summary>Of many connections, some may break.</summary>
    internal static readonly IReadOnlyList<Column> WithLost = [.. All, new(Metric.Lost, "lost", 0)];

    /// <summary>Where there is no floor to compare with.</summary>
    internal static readonly IReadOnlyList<Column> WithoutFloor = [.. All.Where(
        column => column.Key is not (Metric.PercentOfBare or Metric.CpuBeyondBare))];
}
