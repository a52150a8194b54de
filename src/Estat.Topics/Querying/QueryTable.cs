// What can be asked of each table: its columns as answers name them, its filters, and its order.
using Estat.Topics.Messages;

namespace Estat.Topics.Querying;

/// <summary>How a column's value is read and written.</summary>
internal enum ColumnKind
{
    /// <summary>A text.</summary>
    Text,

    /// <summary>A UUID.</summary>
    Uuid,

    /// <summary>A number of 32 bits.</summary>
    Int,

    /// <summary>A number of 64 bits: a text in JSON, as JavaScript's numbers have 53.</summary>
    Long,

    /// <summary>A floating-point number.</summary>
    Double,

    /// <summary>True or false.</summary>
    Boolean,

    /// <summary>A moment.</summary>
    Time,

    /// <summary>JSON, which is passed on as it is.</summary>
    Json,
}

/// <summary>A column of an answer.</summary>
/// <param name="Name">In JSON.</param>
/// <param name="Sql">In SQL.</param>
/// <param name="Kind">What it holds.</param>
internal sealed record QueryColumn(string Name, string Sql, ColumnKind Kind);

/// <summary>A filter: a parameter whose value a column must have.</summary>
/// <param name="Parameter">Its name in URLs.</param>
/// <param name="Sql">The column.</param>
/// <param name="IsFlag">Whether it is <c>true</c> or <c>false</c>; else a text.</param>
internal sealed record QueryFilter(string Parameter, string Sql, bool IsFlag = false);

/// <summary>A table.</summary>
/// <param name="Name">In SQL.</param>
/// <param name="Topic">The topic whose messages its rows are of; null: any.</param>
/// <param name="Columns">Its columns.</param>
/// <param name="Filters">What it may be asked by, beside times.</param>
/// <param name="Order">Positions of the columns that rows are ordered by, newest first: the time, and what tells rows of one time apart.</param>
internal sealed record QueryTable(
    string Name, string? Topic, IReadOnlyList<QueryColumn> Columns, IReadOnlyList<QueryFilter> Filters, IReadOnlyList<int> Order)
{
    /// <summary>The column of time.</summary>
    internal const string Time = "\"timestamp\"";

    /// <summary>The filter of messages by key; an index has the key's hash, as a key may be longer than an index takes.</summary>
    internal static readonly QueryFilter Key = new("key", "key");

    /// <summary>Every message.</summary>
    internal static readonly QueryTable Messages = new(
        "messages", null,
        [
            new("id", "id", ColumnKind.Uuid), new("topic", "topic", ColumnKind.Text), new("partition", "\"partition\"", ColumnKind.Int),
            new("offset", "\"offset\"", ColumnKind.Long), new("key", "key", ColumnKind.Text), new("value", "value", ColumnKind.Json),
            new("headers", "headers", ColumnKind.Json), new("timestamp", Time, ColumnKind.Time), new("createdAt", "created_at", ColumnKind.Time),
        ],
        [new("topic", "topic"), Key],
        [7, 1, 2, 3]);

    /// <summary>What users do.</summary>
    internal static readonly QueryTable UserActivities = new(
        "user_activities", BuiltInTopic.UserActivities,
        [
            new("id", "id", ColumnKind.Uuid), new("userId", "user_id", ColumnKind.Text), new("action", "action", ColumnKind.Text),
            new("resource", "resource", ColumnKind.Text), new("metadata", "metadata", ColumnKind.Json),
            new("ipAddress", "ip_address", ColumnKind.Text), new("userAgent", "user_agent", ColumnKind.Text),
            new("timestamp", Time, ColumnKind.Time), new("createdAt", "created_at", ColumnKind.Time),
        ],
        [new("userId", "user_id"), new("action", "action")],
        [7, 0]);

    /// <summary>Measured values.</summary>
    internal static readonly QueryTable Metrics = new(
        "system_metrics", BuiltInTopic.SystemMetrics,
        [
            new("id", "id", ColumnKind.Uuid), new("metricName", "metric_name", ColumnKind.Text), new("value", "value", ColumnKind.Double),
            new("unit", "unit", ColumnKind.Text), new("tags", "tags", ColumnKind.Json),
            new("timestamp", Time, ColumnKind.Time), new("createdAt", "created_at", ColumnKind.Time),
        ],
        [new("metricName", "metric_name")],
        [5, 0]);

    /// <summary>Errors of services.</summary>
    internal static readonly QueryTable Errors = new(
        "error_logs", BuiltInTopic.ErrorLogs,
        [
            new("id", "id", ColumnKind.Uuid), new("service", "service", ColumnKind.Text), new("errorType", "error_type", ColumnKind.Text),
            new("message", "message", ColumnKind.Text), new("stackTrace", "stack_trace", ColumnKind.Text),
            new("context", "context", ColumnKind.Json), new("severity", "severity", ColumnKind.Text),
            new("resolved", "resolved", ColumnKind.Boolean), new("resolvedAt", "resolved_at", ColumnKind.Time),
            new("timestamp", Time, ColumnKind.Time), new("createdAt", "created_at", ColumnKind.Time),
        ],
        [new("service", "service"), new("severity", "severity"), new("resolved", "resolved", IsFlag: true)],
        [9, 0]);

    /// <summary>The columns as SQL selects them.</summary>
    internal string Selected { get; } = string.Join(", ", Columns.Select(column => column.Sql));

    /// <summary>The order's columns as SQL names them.</summary>
    internal IReadOnlyList<string> OrderSql { get; } = [.. Order.Select(index => Columns[index].Sql)];
}
