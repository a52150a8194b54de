// `estat dead-letters replay` and `estat dead-letters discard`.
using System.Globalization;
using System.Text.Json;
using Estat.Cli.Frame;

namespace Estat.Cli.Topics;

/// <summary>One by number, or all that fit. Many are only counted without <c>--yes</c>.</summary>
internal static class LettersResolve
{
    private const int AtOnce = 200;
    private const int RefusedShown = 10;

    internal static Command Replay()
    {
        var value = new Option<string?>("--value") { Description = "File with the mended value, JSON; - is standard input", HelpName = "FILE" };
        return With("replay", "Stores dead letters at their original positions, and what was held behind them", "replayed", value);
    }

    internal static Command Discard() =>
        With("discard", "Gives dead letters up: they are never stored. What was held behind them is", "discarded", null);

    private static Command With(string name, string description, string done, Option<string?>? value)
    {
        var number = new Argument<long?>("number") { Description = "The dead letter's number", Arity = ArgumentArity.ZeroOrOne };
        var all = new Option<bool>("--all") { Description = "All open ones, or those that --topic, --kind and --reason choose" };
        LetterFilter filter = new();
        var yes = new Option<bool>("--yes") { Description = "Do it. With --all, without it: only count them" };
        var json = new Option<bool>("--json") { Description = "Print the answer as one JSON object" };
        var command = new Command(name, description) { number, all, filter.Topic, filter.Kind, filter.Reason, yes, json };
        if (value is not null)
        {
            command.Options.Add(value);
        }

        NodeOptions node = NodeOptions.ForAdmin(command);
        return command.Does(async (parsed, shell) =>
        {
            bool isFiltered = (parsed.GetValue(filter.Topic) ?? parsed.GetValue(filter.Kind) ?? parsed.GetValue(filter.Reason)) is not null;
            string? file = value is null ? null : parsed.GetValue(value);
            if (parsed.GetValue(number) is null != parsed.GetValue(all) || (isFiltered && !parsed.GetValue(all))
                || (file is not null && parsed.GetValue(all)))
            {
                string also = value is null ? "" : ", with --value as you like";
                throw CliException.Usage($"name one dead letter by its number{also}; or give --all, with "
                    + "--topic, --kind and --reason as you like");
            }

            using var desk = TopicDesk.Of(node, parsed, shell);
            if (parsed.GetValue(number) is not { } one)
            {
                return await ManyAsync(
                    desk, shell, name, done, !parsed.GetValue(yes), parsed.GetValue(json),
                    [("topic", parsed.GetValue(filter.Topic)), ("kind", parsed.GetValue(filter.Kind)), ("reason", parsed.GetValue(filter.Reason))])
                    .ConfigureAwait(false);
            }

            if (value is null && !SinkOrders.Agrees(shell, parsed.GetValue(yes), $"Give dead letter {one} up? It is never stored then."))
            {
                return ExitCode.Failed;
            }

            string? mended = file is null ? null : Read(file);
            ResolvedAnswer answer = await desk.OrderAsync(
                HttpMethod.Post, TopicDesk.LetterPath(one, $"/{name}"), writer => Write(writer, mended), TopicAnswersJson.Readable.ResolvedAnswer,
                shell.Asked).ConfigureAwait(false);
            shell.Say(parsed.GetValue(json) ? JsonSerializer.Serialize(answer, TopicAnswersJson.Readable.ResolvedAnswer)
                : $"dead letter {one} {done}{Behind(answer.Released)}");
            return ExitCode.Done;
        });
    }

    // A portion at a time: each answer says where the next one begins.
    private static async Task<int> ManyAsync(
        TopicDesk desk, Shell shell, string order, string done, bool isDryRun, bool asJson, (string Name, string? Value)[] filter)
    {
        long found = 0;
        long resolved = 0;
        long released = 0;
        long refused = 0;
        string? cursor = null;
        do
        {
            string? from = cursor;
            ResolvedManyAnswer answer = await desk.OrderAsync(
                HttpMethod.Post, $"admin/dead-letters/{order}",
                writer =>
                {
                    foreach ((string name, string? text) in filter.Append(("cursor", from)).Where(member => member.Item2 is not null))
                    {
                        writer.WriteString(name, text);
                    }

                    writer.WriteNumber("limit", AtOnce);
                    writer.WriteBoolean("dryRun", isDryRun);
                },
                TopicAnswersJson.Readable.ResolvedManyAnswer, shell.Asked).ConfigureAwait(false);
            foreach (RefusedLetterAnswer letter in answer.Refused.Take((int)Math.Max(0, RefusedShown - refused)))
            {
                shell.Note($"dead letter {letter.Number}: {Shell.Printable(letter.Why)}");
            }

            found += answer.Found;
            resolved += answer.Done;
            released += answer.Released;
            refused += answer.Refused.Count;
            cursor = answer.Cursor;
        }
        while (cursor is not null && !shell.Asked.IsCancellationRequested);

        shell.Say(asJson
            ? JsonLine.Of(writer =>
            {
                writer.WriteBoolean("dryRun", isDryRun);
                writer.WriteNumber("found", found);
                writer.WriteNumber("done", resolved);
                writer.WriteNumber("released", released);
                writer.WriteNumber("refused", refused);
            })
            : isDryRun ? $"{Words.Count(found, "dead letter")} would be {done}; nothing was changed. --yes does it"
            : $"{Words.Count(resolved, "dead letter")} {done}{Behind(released)}{(refused > 0 ? $"; {Words.Count(refused)} stay as they are" : "")}");
        return refused > 0 ? ExitCode.Failed : ExitCode.Done;
    }

    private static string Behind(long released) =>
        released > 0 ? $"; {Words.Count(released, "message")} that were held behind {(released == 1 ? "it" : "them")} stored" : "";

    private static void Write(Utf8JsonWriter writer, string? mended)
    {
        if (mended is not null)
        {
            writer.WritePropertyName("value");
            writer.WriteRawValue(mended);
        }
    }

    private static string Read(string path)
    {
        try
        {
            string text = path == "-" ? Console.In.ReadToEnd() : File.ReadAllText(path);
            using (JsonDocument.Parse(text, new JsonDocumentOptions { MaxDepth = 128 }))
            {
                return text.Trim();
            }
        }
        catch (JsonException error)
        {
            throw CliException.Usage(string.Create(
                CultureInfo.InvariantCulture, $"--value {path}: is not one JSON value ({error.Message.TrimEnd('.')})"));
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw CliException.Usage($"--value {path}: cannot be read ({error.Message.TrimEnd('.')})");
        }
    }
}
