// `estat bench`: what a node takes, measured from here.
using System.Globalization;
using Estat.Cli.Frame;

namespace Estat.Cli.Bench;

/// <summary>
/// Closed loop: each connection sends the next request when the last one is answered. With <c>--rate</c> open: requests are due at fixed times, and a
/// late one's latency counts from when it was due, so that a stall is seen by all that waited.
/// </summary>
internal static class BenchVerb
{
    internal static Command Create()
    {
        var connections = new Option<int>("--connections") { Description = "Connections, 1 to 1024", DefaultValueFactory = _ => 16 };
        var seconds = new Option<double>("--seconds")
            { Description = "How many seconds to send, after a warm-up of a fifth of it", DefaultValueFactory = _ => 10 };
        var rate = new Option<double?>("--rate")
            { Description = "Requests a second in all. Without it: as fast as the node answers", HelpName = "n" };
        var size = new Option<int>("--size") { Description = "Bytes of an event, 40 to 16384", DefaultValueFactory = _ => 500 };
        var batch = new Option<int>("--batch") { Description = "Events in a request; above 1 they go to /collect/batch", DefaultValueFactory = _ =>
            1 };
        var ack = new Option<string?>("--ack") { Description = "Ack level to ask for", HelpName = "level" };
        var json = new Option<bool>("--json") { Description = "Print the result as one JSON object" };
        var command = new Command(
            "bench", "Sends meaningless events for some seconds, and shows how many the node took. The node stores them like any others")
        {
            connections, seconds, rate, size, batch, ack, json,
        };
        NodeOptions node = NodeOptions.ForEvents(command);
        return command.Does(async (parsed, shell) =>
        {
            var load = new BenchLoad(
                parsed.GetValue(connections), TimeSpan.FromSeconds(parsed.GetValue(seconds)), parsed.GetValue(rate), parsed.GetValue(size),
                parsed.GetValue(batch), parsed.GetValue(ack));
            if (load.Connections is < 1 or > 1024 || load.Time.TotalSeconds is < 0.5 or > 3600 || load.Rate is <= 0
                || load.EventBytes is < 40 or > 16384 || load.Batch is < 1 or > 10_000)
            {
                throw CliException.Usage(
                    "--connections must be 1 to 1024, --seconds 0.5 to 3600, --rate more than 0, --size 40 to 16384, --batch 1 to 10000");
            }

            using HttpClient client = node.Client(parsed, load.Connections);
            var progress = new Progress();
            BenchResult result = await shell.ProgressAsync(
                "load", progress, () => new BenchRun(client, load, shell.Time, progress, shell.Asked).MeasureAsync()).ConfigureAwait(false);
            shell.Say(parsed.GetValue(json) ? result.ToJson() : result.ToText());
            if (client.BaseAddress!.IsLoopback)
            {
                shell.Note(
                    $"The node is on this machine: the load generator took {result.OwnCpus.ToString("0.0", CultureInfo.InvariantCulture)} of its "
                        + $"{Environment.ProcessorCount} CPUs away from it. "
                    + "On a machine of its own the node takes more. To measure without this, use make bench.");
            }

            return shell.Interruption.IsAsked ? ExitCode.Interrupted : result.Taken > 0 && result.Failed == 0 ? ExitCode.Done : ExitCode.Failed;
        });
    }
}
