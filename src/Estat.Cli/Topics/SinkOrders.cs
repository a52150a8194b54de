// `estat topics reset`, `pause`, `resume`, `adopt` and `give-up`.
using System.Globalization;
using System.Text.Json;
using Estat.Cli.Frame;

namespace Estat.Cli.Topics;

/// <summary>Orders to the sink. What loses or repeats work is only shown without <c>--yes</c>, or asked for on a terminal.</summary>
internal static class SinkOrders
{
    internal static Command Reset()
    {
        Argument<string> topic = TopicsVerb.Topic();
        var to = new Option<string>("--to")
        {
            Description = "beginning, end, an offset (with --partition), or a time such as 2026-12-24T10:00:00Z", HelpName = "WHERE", Required = true,
        };
        to.CompletionSources.Add("beginning", "end");
        var partition = new Option<int?>("--partition") { Description = "Only this partition", HelpName = "N" };
        var yes = new Option<bool>("--yes") { Description = "Do it. Without it: only say what it would do" };
        var json = new Option<bool>("--json") { Description = "Print the answer as one JSON object" };
        var command = new Command("reset", "Lets the sink go on elsewhere in a topic. What is stored stays, and is not stored twice")
        {
            topic, to, partition, yes, json,
        };
        NodeOptions node = NodeOptions.ForAdmin(command);
        return command.Does(async (parsed, shell) =>
        {
            using var desk = TopicDesk.Of(node, parsed, shell);
            ResetAnswer answer = await desk.OrderAsync(
                HttpMethod.Post, TopicDesk.PathOf(parsed.GetRequiredValue(topic), "/reset"),
                writer =>
                {
                    writer.WriteString("to", parsed.GetRequiredValue(to));
                    writer.WriteBoolean("dryRun", !parsed.GetValue(yes));
                    if (parsed.GetValue(partition) is { } number)
                    {
                        writer.WriteNumber("partition", number);
                    }
                },
                TopicAnswersJson.Readable.ResetAnswer, shell.Asked).ConfigureAwait(false);
            if (parsed.GetValue(json))
            {
                shell.Say(JsonSerializer.Serialize(answer, TopicAnswersJson.Readable.ResetAnswer));
                return ExitCode.Done;
            }

            Print(shell, answer.Partitions);
            shell.Note(answer.DryRun
                ? $"{Words.Count(answer.Again, "message")} would be read again, {Words.Count(answer.Skipped)} passed over and not stored. Nothing "
                    + $"was changed: {OwnCommand.Line()} --yes does it."
                : $"{Words.Count(answer.Again, "message")} are read again, {Words.Count(answer.Skipped)} are passed over.");
            return ExitCode.Done;
        });
    }

    internal static Command Pause() => Plain("pause", "Lets the sink store nothing; messages are still taken");

    internal static Command Resume() => Plain("resume", "Lets the sink go on: after a pause, and after a stop whose cause is gone");

    internal static Command Adopt()
    {
        var yes = new Option<bool>("--yes") { Description = "Do not ask" };
        var command = new Command("adopt", "Goes on with the node's log, from its start, where the database knows another one") { yes };
        NodeOptions node = NodeOptions.ForAdmin(command);
        return command.Does(async (parsed, shell) =>
        {
            using var desk = TopicDesk.Of(node, parsed, shell);
            TopicsAnswer now = await desk.LookAsync(shell.Asked).ConfigureAwait(false);
            string log = now.Log.Id ?? throw new CliException(
                $"{Shell.Printable(now.Log.Description)} has not said yet which cluster it is; try again when its brokers answer");
            if (!Agrees(shell, parsed.GetValue(yes),
                $"Go on with the log {Shell.Printable(log)} ({Shell.Printable(now.Log.Description)}) from its "
                + "start? What is only in the other log is not stored any more."))
            {
                return ExitCode.Failed;
            }

            AdoptAnswer answer = await desk.OrderAsync(
                HttpMethod.Post, "admin/sink/adopt", _ => { }, TopicAnswersJson.Readable.AdoptAnswer, shell.Asked).ConfigureAwait(false);
            Print(shell, answer.Partitions);
            shell.Note(answer.Partitions.Count == 0 ? "The database knows this log. Nothing was changed."
                : $"{Words.Count(answer.Partitions.Count, "partition")} go on with the log {Shell.Printable(answer.LogId)}.");
            return ExitCode.Done;
        });
    }

