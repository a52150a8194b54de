// A question as SQL. Names come from the tables' descriptions alone; everything that was sent is a parameter.
using System.Globalization;
using System.Text;
using Npgsql;
using NpgsqlTypes;

namespace Estat.Topics.Querying;

/// <summary>
/// Each text is one of few, so that it is prepared once a connection. A page goes on behind a row by comparing rows, never by skipping them; the same
/// bound stands once more on the time alone, because PostgreSQL leaves out days by that.
/// </summary>
internal sealed class RowSql
{
    private readonly StringBuilder _text = new();
    private readonly List<NpgsqlParameter> _parameters = [];

    private RowSql()
    {
    }

    /// <summary>The rows of a page, and one more, which tells whether there are more.</summary>
    /// <param name="query">The question.</param>
    /// <param name="since">Rows that are older are left out, beside what the question says; null: none.</param>
    /// <param name="connection">Where it will run.</param>
    internal static NpgsqlCommand Page(RowQuery query, DateTime? since, NpgsqlConnection connection)
    {
        var sql = new RowSql();
        if (IsKeyAlone(query))
        {
            sql.AddKeyOfAllTopics(query, since);
        }
        else
        {
            sql.Add($"SELECT {query.Table.Selected} FROM {query.Table.Name}");
            sql.AddWhere(query, since, query.After);
            sql.AddOrder([.. OrderOf(query).Select(column => column.Sql)]);
            sql.AddLimit(query);
        }

        return sql.In(connection);
    }

    /// <summary>The number of rows that fit, on whatever page.</summary>
    internal static NpgsqlCommand Count(RowQuery query, NpgsqlConnection connection)
    {
        var sql = new RowSql();
        sql.Add($"SELECT count(*) FROM {query.Table.Name}");
        sql.AddWhere(query, null, null);
        return sql.In(connection);
    }

    /// <summary>The plan of reading all rows that fit, as JSON: it has their estimated number.</summary>
    internal static NpgsqlCommand Estimate(RowQuery query, NpgsqlConnection connection)
    {
        var sql = new RowSql();
        sql.Add($"EXPLAIN (FORMAT JSON) SELECT 1 FROM {query.Table.Name}");
        sql.AddWhere(query, null, null);
        return sql.In(connection);
    }

    // The index by key has the topic before the time, so that a key which is rare in one topic is found there at once. Over all topics it is asked
    // once for each.
    private void AddKeyOfAllTopics(RowQuery query, DateTime? since)
    {
        Add($"SELECT m.* FROM topic_status s CROSS JOIN LATERAL (SELECT {query.Table.Selected} FROM {query.Table.Name}");
        AddWhere(query, since, query.After);
        Add(" AND topic = s.topic_name");
        AddOrder([.. query.Table.OrderSql.Where(column => column != "topic")]);
        Add($" LIMIT {Parameter(query.Limit + 1 + (query.Offset ?? 0), NpgsqlDbType.Integer)}) m");
        AddOrder(query.Table.OrderSql);
        AddLimit(query);
    }

    private void AddWhere(RowQuery query, DateTime? since, IReadOnlyList<object>? after)
    {
        string joint = " WHERE ";
        foreach (AskedFilter asked in query.Filters)
        {
            AddCondition(asked);
        }

        DateTime? start = since > query.Start || query.Start is null ? since : query.Start;
        if (start is { } earliest)
        {
            AddTerm($"{QueryTable.Time} >= {Parameter(earliest, NpgsqlDbType.TimestampTz)}");
        }

        DateTime? end = after is { } && (query.End is null || (DateTime)after[0] < query.End) ? (DateTime)after[0] : query.End;
        if (end is { } latest)
        {
            AddTerm($"{QueryTable.Time} <= {Parameter(latest, NpgsqlDbType.TimestampTz)}");
        }

        if (after is not null)
        {
            (string Sql, int Index)[] order = OrderOf(query);
            string behind = $"({string.Join(", ", order.Select(column => column.Sql))}) < "
                + $"({string.Join(", ", order.Select(column => ValueOf(after[column.Index])))})";
            AddTerm(IsKeyAlone(query) ? Unestimated(behind) : behind);
        }

        void AddCondition(AskedFilter asked)
        {
            string column = asked.Filter.Sql;
            if (asked.Filter.IsFlag)
            {
                AddTerm(asked.Text == "true" ? column : $"NOT {column}");
                return;
            }

            string value = Parameter(asked.Text, NpgsqlDbType.Text);
            AddTerm(asked.Filter == QueryTable.Key
                ? $"hashtextextended(key, 0) = hashtextextended({value}, 0) AND {Unestimated($"key = {value}")}" : $"{column} = {value}");
        }

        void AddTerm(string term)
        {
            Add(joint);
            Add(term);
            joint = " AND ";
        }
    }

    private static bool IsKeyAlone(RowQuery query) => query.Filters is [{ Filter: var only }] && only == QueryTable.Key;

    // A column that a filter fixes orders nothing: without it the order, and where a page begins, are those of the filter's index.
    private static (string Sql, int Index)[] OrderOf(RowQuery query) =>
        [.. query.Table.OrderSql.Select((sql, index) => (sql, index)).Where(column => query.Filters.All(asked => asked.Filter.Sql != column.sql))];

    // PostgreSQL takes conditions for independent. Where one follows from another it would expect too few rows, and sort them all instead of reading
    // the first ones in order.
    private static string Unestimated(string condition) => $"CASE WHEN {condition} THEN true ELSE false END";

    private void AddOrder(IReadOnlyList<string> columns) =>
        Add($" ORDER BY {string.Join(", ", columns.Select(column => $"{column} DESC"))}");

    private void AddLimit(RowQuery query)
    {
        Add($" LIMIT {Parameter(query.Limit + 1, NpgsqlDbType.Integer)}");
        if (query.Offset is > 0 and int offset)
        {
            Add($" OFFSET {Parameter(offset, NpgsqlDbType.Integer)}");
        }
    }

    private string ValueOf(object value) => Parameter(value, value switch
    {
        DateTime => NpgsqlDbType.TimestampTz,
        string => NpgsqlDbType.Text,
        int => NpgsqlDbType.Integer,
        long => NpgsqlDbType.Bigint,
        _ => NpgsqlDbType.Uuid,
    });

    private string Parameter(object value, NpgsqlDbType type)
    {
        _parameters.Add(new NpgsqlParameter { Value = value, NpgsqlDbType = type });
        return string.Create(CultureInfo.InvariantCulture, $"${_parameters.Count}");
    }

    private void Add(string text) => _text.Append(text);

#pragma warning disable CA2100 // names come from descriptions, values are parameters
    private NpgsqlCommand In(NpgsqlConnection connection)
    {
        var command = new NpgsqlCommand(_text.ToString(), connection);
        command.Parameters.AddRange(_parameters.ToArray());
        return command;
    }
#pragma warning restore CA2100
}
