// `estat send`: a file of events, or standard input, to /collect/batch.
using Estat.Base.Options;
using Estat.Cli.Frame;

namespace Estat.Cli.Send;

/// <summary>Options, checkpoint and last words; <see cref="SendRun"/> does it.</summary>
internal static class SendVerb
{
    private const string CheckpointExtension = ".estat-send";
    private const int DefaultEvents = 1000;
    private const int DefaultBytes = 1 << 20;

    internal static Command Create()
    {
        var file = new Argument<string>("file") { Description = "NDJSON, one event a line, plain or gzip; - is standard input",
            DefaultValueFactory = _ => "-" };
        var ack = new Option<string?>("--ack") { Description = "Ack level to ask for: memory, disk, replica or stored. Without it the node's own",
            HelpName = "level" };
        ack.CompletionSources.Add("memory", "disk", "replica", "stored");
        var inFlight = new Option<int>("--in-flight") { Description = "Requests at once", DefaultValueFactory = _ => 4 };
        var events = new Option<int>("--events") { Description = "Events in one request at most", DefaultValueFactory = _ => DefaultEvents };
        var bytes = new Option<int>("--bytes") { Description = "Bytes in one request at most, before gzip", DefaultValueFactory = _ => DefaultBytes };
        var rate = new Option<double?>("--rate") { Description = "Events a second at most", HelpName = "n" };
        var patience = new Option<string>("--patience") { Description = "How long to try a request while the node is down or full; 0 tries for ever",
            DefaultValueFactory = _ => "10m" };
        var checkpoint = new Option<string?>("--checkpoint") { Description = $"Checkpoint file. Without it FILE{CheckpointExtension}",
            HelpName = "file" };
        var rejects = new Option<string?>("--rejects") { Description = "File for the lines that the node rejects, unchanged", HelpName = "file" };
        var again = new Option<bool>("--again") { Description = "Send the file from its beginning, even if parts of it were sent before" };
        var json = new Option<bool>("--json") { Description = "Print the result as one JSON object" };
        var command = new Command("send", "Sends a file of events, or standard input, with retry and resume")
        {
            file, ack, inFlight, events, bytes, rate, patience, checkpoint, rejects, again, json,
        };
        NodeOptions node = NodeOptions.ForEvents(command);
        return command.Does(async (parsed, shell) =>
        {
            if (parsed.GetValue(inFlight) is < 1 or > 64 || parsed.GetValue(events) is < 1 or > 100_000
                || parsed.GetValue(bytes) is < 1 or > 64 << 20 || parsed.GetValue(rate) is <= 0)
            {
                throw CliException.Usage("--in-flight must be 1 to 64, --events 1 to 100000, --bytes 1 to 67108864, --rate more than 0");
            }

            if (!GoDuration.TryParse(parsed.GetValue(patience), out TimeSpan limit))
            {
                throw CliException.Usage($"--patience {parsed.GetValue(patience)}: must be a duration such as 30s or 10m, or 0");
            }

            if (parsed.GetResult(file) is null or { Tokens.Count: 0 } && !Console.IsInputRedirected)
            {
                throw CliException.Usage("name a file of events, or pipe them in (- is standard input)");
            }

            using HttpClient client = node.Client(parsed, parsed.GetValue(inFlight));
            using EventSource source = EventSource.Open(parsed.GetValue(file)!);
            if (source.Path is null && parsed.GetResult(checkpoint) is not null)
            {
                throw CliException.Usage("--checkpoint: standard input cannot be read again, so there is nothing to resume. Name a file");
            }

            var plan = new SendPlan(
                parsed.GetValue(inFlight), Math.Max(1, (int)Math.Min(parsed.GetValue(events), parsed.GetValue(rate) ?? double.MaxValue)),
                parsed.GetValue(bytes),
                parsed.GetValue(rate), source.Path is null ? null : parsed.GetValue(checkpoint) ?? source.Path + CheckpointExtension);
            Checkpoint state = Begin(source, plan, parsed.GetValue(again));
            if (state.Finished)
            {
                shell.Note($"{source.Path} was sent completely before ({Words.Count(state.Events, "event")}, says {plan.CheckpointPath}); --again "
                    + "sends it once more");
                return Summarize(parsed.GetValue(json), shell, state, state, TimeSpan.Zero, 0);
            }

            if (source.Path is null)
            {
                shell.Note("estat: sending standard input; it cannot be read again, so an interruption cannot be resumed");
            }
            else if (state.Offset > 0 || state.Beyond.Count > 0)
            {
                shell.Note($"estat: continuing at line {Words.Count(state.Line + 1)}; {Words.Count(state.Events, "event")} were acknowledged before");
            }

            using RejectsFile? rejectsFile = parsed.GetValue(rejects) is { } path ? RejectsFile.Open(path, state.RejectsBytes) : null;
            using var stop = CancellationTokenSource.CreateLinkedTokenSource(shell.Asked);
            var delivery = new Delivery(
                client, state.Name, parsed.GetValue(ack), limit == TimeSpan.Zero ? null : limit, shell.Time, stop.Token, shell.Interruption.Late);
            long started = shell.Time.GetTimestamp();
            var progress = new Progress();
            using var run = new SendRun(source, plan, delivery, rejectsFile, stop, shell, progress) { State = state };
            try
            {
                bool whole = await shell.ProgressAsync("sending", progress, run.RunAsync).ConfigureAwait(false);
                int code = Summarize(parsed.GetValue(json), shell, state, run.State, shell.Time.GetElapsedTime(started), delivery.Retries);
                return whole ? code : Interrupted(shell, source, plan, run.State);
            }
            catch (CliException)
            {
                Summarize(parsed.GetValue(json), shell, state, run.State, shell.Time.GetElapsedTime(started), delivery.Retries);
                SayHowToGoOn(shell, source, plan, run.State);
                throw;
            }
        });
    }

