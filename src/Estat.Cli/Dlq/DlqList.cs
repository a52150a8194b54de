// `estat dlq list`.
using System.Globalization;
using System.Text.Json;
using Estat.Cli.Frame;
using Spectre.Console;

namespace Estat.Cli.Dlq;

/// <summary>A table on a terminal, tab-separated lines elsewhere, JSON lines with <c>--json</c>.</summary>
internal static class DlqList
{
    private static readonly string[] Columns = ["NAME", "EVENTS", "SIZE", "AGE", "TRIED", "NEXT TRY", "REASON"];

    internal static Command Create()
    {
        var limit = new Option<int>("--limit") { Description = "Files to list at most", DefaultValueFactory = _ => 100 };
        var all = new Option<bool>("--all") { Description = "List all files" };
        var json = new Option<bool>("--json") { Description = "One JSON object a file, one a line" };
        var command = new Command("list", "Lists files of the DLQ, by name: the oldest first") { limit, all, json };
        var dlq = new DlqOptions(command);
        return command.Does(async (parsed, shell) =>
        {
            using IDlqSource source = dlq.Open(parsed, shell);
            long left = parsed.GetValue(all) ? long.MaxValue : parsed.GetValue(limit) > 0 ? parsed.GetValue(limit)
                : throw CliException.Usage("--limit must be 1 or more");
            long listed = 0;
            long events = 0;
            string? after = null;
            DlqPage page;
            do
            {
                page = await source.PageAsync((int)Math.Min(left, DlqSources.PageSize), after, shell.Asked).ConfigureAwait(false);
                Print(shell, page.Files, parsed.GetValue(json), isFirst: after is null);
                listed += page.Files.Count;
                events += page.Files.Sum(file => file.Events);
                left -= page.Files.Count;
                after = page.Next;
            }
            while (after is not null && left > 0);

            long total = Math.Max(page.Total, listed);
            shell.Note(
                total == 0 ? $"The DLQ of {source.Description} is empty."
                : after is null ? $"{Words.Count(listed, "file")} with {Words.Count(events, "event")}."
                : $"{Words.Count(listed)} of {Words.Count(total, "file")}; --all lists them all.");
            return ExitCode.Done;
        });
    }

    private static void Print(Shell shell, IReadOnlyList<DlqFile> files, bool asJson, bool isFirst)
    {
        if (asJson)
        {
            foreach (DlqFile file in files)
            {
                shell.Say(JsonSerializer.Serialize(file, DlqJson.Default.DlqFile));
            }
        }
        else if (shell.OutIsTerminal && files.Count > 0)
        {
            var table = new Table { Border = TableBorder.None };
            foreach (string column in Columns)
            {
                table.AddColumn(new TableColumn(isFirst ? column : "") { NoWrap = column != Columns[^1] });
            }

            foreach (DlqFile file in files)
            {
                table.AddRow([.. Row(file).Select(cell => new Text(cell))]);
            }

            shell.Tables().Write(table);
        }
        else
        {
            if (isFirst && files.Count > 0)
            {
                shell.Say(string.Join('\t', Columns));
            }

            foreach (DlqFile file in files)
            {
                shell.Say(string.Join('\t', Row(file)));
            }
        }
    }

    private static IEnumerable<string> Row(DlqFile file) =>
    [
        Shell.Printable(file.Name),
        Words.Count(file.Events),
        Words.Bytes(file.Bytes),
        Words.Duration(TimeSpan.FromSeconds(file.AgeS)) + (file.Expired ? " (expired)" : ""),
        string.Create(CultureInfo.InvariantCulture, $"{file.Attempts}×"),
        file.NextDue is { } due ? due.UtcDateTime.ToString("HH:mm:ss'Z'", CultureInfo.InvariantCulture) : "at once",
        Shell.Printable(file.Reason ?? "its meta is missing").Replace('\t', ' '),
    ];
}
