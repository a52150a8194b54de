// `estat dead-letters list` and `estat dead-letters show`.
using System.Globalization;
using System.Text.Json;
using Estat.Cli.Frame;

namespace Estat.Cli.Topics;

/// <summary>By topic, kind, reason and state.</summary>
internal static class LettersList
{
    private const int PageSize = 500;
    private static readonly string[] Columns = ["NUMBER", "TOPIC", "PARTITION", "OFFSET", "KIND", "STATE", "SINCE", "KEY", "REASON"];

    internal static Command Create()
    {
        LetterFilter filter = new();
        var state = new Option<string>("--state") { Description = "open, replayed, discarded or all", DefaultValueFactory = _ => "open" };
        state.AcceptOnlyFromAmong("open", "replayed", "discarded", "all");
        var list = new LongList("dead letter", PageSize);
        var json = new Option<bool>("--json") { Description = "One JSON object a dead letter, one a line" };
        var command = new Command("list", "Lists dead letters, the newest first")
        {
            filter.Topic, filter.Kind, filter.Reason, state, list.Limit, list.All, json,
        };
        NodeOptions node = NodeOptions.ForAdmin(command);
        return command.Does(async (parsed, shell) =>
        {
            using var desk = TopicDesk.Of(node, parsed, shell);
            await list.PrintAsync(parsed, shell, async (cursor, most) =>
            {
                string address = AdminClient.Address(
                    "admin/dead-letters", ("topic", parsed.GetValue(filter.Topic)), ("kind", parsed.GetValue(filter.Kind)),
                    ("reason", parsed.GetValue(filter.Reason)), ("state", parsed.GetValue(state)), ("cursor", cursor), ("limit", most));
                DeadLettersAnswer page = await desk.ReadAsync(
                    address, TopicAnswersJson.Readable.DeadLettersAnswer, shell.Asked).ConfigureAwait(false);
                Print(shell, page.DeadLetters, parsed.GetValue(json));
                return (page.DeadLetters.Count, page.Cursor);
            }).ConfigureAwait(false);
            return ExitCode.Done;
        });
    }

    internal static Command Show()
    {
        Argument<long> number = Number();
        var value = new Option<bool>("--value") { Description = "Only the value, byte by byte: to mend it in a file" };
        var command = new Command("show", "Shows a dead letter with its value, as one JSON object") { number, value };
        NodeOptions node = NodeOptions.ForAdmin(command);
        return command.Does(async (parsed, shell) =>
        {
            using var desk = TopicDesk.Of(node, parsed, shell);
            DeadLetterAnswer letter = await desk.LetterAsync(parsed.GetRequiredValue(number), shell.Asked).ConfigureAwait(false);
            if (!parsed.GetValue(value))
            {
                shell.Say(JsonSerializer.Serialize(letter, TopicAnswersJson.Readable.DeadLetterAnswer));
            }
            else if (shell.OutIsTerminal)
            {
                throw CliException.Usage("--value writes bytes as they are: send them to a file or a pipe");
            }
            else
            {
                await using Stream output = Console.OpenStandardOutput();
                await output.WriteAsync(Convert.FromBase64String(letter.ValueBase64 ?? ""), shell.Asked).ConfigureAwait(false);
            }

            return ExitCode.Done;
        });
    }

    /// <summary>The argument that names one.</summary>
    internal static Argument<long> Number() => new("number") { Description = "The dead letter's number" };

    private static void Print(Shell shell, IReadOnlyList<DeadLetterAnswer> letters, bool asJson)
    {
        if (!asJson)
        {
            shell.Rows(Columns, letters.Select(letter => (IReadOnlyList<string>)
            [
                letter.Number.ToString(CultureInfo.InvariantCulture), letter.Topic, letter.Partition.ToString(CultureInfo.InvariantCulture),
                letter.Offset, letter.Kind, letter.State, Words.Moment(letter.CreatedAt), letter.Key ?? "-", $"{letter.Reason}: {letter.Detail}",
            ]));
            return;
        }

        foreach (DeadLetterAnswer letter in letters)
        {
            shell.Say(JsonSerializer.Serialize(letter, TopicAnswersJson.Readable.DeadLetterAnswer));
        }
    }
}

/// <summary>Options that choose among dead letters.</summary>
internal sealed class LetterFilter
{
    /// <summary>Of a topic.</summary>
    internal Option<string?> Topic { get; } = new("--topic") { Description = "Of this topic", HelpName = "TOPIC" };

    /// <summary>Of a kind.</summary>
    internal Option<string?> Kind { get; } = Kinds();

    /// <summary>For a reason.</summary>
    internal Option<string?> Reason { get; } = new("--reason") { Description = "For this reason, such as nul", HelpName = "REASON" };

    private static Option<string?> Kinds()
    {
        var kind = new Option<string?>("--kind") { Description = "Of this kind: message, typed or held", HelpName = "KIND" };
        kind.AcceptOnlyFromAmong("message", "typed", "held");
        return kind;
    }
}
