// One question for rows of a table, checked.
using System.Globalization;
using System.Text;

namespace Estat.Topics.Querying;

/// <summary>Whether an answer says how many rows there are.</summary>
internal enum CountKind
{
    /// <summary>It does not.</summary>
    None,

    /// <summary>Counted, for which rows have to be read.</summary>
    Exact,

    /// <summary>PostgreSQL's estimate.</summary>
    Estimated,
}

/// <summary>A filter and its value.</summary>
/// <param name="Filter">Which.</param>
/// <param name="Text">Its text; of a flag <c>true</c> or <c>false</c>.</param>
internal readonly record struct AskedFilter(QueryFilter Filter, string Text);

/// <summary>A question.</summary>
/// <param name="Table">Of which table.</param>
/// <param name="Filters">Those that were given, in the table's order.</param>
internal sealed record RowQuery(QueryTable Table, IReadOnlyList<AskedFilter> Filters)
{
    /// <summary>The earliest time, inclusive; null: any.</summary>
    internal DateTime? Start { get; init; }

    /// <summary>The latest time, inclusive; null: any.</summary>
    internal DateTime? End { get; init; }

    /// <summary>Most rows.</summary>
    internal int Limit { get; init; }

    /// <summary>Rows to skip; null: not asked for.</summary>
    internal int? Offset { get; init; }

    /// <summary>Where the page before ended, as values of the order's columns; null at the first page.</summary>
    internal IReadOnlyList<object>? After { get; init; }

    /// <summary>Whether to count.</summary>
    internal CountKind Count { get; init; }

    /// <summary>What a cursor belongs to: table and filters, each with its length, so that no two questions have the same text.</summary>
    internal string Scope
    {
        get
        {
            var scope = new StringBuilder(Table.Name);
            foreach (AskedFilter asked in Filters)
            {
                scope.Append(CultureInfo.InvariantCulture, $"\n{asked.Filter.Parameter}={asked.Text.Length}:{asked.Text}");
            }

            return scope.Append(CultureInfo.InvariantCulture, $"\n{Start?.Ticks}..{End?.Ticks}").ToString();
        }
    }
}
