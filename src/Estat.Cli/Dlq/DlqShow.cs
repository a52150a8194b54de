// `estat dlq show NAME`.
using System.Text.Json;
using Estat.Cli.Frame;

namespace Estat.Cli.Dlq;

/// <summary>One file and its first lines.</summary>
internal static class DlqShow
{
    internal static Command Create()
    {
        var name = new Argument<string>("name") { Description = "The file, as estat dlq list names it" };
        var lines = new Option<int>("--lines") { Description = "Lines to show at most, up to 100", DefaultValueFactory = _ => 10 };
        var json = new Option<bool>("--json") { Description = "One JSON object" };
        var command = new Command("show", "Shows one file: where it would go, why it is here, its first lines") { name, lines, json };
        var dlq = new DlqOptions(command);
        return command.Does(async (parsed, shell) =>
        {
            using IDlqSource source = dlq.Open(parsed, shell);
            string wanted = parsed.GetRequiredValue(name);
            DlqFile file = await source.ShowAsync(wanted, Math.Clamp(parsed.GetValue(lines), 1, 100), shell.Asked).ConfigureAwait(false)
                ?? throw new CliException($"{wanted}: no such file in the DLQ of {source.Description}. estat dlq list shows what there is");
            if (parsed.GetValue(json))
            {
                shell.Say(JsonSerializer.Serialize(file, DlqJson.Default.DlqFile));
                return ExitCode.Done;
            }

            shell.Say($"name      {Shell.Printable(file.Name)}");
            shell.Say($"key       {Shell.Printable(file.Key ?? "unknown: its meta is missing; its name and content say it")}");
            shell.Say($"events    {Words.Count(file.Events)} in {Words.Bytes(file.Bytes)}{(file.Form is "raw" or "Raw" ? ", not compressed" : "")}");
            shell.Say($"opened    {Time(file.Created)} ({Words.Duration(TimeSpan.FromSeconds(file.AgeS))} "
                + $"ago{(file.Expired ? ", past DLQ_MAX_AGE" : "")})");
            shell.Say($"tried     {Words.Count(file.Attempts, "time")}; "
                + $"{(file.NextDue is null ? "due now" : $"next not before {Time(file.NextDue)}")}");
            shell.Say($"reason    {Shell.Printable(file.Reason ?? "")}");
            foreach (string line in file.Lines ?? [])
            {
                shell.Say("  " + (shell.OutIsTerminal ? Shell.Printable(line) : line));
            }

            if (file.Truncated == true)
            {
                shell.Say("  …");
            }

            return ExitCode.Done;
        });
    }

    private static string Time(DateTimeOffset? time) =>
        time is { } known ? Words.Moment(known) : "unknown";
}
