// Medians as a table that people read.
using System.Globalization;
using System.Text;

namespace Estat.Bench.Reporting;

internal static class TextTable
{
    /// <summary>The sections one below the other; those with the same columns under one heading.</summary>
    internal static string Of(IReadOnlyList<Section> sections)
    {
        var text = new StringBuilder();
        IReadOnlyList<Column> heading = [];
        foreach (Section section in sections)
        {
            if (section.Rows.Count > 0 && !section.Columns.SequenceEqual(heading))
            {
                heading = section.Columns;
                text.AppendLine().AppendLine(Line("", heading.Select(column => column.Title), heading));
            }

            text.AppendLine(section.Title);
            foreach (Row row in section.Rows)
            {
                text.AppendLine(Line("  " + row.Name, section.Columns.Select(column => Cell(row, column)), section.Columns));
            }

            foreach (string note in section.Notes)
            {
                text.Append("  ").AppendLine(note);
            }
        }

        return text.ToString();
    }

    private static string Cell(Row row, Column column) =>
        row.Medians.TryGetValue(column.Key, out double value)
            ? value.ToString("N" + column.Decimals.ToString(CultureInfo.InvariantCulture), CultureInfo.InvariantCulture)
            : "";

    private static string Line(string name, IEnumerable<string> cells, IReadOnlyList<Column> columns) =>
        (name.PadRight(38) + string.Concat(cells.Zip(columns, (cell, column) => cell.PadLeft(Math.Max(column.Title.Length, 9) + 2)))).TrimEnd();
}
