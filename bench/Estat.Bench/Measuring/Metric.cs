// Names of what is measured, as they stand in bench.json. Units are in the names.
namespace Estat.Bench.Measuring;

internal static class Metric
{
    internal const string EventsPerSecond = "events_per_second";
    internal const string CpuMicros = "cpu_us_per_event";
    internal const string AllocatedBytes = "allocated_bytes_per_event";
    internal const string P50 = "p50_ms";
    internal const string P99 = "p99_ms";
    internal const string P999 = "p999_ms";
    internal const string Resident = "rss_mb";
    internal const string Refused = "non_2xx";
    internal const string Lost = "lost";
    internal const string WrkCpuMicros = "wrk_cpu_us_per_request";
    internal const string PercentOfBare = "percent_of_bare";
    internal const string CpuBeyondBare = "cpu_us_beyond_bare";
    internal const string Acknowledged = "acknowledged_events";
    internal const string StoredPerSecond = "stored_events_per_second";
    internal const string StoredEvents = "stored_events";
    internal const string DecisionsPerSecond = "decisions_per_second";
    internal const string LastPlaceMs = "last_place_ms";
    internal const string SecondsToDrain = "seconds_to_drain";
    internal const string RowsPerSecond = "rows_per_second";
    internal const string ResidentAtStart = "rss_start_mb";
    internal const string ResidentMidway = "rss_mid_mb";
    internal const string ResidentAtEnd = "rss_end_mb";
    internal const string ResidentAtMost = "rss_most_mb";
    internal const double Megabyte = 1_000_000;
}
