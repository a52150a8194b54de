// What metrics say of queries.
using Estat.Base.Metrics;

namespace Estat.Topics.Querying;

/// <summary>Counted where it happens. Any thread.</summary>
internal sealed class QueryCounters
{
    private readonly StripedCounter[] _faults = [.. Enum.GetValues<QueryFault>().Select(_ => new StripedCounter())];

    /// <summary>Queries to the database that ended, with an answer or without.</summary>
    internal StripedCounter Queries { get; } = new();

    /// <summary>Their whole microseconds, waiting for a connection included.</summary>
    internal StripedCounter Microseconds { get; } = new();

    /// <summary>Queries that ended without an answer, by what was wrong.</summary>
    internal StripedCounter Faults(QueryFault fault) => _faults[(int)fault];

    /// <summary>A query ended.</summary>
    internal void OnEnded(TimeSpan duration)
    {
        Queries.Increment();
        Microseconds.Add((long)duration.TotalMicroseconds);
    }
}
