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

    // A portion at a time: each answer says where the next one begins. An order is never torn by an interruption.
    private static async Task<int> ManyAsync(
        TopicDesk desk, Shell shell, string order, string done, bool isDryRun, bool asJson, (string Name, string? Value)[] filter)
    {
        var sum = new Sum();
        string? cursor = null;
        bool isWhole = false;
        try
        {
            do
            {
                string? from = cursor;
                ResolvedManyAnswer answer = await desk.OrderAsync(
                    HttpMethod.Post, $"admin/dead-letters/{order}", writer => Write(writer, [.. filter, ("cursor", from)], isDryRun),
                    TopicAnswersJson.Readable.ResolvedManyAnswer, isDryRun ? shell.Asked : shell.Interruption.Late).ConfigureAwait(false);
                foreach (RefusedLetterAnswer letter in answer.Refused.Take((int)Math.Max(0, RefusedShown - sum.Refused)))
                {
                    shell.Note($"dead letter {letter.Number}: {Shell.Printable(letter.Why)}");
                }

                sum.Add(answer);
                cursor = answer.Cursor;
                isWhole = cursor is null;
            }
            while (!isWhole && !shell.Asked.IsCancellationRequested);
        }
        catch (OperationCanceledException) when (shell.Interruption.IsAsked)
        {
            shell.Note(isDryRun ? "estat: interrupted" : "estat: interrupted; nobody knows whether the last portion was carried out");
        }
        catch (CliException) when (sum.Found > 0)
        {
            Print(shell, sum, done, isDryRun, asJson, isWhole);
            throw;
        }

        Print(shell, sum, done, isDryRun, asJson, isWhole);
        return !isWhole ? ExitCode.Interrupted : sum.Refused > 0 ? ExitCode.Failed : ExitCode.Done;
    }

    private static void Print(Shell shell, Sum sum, string done, bool isDryRun, bool asJson, bool isWhole)
    {
        shell.Say(asJson
            ? JsonLine.Of(writer =>
            {
                writer.WriteBoolean("finished", isWhole);
                writer.WriteBoolean("dryRun", isDryRun);
                writer.WriteNumber("found", sum.Found);
                writer.WriteNumber("done", sum.Done);
                writer.WriteNumber("released", sum.Released);
                writer.WriteNumber("refused", sum.Refused);
            })
            : isDryRun ? $"{Words.Count(sum.Found, "dead letter")} would be {done}; nothing was changed. --yes does it"
            : $"{Words.Count(sum.Done, "dead letter")} {done}{Behind(sum.Released)}"
                + (sum.Refused > 0 ? $"; {Words.Count(sum.Refused)} stay as they are" : ""));
        if (!isWhole)
        {
            shell.Note(isDryRun ? "estat: there may be more: they were not all counted"
                : "estat: there may be more: the same command goes on with the rest");
        }
    }

    private static string Behind(long released) =>
        released > 0 ? $"; {Words.Count(released, "message")} that were held behind {(released == 1 ? "it" : "them")} stored" : "";

    private static void Write(Utf8JsonWriter writer, (string Name, string? Value)[] members, bool isDryRun)
    {
        foreach ((string name, string? text) in members)
        {
            if (text is not null)
            {
                writer.WriteString(name, text);
            }
        }

        writer.WriteNumber("limit", AtOnce);
        writer.WriteBoolean("dryRun", isDryRun);
    }

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

    // What came of all portions so far.
    private sealed class Sum
    {
        internal long Found { get; private set; }

        internal long Done { get; private set; }

        internal long Released { get; private set; }

        internal long Refused { get; private set; }

        internal void Add(ResolvedManyAnswer answer)
        {
            Found += answer.Found;
            Done += answer.Done;
            Released += answer.Released;
            Refused += answer.Refused.Count;
        }
    }
}
