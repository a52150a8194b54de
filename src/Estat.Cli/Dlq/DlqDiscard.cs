// `estat dlq discard`.
using System.Globalization;
using Estat.Cli.Frame;

namespace Estat.Cli.Dlq;

/// <summary>Looks first, asks, and then discards what it looked at: a file that changed in between is refused by its count.</summary>
internal static class DlqDiscard
{
    internal static Command Create()
    {
        (Argument<string[]> names, Option<bool> all) = DlqOptions.Choice("discard");
        var yes = new Option<bool>("--yes") { Description = "Do not ask; needs --events" };
        var events = new Option<long?>("--events")
            { Description = "The number of events in these files together; if it differs, nothing is discarded", HelpName = "n" };
        var command = new Command(
            "discard", "Discards files: their events are lost for good. To keep a copy, run estat dlq export first") { names, all, yes, events };
        var dlq = new DlqOptions(command);
        return command.Does(async (parsed, shell) =>
        {
            IReadOnlyList<string> chosen = DlqOptions.Chosen(parsed, names, all);
            if (parsed.GetValue(yes) ? parsed.GetValue(events) is null : !shell.CanAsk)
            {
                throw CliException.Usage(
                    "there is no terminal to ask on: give --yes and --events N, the number of events to be lost (estat dlq list counts them)");
            }

            using IDlqSource source = dlq.Open(parsed, shell, changes: true);
            long files = 0;
            long inThem = 0;
            await foreach (DlqFile file in source.ChosenAsync(chosen, shell.Asked).ConfigureAwait(false))
            {
                files++;
                inThem += file.Events;
            }

            if (files == 0)
            {
                shell.Note($"The DLQ of {source.Description} is empty.");
                return ExitCode.Done;
            }

            if (parsed.GetValue(events) is { } expected && expected != inThem)
            {
                throw new CliException($"--events {expected}: the {Words.Count(files, "file")} hold {inThem}. Nothing was discarded");
            }

            if (!parsed.GetValue(yes) && !shell.Confirm(
                $"Discard {Words.Count(files, "file")} with {Words.Count(inThem, "event")} of {source.Description}? They are lost for good."))
            {
                shell.Note("Nothing was discarded.");
                return ExitCode.Failed;
            }

            var progress = new Progress();
            progress.Set(0, files);
            long discarded = await shell.ProgressAsync("discarding", progress, () => DiscardAsync(source, chosen, inThem, shell, progress))
                .ConfigureAwait(false);
            shell.Say(string.Create(
                CultureInfo.InvariantCulture, $"{Words.Count(progress.Done, "file")} with {Words.Count(discarded, "event")} discarded"));
            return shell.Interruption.IsAsked ? ExitCode.Interrupted : ExitCode.Done;
        });
    }

    // Never more than was agreed to: what came since the question stays.
    private static async Task<long> DiscardAsync(IDlqSource source, IReadOnlyList<string> chosen, long agreed, Shell shell, Progress progress)
    {
        long discarded = 0;
        await foreach (DlqFile file in source.ChosenAsync(chosen, CancellationToken.None).ConfigureAwait(false))
        {
            if (shell.Interruption.IsAsked || discarded + file.Events > agreed)
            {
                break;
            }

            if (await source.DiscardAsync(file.Name, file.Events, CancellationToken.None).ConfigureAwait(false) is { } events)
            {
                discarded += events;
                progress.Add(1);
            }
        }

        return discarded;
    }
}
