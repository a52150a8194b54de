// `estat topics list` and `estat topics show`.
using System.Globalization;
using System.Text.Json;
using Estat.Cli.Frame;

namespace Estat.Cli.Topics;

/// <summary>A table on a terminal, tab-separated lines elsewhere, JSON with <c>--json</c>.</summary>
internal static class TopicsList
{
    private static readonly string[] Columns = ["TOPIC", "PARTITIONS", "PRODUCED", "LAG", "RATE", "RETENTION", "DEAD LETTERS"];

    internal static Command Create()
    {
        var json = new Option<bool>("--json") { Description = "One JSON object a topic, one a line" };
        var command = new Command("list", "Lists topics with their lag") { json };
        NodeOptions node = NodeOptions.ForAdmin(command);
        return command.Does(async (parsed, shell) =>
        {
            using var desk = TopicDesk.Of(node, parsed, shell);
            TopicsAnswer answer = await desk.LookAsync(shell.Asked).ConfigureAwait(false);
            if (parsed.GetValue(json))
            {
                foreach (TopicAnswer topic in answer.Topics)
                {
                    shell.Say(JsonSerializer.Serialize(topic, TopicAnswersJson.Readable.TopicAnswer));
                }
            }
            else
            {
                shell.Rows(Columns, answer.Topics.Select(Row));
            }

            shell.Note($"{Words.Count(answer.Topics.Count, "topic")}; sink: {TopicText.Sink(answer.Sink)}.");
            if (answer.Sink?.ChoreFault is { } fault)
            {
                shell.Note($"{TopicText.Chores(fault)}.");
            }

            if (answer.Database.State != "there")
            {
                shell.Note($"database: {TopicText.Database(answer.Database)}.");
            }

            return ExitCode.Done;
        });
    }

    internal static Command Show()
    {
        var topic = new Argument<string?>("topic")
        {
            Description = "The topic. Without it: the log, the database and the sink", Arity = ArgumentArity.ZeroOrOne,
        };
        var json = new Option<bool>("--json") { Description = "Print it as one JSON object" };
        var command = new Command("show", "Shows a topic's partitions; or the log, the database and the sink") { topic, json };
        NodeOptions node = NodeOptions.ForAdmin(command);
        return command.Does(async (parsed, shell) =>
        {
            using var desk = TopicDesk.Of(node, parsed, shell);
            if (parsed.GetValue(topic) is { } name)
            {
                TopicText.Print(shell, await desk.TopicAsync(name, shell.Asked).ConfigureAwait(false), parsed.GetValue(json));
            }
            else
            {
                Print(shell, await desk.LookAsync(shell.Asked).ConfigureAwait(false), parsed.GetValue(json));
            }

            return ExitCode.Done;
        });
    }

    private static void Print(Shell shell, TopicsAnswer answer, bool asJson)
    {
        if (asJson)
        {
            shell.Say(JsonSerializer.Serialize(answer, TopicAnswersJson.Readable.TopicsAnswer));
            return;
        }

        LogAnswer log = answer.Log;
        shell.Say($"log       {Shell.Printable(log.Description)}, id {Shell.Printable(log.Id ?? "not known yet")}");
        if (log.Bytes is { } bytes)
        {
            shell.Say($"size      {Words.Bytes(bytes)} of {Words.Bytes(log.MaxBytes ?? 0)}"
                + log.Pin switch
                {
                    { Topic: { } topic, Why: "retention" } => $"; the oldest messages are {Shell.Printable(topic)}'s, whose retention is not over",
                    { Topic: { } topic } => $"; the oldest messages are {Shell.Printable(topic)}'s, which the sink has not stored",
                    { } => "; the oldest messages are kept for the Idempotency-Keys among them (TOPICS_DEDUP)",
                    null => "",
                });
        }

        if (log.Fault is { } fault)
        {
            shell.Say($"fault     {Shell.Printable(fault)}");
        }

        shell.Say($"database  {TopicText.Database(answer.Database)}");
        if (answer.Sink is { } sink)
        {
            TopicText.Print(shell, sink, asJson: false);
        }
        else
        {
            shell.Say($"sink      {TopicText.Sink(null)}");
        }
    }

    private static string[] Row(TopicAnswer topic) =>
    [
        topic.TopicName, Words.Count(topic.Partitions.Count),
        Words.Count(topic.Partitions.Sum(partition => long.Parse(partition.EndOffset, CultureInfo.InvariantCulture))), TopicText.Count(topic.Lag),
        TopicText.Rate(topic.Rate), topic.Retention, TopicText.Letters(topic.DeadLetters),
    ];
}
