// `estat produce TOPIC [FILE|-]`: lines into a topic.
using System.Globalization;
using Estat.Base.Options;
using Estat.Cli.Frame;
using Estat.Cli.Send;

namespace Estat.Cli.Topics;

/// <summary>Options and last words; <see cref="ProduceRun"/> does it.</summary>
internal static class ProduceVerb
{
    private static readonly string[] Typed = ["user-activity", "metric", "error", "notification"];

    internal static Command Create()
    {
        Argument<string> topic = TopicsVerb.Topic();
        var file = new Argument<string>("file") { Description = "A message on each line, plain or gzip; - is standard input",
            DefaultValueFactory = _ => "-" };
        var raw = new Option<bool>("--raw") { Description = "Each line is a value, and not {\"key\":…,\"headers\":…,\"value\":…}" };
        var keyField = new Option<string?>("--key-field") { Description = "The value's member that becomes the key", HelpName = "NAME" };
        var messages = new Option<int>("--messages") { Description = "Messages in one request at most", DefaultValueFactory = _ => 1000 };
        var bytes = new Option<int>("--bytes") { Description = "Bytes in one request at most", DefaultValueFactory = _ => 1 << 20 };
        var fromLine = new Option<long>("--from-line") { Description = "Begin at this line", DefaultValueFactory = _ => 1 };
        var patience = new Option<string>("--patience") { Description = "How long to try a request while the node is down or full; 0 tries for ever",
            DefaultValueFactory = _ => "10m" };
        var dedup = new Option<string>("--dedup")
        {
            Description = "The node's TOPICS_DEDUP. A request that may have arrived is not sent again later than that",
            DefaultValueFactory = _ => "10m",
        };
        var json = new Option<bool>("--json") { Description = "Print the result as one JSON object" };
        var command = new Command("produce", "Sends lines to a topic as messages, in their order, with retry")
        {
            topic, file, raw, keyField, messages, bytes, fromLine, patience, dedup, json,
        };
        NodeOptions node = NodeOptions.ForEvents(command);
        return command.Does(async (parsed, shell) =>
        {
            if (parsed.GetValue(messages) is < 1 or > 100_000 || parsed.GetValue(bytes) is < 1 or > 64 << 20 || parsed.GetValue(fromLine) < 1)
            {
                throw CliException.Usage("--messages must be 1 to 100000, --bytes 1 to 67108864, --from-line 1 or more");
            }

            if (!GoDuration.TryParse(parsed.GetValue(patience), out TimeSpan limit))
            {
                throw CliException.Usage($"--patience {parsed.GetValue(patience)}: must be a duration such as 30s or 10m, or 0");
            }

            if (!GoDuration.TryParse(parsed.GetValue(dedup), out TimeSpan remembered) || remembered <= TimeSpan.Zero)
            {
                throw CliException.Usage($"--dedup {parsed.GetValue(dedup)}: must be a duration such as 10m, as the node's TOPICS_DEDUP");
            }

            if (Typed.Contains(parsed.GetRequiredValue(topic)))
            {
                throw CliException.Usage(
                    $"{parsed.GetValue(topic)} is a path for single bodies; name the topic: user-activities, system-metrics, error-logs or "
                    + "notifications");
            }

            if (parsed.GetResult(file) is null or { Tokens.Count: 0 } && !Console.IsInputRedirected)
            {
                throw CliException.Usage("name a file of messages, or pipe them in (- is standard input)");
            }

            using HttpClient client = node.Client(parsed, 1);
            using EventSource source = EventSource.Open(parsed.GetValue(file)!);
            var plan = new ProducePlan(
                parsed.GetRequiredValue(topic), parsed.GetValue(raw), parsed.GetValue(keyField), parsed.GetValue(messages), parsed.GetValue(bytes),
                parsed.GetValue(fromLine), limit == TimeSpan.Zero ? null : limit, remembered);
            var progress = new Progress();
            var run = new ProduceRun(client, source, plan, shell, progress);
            long started = shell.Time.GetTimestamp();
            bool whole = false;
            try
            {
                whole = await shell.ProgressAsync("producing", progress, run.RunAsync).ConfigureAwait(false);
            }
            finally
            {
                Summarize(shell, run, shell.Time.GetElapsedTime(started), whole, parsed.GetValue(json));
            }

            return !whole ? ExitCode.Interrupted : run.Rejected > 0 ? ExitCode.Failed : ExitCode.Done;
        });
    }

    private static void Summarize(Shell shell, ProduceRun run, TimeSpan elapsed, bool whole, bool asJson)
    {
        if (asJson)
        {
            shell.Say(JsonLine.Of(writer =>
            {
                writer.WriteBoolean("finished", whole);
                writer.WriteNumber("produced", run.Produced);
                writer.WriteNumber("rejected", run.Rejected);
                writer.WriteNumber("retries", run.Retries);
                writer.WriteNumber("lines", run.LinesDone);
                writer.WriteNumber("seconds", Math.Round(elapsed.TotalSeconds, 3));
            }));
        }
        else
        {
            string seconds = elapsed.TotalSeconds.ToString("0.0", CultureInfo.InvariantCulture);
            shell.Say($"{Words.Count(run.Produced, "message")} produced in {seconds} s "
                + $"({Words.Count((long)(run.Produced / Math.Max(0.001, elapsed.TotalSeconds)))}/s)"
                + (run.Rejected > 0 ? $"; {Words.Count(run.Rejected, "line")} rejected" : "")
                + (run.Retries > 0 ? $"; {Words.Count(run.Retries, "retry", "retries")}" : ""));
        }

        if (!whole)
        {
            string next = string.Create(CultureInfo.InvariantCulture, $"--from-line {run.LinesDone + 1}");
            shell.Note(run.IsUncertain
                ? $"estat: nobody knows whether the lines from {Words.Count(run.LinesDone + 1)} on that were sent last are there. Look at the topic "
                    + $"before you go on with {next}"
                : $"estat: to go on: the same command with {next}");
        }
    }
}
