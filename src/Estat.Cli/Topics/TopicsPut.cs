// `estat topics create` and `estat topics alter`.
using System.Text.Json;
using Estat.Cli.Frame;

namespace Estat.Cli.Topics;

/// <summary>Creating leaves a topic that is there as it is; altering makes none.</summary>
internal static class TopicsPut
{
    private const string Default = "default";

    internal static Command Create() => With(
        "create", "Makes a topic, unless it is there",
        async (desk, topic, shell) =>
        {
            if (await desk.FindAsync(topic, shell.Asked).ConfigureAwait(false) is null)
            {
                return true;
            }

            shell.Note($"{Shell.Printable(topic)} was there already. Nothing was changed; estat topics alter changes it.");
            return false;
        },
        needsChange: false);

    internal static Command Alter() => With(
        "alter", "Adds partitions to a topic, or changes how long its messages are kept",
        async (desk, topic, shell) =>
        {
            await desk.TopicAsync(topic, shell.Asked).ConfigureAwait(false);
            return true;
        },
        needsChange: true);

    private static Command With(string name, string description, Func<TopicDesk, string, Shell, Task<bool>> goesOn, bool needsChange)
    {
        Argument<string> topic = TopicsVerb.Topic();
        var partitions = new Option<int?>("--partitions")
        {
            Description = "Partitions. They can only become more; a key may then move to another partition", HelpName = "N",
        };
        var retention = new Option<string?>("--retention")
        {
            Description = $"How long messages are kept, such as 72h; {Default} is TOPICS_RETENTION", HelpName = "DURATION",
        };
        var json = new Option<bool>("--json") { Description = "Print the topic as one JSON object" };
        var command = new Command(name, description) { topic, partitions, retention, json };
        NodeOptions node = NodeOptions.ForAdmin(command);
        return command.Does(async (parsed, shell) =>
        {
            string which = parsed.GetRequiredValue(topic);
            if (needsChange && parsed.GetValue(partitions) is null && parsed.GetValue(retention) is null)
            {
                throw CliException.Usage("give --partitions or --retention");
            }

            using var desk = TopicDesk.Of(node, parsed, shell);
            TopicAnswer answer = !await goesOn(desk, which, shell).ConfigureAwait(false)
                ? await desk.TopicAsync(which, shell.Asked).ConfigureAwait(false)
                : await desk.OrderAsync(
                    HttpMethod.Put, TopicDesk.PathOf(which), writer => Write(writer, parsed.GetValue(partitions), parsed.GetValue(retention)),
                    TopicAnswersJson.Readable.TopicAnswer, shell.Asked).ConfigureAwait(false);
            TopicText.Print(shell, answer, parsed.GetValue(json));
            return ExitCode.Done;
        });
    }

    private static void Write(Utf8JsonWriter writer, int? partitions, string? retention)
    {
        if (partitions is { } number)
        {
            writer.WriteNumber("partitions", number);
        }

        if (retention is not null)
        {
            writer.WriteString("retention", retention == Default ? null : retention);
        }
    }
}