    internal static Command GiveUp()
    {
        var yes = new Option<bool>("--yes") { Description = "Do not ask" };
        var json = new Option<bool>("--json") { Description = "Print the sink as one JSON object" };
        var command = new Command("give-up", "Makes the one message that the sink cannot get past a dead letter") { yes, json };
        NodeOptions node = NodeOptions.ForAdmin(command);
        return command.Does(async (parsed, shell) =>
        {
            using var desk = TopicDesk.Of(node, parsed, shell);
            PinnedAnswer pinned = (await desk.LookAsync(shell.Asked).ConfigureAwait(false)).Sink?.Pinned
                ?? throw new CliException("There is no message that the sink cannot get past; estat topics show says what it does");
            if (!Agrees(shell, parsed.GetValue(yes),
                $"Make {TopicText.Position(pinned)} a dead letter? The database says: {Shell.Printable(pinned.Error)}."))
            {
                return ExitCode.Failed;
            }

            SinkOrderAnswer answer = await desk.OrderAsync(
                HttpMethod.Post, "admin/sink/give-up",
                writer =>
                {
                    writer.WriteString("topic", pinned.Topic);
                    writer.WriteNumber("partition", pinned.Partition);
                    writer.WriteString("offset", pinned.Offset);
                },
                TopicAnswersJson.Readable.SinkOrderAnswer, shell.Asked).ConfigureAwait(false);
            TopicText.Print(shell, answer.Sink, parsed.GetValue(json));
            return ExitCode.Done;
        });
    }

    /// <summary>Whether somebody wants it.</summary>
    /// <param name="shell">Where it is asked.</param>
    /// <param name="yes">It was said before.</param>
    /// <param name="question">What is asked.</param>
    /// <exception cref="CliException">Nobody can be asked.</exception>
    internal static bool Agrees(Shell shell, bool yes, string question)
    {
        if (yes)
        {
            return true;
        }

        if (!shell.CanAsk)
        {
            throw CliException.Usage("there is no terminal to ask on: give --yes");
        }

        bool agrees = shell.Confirm(question);
        if (!agrees)
        {
            shell.Note("Nothing was changed.");
        }

        return agrees;
    }

    private static Command Plain(string name, string description)
    {
        var json = new Option<bool>("--json") { Description = "Print the sink as one JSON object" };
        var command = new Command(name, description) { json };
        NodeOptions node = NodeOptions.ForAdmin(command);
        return command.Does(async (parsed, shell) =>
        {
            using var desk = TopicDesk.Of(node, parsed, shell);
            SinkOrderAnswer answer = await desk.OrderAsync(
                HttpMethod.Post, $"admin/sink/{name}", _ => { }, TopicAnswersJson.Readable.SinkOrderAnswer, shell.Asked).ConfigureAwait(false);
            TopicText.Print(shell, answer.Sink, parsed.GetValue(json));
            return ExitCode.Done;
        });
    }

    private static void Print(Shell shell, IReadOnlyList<ResetStepAnswer> steps) => shell.Rows(
        ["TOPIC", "PARTITION", "FROM", "TO", "AGAIN", "SKIPPED"],
        steps.Select(step => (IReadOnlyList<string>)
        [
            step.Topic, step.Partition.ToString(CultureInfo.InvariantCulture), step.StoredOffset, step.Target, Words.Count(step.Again),
            Words.Count(step.Skipped),
        ]));
}
