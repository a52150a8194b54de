// A query's answer, as a table, NDJSON or CSV.
using System.Globalization;
using Estat.Cli.Frame;
using Estat.Lake.Querying;
using Spectre.Console;

namespace Estat.Cli.Querying;

/// <summary>Rows go to standard output, what could not be read and the speed to standard error.</summary>
internal sealed class QueryOutput(Shell shell, QuerySettings settings, bool json, bool csv, int limit, string where)
{
    private const int DefaultTop = 20;
    private const int MostBrokenTold = 100;
    private readonly long _started = shell.Time.GetTimestamp();
    private long _broken;
    private long _rows;

    internal void OnBroken(string key, long line, string fault)
    {
        if (_broken++ < MostBrokenTold)
        {
            shell.Note(Shell.Printable($"{key}{(line > 0 ? $":{line}" : "")}: {fault}"));
        }
    }

    /// <summary>Gives out one event's fields.</summary>
    /// <returns>False when that is enough.</returns>
    internal bool OnRow(string?[] row)
    {
        if (limit > 0 && _rows >= limit)
        {
            return false;
        }

        _rows++;
        shell.Say(csv ? string.Join(',', row.Select(value => Cell(value ?? ""))) : JsonLine.Of(writer =>
        {
            for (int i = 0; i < row.Length; i++)
            {
                writer.WriteString(settings.Fields[i].Text, row[i]);
            }
        }));
        return true;
    }

    internal int OnEnd(LakeQuery query, bool ended)
    {
        if (settings.By is not null)
        {
            ShowTimes(query);
        }

        if (settings.Top is not null)
        {
            ShowTop(query);
        }

        double seconds = Math.Max(shell.Time.GetElapsedTime(_started).TotalSeconds, 0.001);
        if (json && settings.Fields.Count == 0)
        {
            ShowSummary(query, ended, seconds);
        }

        string broken = query.Broken > 0 ? $"; {Words.Count(query.Broken)} broken, see above" : "";
        shell.Note($"{Words.Count(query.Matched)} of {Words.Count(query.Read, "event")} in {Words.Count(query.Objects, "object")} of "
            + $"{where}{broken}; "
            + $"{seconds.ToString("0.0", CultureInfo.InvariantCulture)} s, {Words.Count((long)(query.Read / seconds))} events/s, "
                + $"{Words.Bytes((long)(query.TextBytes / seconds))}/s of lines ({Words.Bytes((long)(query.Bytes / seconds))}/s compressed)");
        if (!ended)
        {
            shell.Note("estat: interrupted; the counts are those of the objects that were read");
            return ExitCode.Interrupted;
        }

        return query.Broken > 0 ? ExitCode.Failed : ExitCode.Done;
    }

    private void ShowTimes(LakeQuery query)
    {
        string form = settings.By switch
        {
            TimeStep.Day => "yyyy-MM-dd",
            TimeStep.Hour => "yyyy-MM-dd'T'HH'Z'",
            _ => "yyyy-MM-dd'T'HH:mm'Z'",
        };
        string name = settings.By.ToString()!.ToLowerInvariant();
        Show([name, "events"], query.ByTime.Select(row => (TimeOf(row.Key, form), row.Value)));
    }

    private void ShowTop(LakeQuery query)
    {
        Show([settings.Top!.Text, "events"], query.Top.Most(limit > 0 ? limit : DefaultTop));
        if (query.Top.Error > 0)
        {
            shell.Note($"more than {Words.Count(settings.Distinct)} distinct values: counts may be too high by up to {Words.Count(query.Top.Error)}, "
                + $"never too low (--distinct counts more exactly)");
        }

        if (query.WithoutValue > 0)
        {
            shell.Note($"{Words.Count(query.WithoutValue, "event")} have no {settings.Top.Text}");
        }
    }

    private void Show(string[] names, IEnumerable<(string Name, long Count)> rows)
    {
        if (json)
        {
            foreach ((string name, long count) in rows)
            {
                shell.Say(JsonLine.Of(writer =>
                {
                    writer.WriteString(names[0], name);
                    writer.WriteNumber(names[1], count);
                }));
            }
        }
        else if (csv)
        {
            shell.Say($"{Quoted(names[0])},{names[1]}");
            foreach ((string name, long count) in rows)
            {
                shell.Say($"{Cell(name)},{count}");
            }
        }
        else
        {
            var table = new Table().Border(TableBorder.Simple).AddColumn(Markup.Escape(names[0])).AddColumn(new TableColumn(names[1]).RightAligned());
            foreach ((string name, long count) in rows)
            {
                table.AddRow(Markup.Escape(Shell.Printable(name)), Words.Count(count));
            }

            shell.Tables().Write(table);
        }
    }

    private string Cell(string text) => Quoted(shell.OutIsTerminal ? Shell.Printable(text) : text);

    private void ShowSummary(LakeQuery query, bool ended, double seconds) => shell.Say(JsonLine.Of(writer =>
    {
        writer.WriteStartObject("summary");
        writer.WriteBoolean("complete", ended);
        writer.WriteNumber("objects", query.Objects);
        writer.WriteNumber("bytes", query.Bytes);
        writer.WriteNumber("text_bytes", query.TextBytes);
        writer.WriteNumber("events", query.Read);
        writer.WriteNumber("matched", query.Matched);
        writer.WriteNumber("without_value", query.WithoutValue);
        writer.WriteNumber("count_error", query.Top.Error);
        writer.WriteNumber("broken", query.Broken);
        writer.WriteNumber("seconds", Math.Round(seconds, 3));
        writer.WriteEndObject();
    }));

    private static string TimeOf(long seconds, string form) =>
        seconds is >= -62_135_596_800 and <= 253_402_300_799
            ? DateTimeOffset.FromUnixTimeSeconds(seconds).ToString(form, CultureInfo.InvariantCulture)
            : seconds.ToString(CultureInfo.InvariantCulture);

    private static string Quoted(string text) =>
        text.AsSpan().IndexOfAny(",\"\r\n") >= 0 ? $"\"{text.Replace("\"", "\"\"", StringComparison.Ordinal)}\"" : text;
}
