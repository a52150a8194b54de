// `estat tail`: a sample of the events that a node takes, as they come.
using System.Globalization;
using System.Net;
using System.Net.ServerSentEvents;
using System.Text.Json;
using Estat.Base.Storage;
using Estat.Cli.Frame;

namespace Estat.Cli.Tail;

/// <summary>Reads <c>GET /tail</c> and connects again when it breaks, until Ctrl-C or <c>--count</c>.</summary>
internal static class TailVerb
{
    private const string EventType = "event";
    private const string NoteType = "note";
    private static readonly TimeSpan Silence = TimeSpan.FromSeconds(30);
    private static readonly Backoff Reconnect = new(TimeSpan.FromMilliseconds(500), TimeSpan.FromSeconds(15));

    internal static Command Create()
    {
        var contains = new Option<string?>("--contains")
            { Description = "Only lines that contain the text, in upper or lower case", HelpName = "text" };
        var where = new Option<string[]>("--where") { Description = "Only events whose body is JSON and has this value, such as $.page.path=/cart. "
            + "If given several times, all must match", HelpName = "path=value" };
        var rate = new Option<int>("--rate") { Description = "Events a second at most, 1 to 100", DefaultValueFactory = _ => 10 };
        var count = new Option<long?>("--count") { Description = "End after this number of events", HelpName = "n" };
        var json = new Option<bool>("--json") { Description = "Print lines as they will be stored" };
        var command = new Command("tail", "Shows a sample of the events that a node takes, as they come") { contains, where, rate, count, json };
        NodeOptions node = NodeOptions.ForAdmin(command);
        return command.Does(async (parsed, shell) =>
        {
            if (parsed.GetValue(rate) is < 1 or > 100)
            {
                throw CliException.Usage("--rate must be 1 to 100");
            }

            var query = new List<string> { string.Create(CultureInfo.InvariantCulture, $"rate={parsed.GetValue(rate)}") };
            if (parsed.GetValue(contains) is { } text)
            {
                query.Add($"contains={Uri.EscapeDataString(text)}");
            }

            query.AddRange((parsed.GetValue(where) ?? []).Select(condition => condition.Contains('=', StringComparison.Ordinal)
                ? $"where={Uri.EscapeDataString(condition)}"
                : throw CliException.Usage($"--where {condition}: must be PATH=VALUE, such as $.page.path=/cart")));
            using HttpClient client = node.Client(parsed, connections: 1);
            var run = new Run(client, "tail?" + string.Join('&', query), shell, parsed.GetValue(json), parsed.GetValue(count) ?? long.MaxValue);
            try
            {
                await run.UntilEndAsync().ConfigureAwait(false);
            }
            catch (OperationCanceledException) when (shell.Interruption.IsAsked)
            {
                // That is how a tail ends.
            }

            run.SayTotals();
            return shell.Interruption.IsAsked && parsed.GetValue(count) is not null ? ExitCode.Interrupted : ExitCode.Done;
        });
    }

    private sealed class Run(HttpClient client, string path, Shell shell, bool asJson, long most)
    {
        private long _printed;
        private long _seen;
        private long _skipped;
        private int _failures;
        private bool _wasConnected;

        internal async Task UntilEndAsync()
        {
            while (_printed < most)
            {
                string broke;
                try
                {
                    broke = await OnceAsync().ConfigureAwait(false);
                }
                catch (HttpRequestException error)
                {
                    broke = NodeOptions.NoAnswer(client.BaseAddress!, error);
                    if (!_wasConnected)
                    {
                        throw new CliException(broke);
                    }
                }
                catch (Exception error) when ((error is IOException && error.HResult != BrokenPipe)
                    || (error is OperationCanceledException && !shell.Interruption.IsAsked))
                {
                    broke = "the connection broke";
                }

                if (_printed >= most)
                {
                    return;
                }

                _failures++;
                if (_failures == 1)
                {
                    shell.Note($"estat: {Shell.Printable(broke)}; connecting again…");
                }

                await Task.Delay(Reconnect.After(_failures), shell.Time, shell.Asked).ConfigureAwait(false);
            }
        }

        internal void SayTotals()
        {
            if (shell.ErrorIsTerminal)
            {
                shell.Note($"{Words.Count(_printed, "event")} shown of {Words.Count(_seen)} that the node took "
                    + $"meanwhile{(_skipped > 0 ? $"; {Words.Count(_skipped)} skipped, as this terminal was slow" : "")}");
            }
        }

        private const int BrokenPipe = 32;

        private async Task<string> OnceAsync()
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, new Uri(path, UriKind.Relative));
            request.Headers.Accept.ParseAdd("text/event-stream");
            using HttpResponseMessage answer = await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, shell.Asked)
                .ConfigureAwait(false);
            if (!answer.IsSuccessStatusCode)
            {
                string refusal = await ProblemText.RefusalAsync(answer, shell.Asked).ConfigureAwait(false);
                return _wasConnected
                    && answer.StatusCode is HttpStatusCode.ServiceUnavailable or HttpStatusCode.BadGateway or HttpStatusCode.GatewayTimeout
                    ? refusal
                    : throw new CliException(refusal);
            }

            if (_failures > 0)
            {
                shell.Note("estat: connected again");
            }

            _wasConnected = true;
            _failures = 0;
            using Stream stream = await answer.Content.ReadAsStreamAsync(shell.Asked).ConfigureAwait(false);
            // A note comes every second; none for long means that nobody is there any more.
            using var silence = CancellationTokenSource.CreateLinkedTokenSource(shell.Asked);
            silence.CancelAfter(Silence);
            await foreach (SseItem<string> item in SseParser.Create(stream).EnumerateAsync(silence.Token).ConfigureAwait(false))
            {
                silence.CancelAfter(Silence);
                if (item.EventType == EventType)
                {
                    shell.Say(!asJson ? TailLine.Pretty(item.Data) : shell.OutIsTerminal ? Shell.Printable(item.Data) : item.Data);
                    if (++_printed >= most)
                    {
                        break;
                    }
                }
                else if (item.EventType == NoteType)
                {
                    Count(item.Data);
                }
            }

            return "the node ended the stream";
        }

        private void Count(string note)
        {
            try
            {
                using var json = JsonDocument.Parse(note);
                _seen += json.RootElement.GetProperty("seen").GetInt64();
                _skipped += json.RootElement.GetProperty("skipped").GetInt64();
            }
            catch (Exception error) when (error is JsonException or KeyNotFoundException or InvalidOperationException or FormatException)
            {
                throw new CliException($"{client.BaseAddress} sends notes that Estat does not send. Is --url an Estat node of this version?");
            }
        }
    }
}
