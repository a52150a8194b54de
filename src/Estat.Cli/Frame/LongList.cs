// Lists that may be long: read page by page, up to a limit.
using System.Globalization;

namespace Estat.Cli.Frame;

/// <summary>The options <c>--limit</c> and <c>--all</c>, and the reading of pages by cursor. A page may be empty though there is more.</summary>
/// <param name="what">What is listed: <c>dead letter</c>.</param>
/// <param name="pageSize">Most that one page has.</param>
internal sealed class LongList(string what, int pageSize)
{
    /// <summary><c>--limit</c>.</summary>
    internal Option<int> Limit { get; } = new("--limit")
    {
        Description = $"{char.ToUpperInvariant(what[0])}{what[1..]}s to list at most", DefaultValueFactory = _ => 100,
    };

    /// <summary><c>--all</c>.</summary>
    internal Option<bool> All { get; } = new("--all") { Description = "List all that fit" };

    /// <summary>Lists.</summary>
    /// <param name="parsed">The command line.</param>
    /// <param name="shell">Where it is said how many there were.</param>
    /// <param name="print">Prints the page at a cursor, of so many at most; says how many it had, and the next cursor.</param>
    /// <exception cref="CliException">The limit is none.</exception>
    internal async Task PrintAsync(ParseResult parsed, Shell shell, Func<string?, string, Task<(int Count, string? Cursor)>> print)
    {
        long left = parsed.GetValue(All) ? long.MaxValue : parsed.GetValue(Limit) > 0 ? parsed.GetValue(Limit)
            : throw CliException.Usage("--limit must be 1 or more");
        long listed = 0;
        string? cursor = null;
        do
        {
            (int count, cursor) = await print(cursor, Math.Min(left, pageSize).ToString(CultureInfo.InvariantCulture)).ConfigureAwait(false);
            listed += count;
            left -= count;
        }
        while (cursor is not null && left > 0);

        shell.Note(cursor is null ? $"{Words.Count(listed, what)}."
            : $"The first {Words.Count(listed, what)}; there may be more, and --all lists them all.");
    }
}