    private static Checkpoint Begin(EventSource source, SendPlan plan, bool again)
    {
        var fresh = new Checkpoint { Size = source.Size, Modified = source.Modified, Name = source.Name };
        if (plan.CheckpointPath is not { } path || again || Checkpoint.Read(path) is not { } before)
        {
            return fresh;
        }

        if (before is { Cut: true, Beyond.Count: 0 })
        {
            return before with { Size = source.Size, Modified = source.Modified, Cut = false };
        }

        if (before.Size != source.Size || before.Modified != source.Modified)
        {
            throw new CliException(
                $"{source.Path}: is not the file that the checkpoint {path} is about: "
                    + $"{(before.Size != source.Size ? $"it had {before.Size} bytes and has {source.Size}" : "it was modified since")}. --again "
                    + "sends it from its beginning, and what was sent before is doubled");
        }

        return before;
    }

    private static int Interrupted(Shell shell, EventSource source, SendPlan plan, Checkpoint state)
    {
        SayHowToGoOn(shell, source, plan, state);
        return ExitCode.Interrupted;
    }

    private static void SayHowToGoOn(Shell shell, EventSource source, SendPlan plan, Checkpoint state)
    {
        string line = Words.Count(state.Line + 1);
        shell.Note(plan.CheckpointPath is null
            ? $"estat: stopped after {Words.Count(state.Line, "line")} of standard input; what follows was not sent"
            : $"estat: to continue at line {line}: {OwnCommand.Line("--again")}");
    }

    private static int Summarize(bool asJson, Shell shell, Checkpoint before, Checkpoint after, TimeSpan elapsed, long retries)
    {
        long sent = after.Events - before.Events;
        double seconds = Math.Max(elapsed.TotalSeconds, 0.001);
        if (asJson)
        {
            shell.Say(JsonLine.Of(writer =>
            {
                writer.WriteBoolean("finished", after.Finished);
                writer.WriteNumber("accepted", sent);
                writer.WriteNumber("accepted_in_all", after.Events);
                writer.WriteNumber("rejected", after.Rejected);
                writer.WriteNumber("uncertain", after.Uncertain);
                writer.WriteNumber("retries", retries);
                writer.WriteNumber("lines", after.Line);
                writer.WriteNumber("seconds", Math.Round(elapsed.TotalSeconds, 3));
            }));
        }
        else if (elapsed > TimeSpan.Zero)
        {
            shell.Say(
                $"{Words.Count(sent, "event")} acknowledged in "
                    + $"{elapsed.TotalSeconds.ToString("0.0", System.Globalization.CultureInfo.InvariantCulture)} s "
                    + $"({Words.Count((long)(sent / seconds))}/s)"
                + (after.Events != sent ? $", {Words.Count(after.Events)} in all" : "")
                + (after.Rejected > 0 ? $"; {Words.Count(after.Rejected, "line")} rejected" : "")
                + (retries > 0 ? $"; {Words.Count(retries, "retry").Replace("retrys", "retries", StringComparison.Ordinal)}" : ""));
        }

        if (after.Uncertain > 0)
        {
            shell.Note(
                $"estat: the answers to {Words.Count(after.Uncertain, "event")} were lost, so they were sent again and may be stored twice. Both "
                    + $"copies carry the same id ({after.Name}@OFFSET) and body");
        }

        return after.Rejected > 0 ? ExitCode.Failed : ExitCode.Done;
    }
}
