// The tables that take rows of messages, and the SQL that brings rows there.
using Estat.Topics.Messages;

namespace Estat.Topics.Postgres;

/// <summary>A table that is partitioned by day. Rows are written with the columns named here, in this order.</summary>
internal sealed class StoredTable
{
    private const string TypedKey = "id, \"timestamp\"";

    private StoredTable(string name, string columns, string key, int ordinal)
    {
        Name = name;
        Ordinal = ordinal;
        Fields = columns.Count(character => character == ',') + 1;
        Copy = $"COPY {name} ({columns}) FROM STDIN (FORMAT binary)";
        MakeAgain = $"CREATE TEMP TABLE IF NOT EXISTS again_{name} ON COMMIT DELETE ROWS AS SELECT {columns} FROM {name} WITH NO DATA";
        CopyAgain = $"COPY again_{name} ({columns}) FROM STDIN (FORMAT binary)";
        InsertAgain = $"INSERT INTO {name} ({columns}) SELECT {columns} FROM again_{name} ON CONFLICT ({key}) DO NOTHING";
        EmptyAgain = $"DELETE FROM again_{name}";
    }

    /// <summary>Every message.</summary>
    internal static StoredTable Messages { get; } =
        new("messages", "id, topic, \"partition\", \"offset\", key, value, headers, \"timestamp\"",
            "topic, \"partition\", \"offset\", \"timestamp\"", -1);

    /// <summary>Typed rows of user-activities.</summary>
    internal static StoredTable UserActivities { get; } =
        new("user_activities", "id, user_id, action, resource, metadata, ip_address, user_agent, \"timestamp\"", TypedKey, 0);

    /// <summary>Typed rows of system-metrics.</summary>
    internal static StoredTable SystemMetrics { get; } = new("system_metrics", "id, metric_name, value, unit, tags, \"timestamp\"",
        TypedKey, 1);

    /// <summary>Typed rows of error-logs.</summary>
    internal static StoredTable ErrorLogs { get; } =
        new("error_logs", "id, service, error_type, message, stack_trace, context, severity, \"timestamp\"", TypedKey, 2);

    /// <summary>Those with typed rows, by <see cref="Ordinal"/>.</summary>
    internal static IReadOnlyList<StoredTable> Typed { get; } = [UserActivities, SystemMetrics, ErrorLogs];

    /// <summary>All of them.</summary>
    internal static IReadOnlyList<StoredTable> All { get; } = [Messages, .. Typed];

    /// <summary>Its name.</summary>
    internal string Name { get; }

    /// <summary>Its place in <see cref="Typed"/>; -1 of messages.</summary>
    internal int Ordinal { get; }

    /// <summary>Columns that are written.</summary>
    internal int Fields { get; }

    /// <summary>COPY of rows that are not there.</summary>
    internal string Copy { get; }

    /// <summary>Makes the session's table for rows that may be there.</summary>
    internal string MakeAgain { get; }

    /// <summary>COPY of rows that may be there.</summary>
    internal string CopyAgain { get; }

    /// <summary>Brings those over that are not there.</summary>
    internal string InsertAgain { get; }

    /// <summary>Empties the session's table.</summary>
    internal string EmptyAgain { get; }

    /// <summary>The table of a topic's typed rows; null when it has none.</summary>
    /// <param name="topic">Its name.</param>
    internal static StoredTable? Of(string topic) => topic switch
    {
        BuiltInTopic.UserActivities => UserActivities,
        BuiltInTopic.SystemMetrics => SystemMetrics,
        BuiltInTopic.ErrorLogs => ErrorLogs,
        _ => null,
    };
}
