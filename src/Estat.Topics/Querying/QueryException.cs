// Why a query has no answer.
namespace Estat.Topics.Querying;

/// <summary>What is wrong.</summary>
internal enum QueryFault
{
    /// <summary>TOPICS_DATABASE is not set.</summary>
    NotSet,

    /// <summary>The database cannot be reached, is stopping, or refuses connections or what the role may not do.</summary>
    Away,

    /// <summary>It answers, but the tables are not there: nothing has migrated it.</summary>
    NoTables,

    /// <summary>All TOPICS_QUERY_CONNECTIONS were busy for too long.</summary>
    Busy,

    /// <summary>The query took longer than TOPICS_QUERY_TIMEOUT.</summary>
    TooSlow,
}

/// <summary>A query that has no answer now, whatever it asked for.</summary>
/// <param name="fault">What is wrong.</param>
/// <param name="message">For the operator.</param>
/// <param name="cause">What was thrown; null without.</param>
internal sealed class QueryException(QueryFault fault, string message, Exception? cause = null) : Exception(message, cause)
{
    /// <summary>What is wrong.</summary>
    internal QueryFault Fault { get; } = fault;
}
