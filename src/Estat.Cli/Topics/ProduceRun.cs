// Lines on their way into a topic: one request after another, so that the log has them in their order.
using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Security.Cryptography;
using System.Text.Json;
using Estat.Base.Storage;
using Estat.Cli.Frame;
using Estat.Cli.Send;
using Estat.Topics.Intake;

namespace Estat.Cli.Topics;

/// <summary>How they are produced.</summary>
/// <param name="Topic">The topic.</param>
/// <param name="IsRaw">Whether each line is a value.</param>
/// <param name="KeyField">The value's member that is the key; null: the line says it, or there is none.</param>
/// <param name="MaxMessages">Messages of one request.</param>
/// <param name="MaxBytes">Bytes of one request, as they stand in the file.</param>
/// <param name="FromLine">The first line, from 1.</param>
/// <param name="Patience">How long a request is tried; null: for ever.</param>
/// <param name="Dedup">How long the node remembers a request: its TOPICS_DEDUP.</param>
internal sealed record ProducePlan(
    string Topic, bool IsRaw, string? KeyField, int MaxMessages, int MaxBytes, long FromLine, TimeSpan? Patience, TimeSpan Dedup);

/// <summary>
/// Each request has an <c>Idempotency-Key</c> of its own, kept over its retries: the node takes it once, however often it comes while the node
/// remembers it. A request that may have arrived is not sent again later than that. A line that the node refuses is told and left out, and the rest is
/// sent as another request.
/// </summary>
/// <param name="client">The node.</param>
/// <param name="source">The lines.</param>
/// <param name="plan">How.</param>
/// <param name="shell">For notes, and interruptions.</param>
/// <param name="progress">For the bar.</param>
internal sealed class ProduceRun(HttpClient client, EventSource source, ProducePlan plan, Shell shell, Progress progress)
{
    private const int RejectsShown = 10;
    private static readonly TimeSpan AnswerLimit = TimeSpan.FromSeconds(60);
    private static readonly Backoff Backoff = new(TimeSpan.FromMilliseconds(200), TimeSpan.FromSeconds(10));

    private readonly string _name = $"estat-produce-{Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(12))}";
    private readonly Uri _path = new($"api/produce/{Uri.EscapeDataString(plan.Topic)}", UriKind.Relative);
    private bool _hasKeys = true;
    private long _requests;

    /// <summary>Messages that are in the log.</summary>
    internal long Produced { get; private set; }

    /// <summary>Lines that are not, and never will be.</summary>
    internal long Rejected { get; private set; }

    /// <summary>Requests that were sent again.</summary>
    internal long Retries { get; private set; }

    /// <summary>Lines from the file's begin that need no more attention.</summary>
    internal long LinesDone { get; private set; }

    /// <summary>Whether the last request's lines may be in the log all the same.</summary>
    internal bool IsUncertain { get; private set; }

    /// <summary>Produces all lines.</summary>
    /// <returns>False: interrupted.</returns>
    /// <exception cref="CliException">The node refuses for good, or does not answer for too long; or the file is damaged.</exception>
    internal async Task<bool> RunAsync()
    {
        using var reader = new RequestReader(source.Content, plan.MaxMessages, plan.MaxBytes, []);
        LinesDone = plan.FromLine - 1;
        try
        {
            while (!shell.Asked.IsCancellationRequested)
            {
                if (await reader.NextAsync(shell.Asked).ConfigureAwait(false) is not { } request)
                {
                    return source.LooksTruncated(reader.Offset)
                        ? throw new CliException($"{Where}: {EventSource.EndsEarly}; the lines before that were produced") : true;
                }

                if (!await TakeAsync(request).ConfigureAwait(false))
                {
                    return false;
                }

                progress.Set(source.Position, source.Size);
                progress.Detail = Words.Count(Produced, "message");
            }
        }
        catch (OperationCanceledException) when (shell.Asked.IsCancellationRequested)
        {
            // Nothing is under way: a request is brought to its end first.
        }
        catch (Exception error) when (error is InvalidDataException or IOException)
        {
            throw new CliException($"{Where}: {source.Explain(error)}; the lines before that were produced");
        }

        return false;
    }

    private string Where => source.Path ?? "standard input";

    private async Task<bool> TakeAsync(SendRequest request)
    {
        foreach (RejectedLine line in request.TooLong.Where(line => line.Number >= plan.FromLine))
        {
            Reject(line.Number, line.Reason);
        }

        var lines = new List<ProduceLine>();
        foreach (SendLine line in request.Lines.Where(line => line.Number >= plan.FromLine))
        {
            try
            {
                lines.Add(ProduceLine.Of(line.Number, request.Body.Slice(line.Start, line.Length), plan.IsRaw, plan.KeyField));
            }
            catch (FormatException error)
            {
                Reject(line.Number, error.Message);
            }
        }

        bool isDone = lines.Count == 0 || await ProduceAsync(lines).ConfigureAwait(false);
        LinesDone = isDone ? Math.Max(LinesDone, request.LinesBefore + request.LineCount) : LinesDone;
        return isDone;
    }

    // False: interrupted between two attempts.
    private async Task<bool> ProduceAsync(List<ProduceLine> lines)
    {
        long started = shell.Time.GetTimestamp();
        string key = NextKey();
        long? mayBeThereSince = null;
        for (int failures = 0; ; )
        {
            long sent = shell.Time.GetTimestamp();
            ProduceAnswer answer = await SendAsync(lines, key).ConfigureAwait(false);
            IsUncertain |= answer.MayBeThere;
            mayBeThereSince ??= answer.MayBeThere ? sent : null;
            switch (answer.Meaning)
            {
                case ProduceMeaning.Taken:
                    Produced += lines.Count;
                    LinesDone = Math.Max(LinesDone, lines[^1].Number); // of a request that goes in halves, each is done by itself
                    IsUncertain = false;
                    return true;
                case ProduceMeaning.BadLine when answer.Line <= lines.Count:
                    ProduceLine bad = lines[answer.Line - 1];
                    Reject(bad.Number, answer.Detail);
                    lines.RemoveAt(answer.Line - 1);
                    if (lines.Count == 0)
                    {
                        return true;
                    }

                    (key, mayBeThereSince) = (NextKey(), null); // another body
                    continue;
                case ProduceMeaning.NoKeys when _hasKeys:
                    _hasKeys = false;
                    shell.Note("estat: this node's log knows no Idempotency-Key, so a lost answer may double messages");
                    continue;
                case ProduceMeaning.TooLarge when lines.Count > 1:
                    int half = lines.Count / 2;
                    return await ProduceAsync(lines[..half]).ConfigureAwait(false) && await ProduceAsync(lines[half..]).ConfigureAwait(false);
                case ProduceMeaning.TooLarge:
                    Reject(lines[0].Number, answer.Detail);
                    return true;
                case ProduceMeaning.Again:
                    failures++;
                    if (!await WaitAsync(answer, started, mayBeThereSince, failures).ConfigureAwait(false))
                    {
                        return false;
                    }

                    break;
                default:
                    throw new CliException(answer.Detail);
            }
        }
    }

    private async Task<bool> WaitAsync(ProduceAnswer answer, long started, long? mayBeThereSince, int failures)
    {
        TimeSpan wait = Backoff.After(failures);
        wait = answer.RetryAfter > wait ? answer.RetryAfter : wait;
        if (plan.Patience is { } limit && shell.Time.GetElapsedTime(started) > limit)
        {
            throw new CliException($"{answer.Detail}. It was tried for {Words.Duration(limit)} (--patience)");
        }

        if (_hasKeys && mayBeThereSince is { } since && shell.Time.GetElapsedTime(since) + wait >= plan.Dedup)
        {
            throw new CliException(
                $"{answer.Detail}. An earlier attempt of this request may have arrived, and the node remembers requests for "
                + $"{Words.Duration(plan.Dedup)} only (its TOPICS_DEDUP, --dedup): sent again later it could be there twice");
        }

        Retries++;
        progress.Detail = $"{Words.Count(Produced, "message")}, waiting: {Shell.Printable(answer.Detail)}";
        try
        {
            await Task.Delay(wait, shell.Time, shell.Asked).ConfigureAwait(false);
            return true;
        }
        catch (OperationCanceledException)
        {
            return false;
        }
    }

    private async Task<ProduceAnswer> SendAsync(List<ProduceLine> lines, string key)
    {
        using var message = new HttpRequestMessage(HttpMethod.Post, _path) { Content = new ByteArrayContent(ProduceLine.Join(lines)) };
        message.Content.Headers.ContentType = new MediaTypeHeaderValue("application/x-ndjson");
        if (_hasKeys)
        {
            message.Headers.Add("Idempotency-Key", key);
        }

        using var limit = new CancellationTokenSource(AnswerLimit, shell.Time);
        using var end = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, shell.Interruption.Late);
        try
        {
            using HttpResponseMessage answer = await client.SendAsync(message, end.Token).ConfigureAwait(false);
            return await ReadAsync(answer, lines.Count, end.Token).ConfigureAwait(false);
        }
        catch (HttpRequestException error)
        {
            return new(ProduceMeaning.Again, NodeOptions.NoAnswer(client.BaseAddress!, error)) { MayBeThere = AnswerMeaning.MayBeStored(error) };
        }
        catch (OperationCanceledException)
        {
            return new(ProduceMeaning.Again, $"{client.BaseAddress!.GetLeftPart(UriPartial.Authority)} gave no answer in time") { MayBeThere = true };
        }
    }

    private async Task<ProduceAnswer> ReadAsync(HttpResponseMessage answer, int messages, CancellationToken cancellationToken)
    {
        if (answer.StatusCode == HttpStatusCode.OK)
        {
            return IsWhole(await answer.Content.ReadAsByteArrayAsync(cancellationToken).ConfigureAwait(false), messages)
                ? new(ProduceMeaning.Taken, "")
                : new(ProduceMeaning.Refused, $"{client.BaseAddress} answered with success, but not as Estat does. Is --url right? Does a proxy "
                    + "answer in its place?");
        }

        ProblemText problem = await ProblemText.ReadAsync(answer, cancellationToken).ConfigureAwait(false);
        string refusal = await ProblemText.RefusalAsync(answer, cancellationToken).ConfigureAwait(false);
        if (AnswerMeaning.MayPass(answer.StatusCode))
        {
            return new(ProduceMeaning.Again, refusal)
            {
                RetryAfter = AnswerMeaning.RetryAfter(answer, shell.Time), MayBeThere = AnswerMeaning.MayBeStored(answer.StatusCode, problem),
            };
        }

        return (answer.StatusCode, problem) switch
        {
            (HttpStatusCode.RequestEntityTooLarge, _) => new(ProduceMeaning.TooLarge, problem.Detail),
            (_, { Type: ProduceRefusals.BadLine, Line: { } line and > 0 }) =>
                new(ProduceMeaning.BadLine, WithoutLine(problem.Detail, line)) { Line = line },
            (_, { Type: ProduceRefusals.NoIdempotencyKeys }) => new(ProduceMeaning.NoKeys, refusal),
            _ => new(ProduceMeaning.Refused, refusal),
        };
    }

    // The file's line is named instead of the body's.
    private static string WithoutLine(string detail, int line)
    {
        string named = string.Create(CultureInfo.InvariantCulture, $"Line {line}");
        return (detail.StartsWith(named, StringComparison.Ordinal) ? detail[named.Length..] : detail)
            .Replace(" Nothing was taken", "", StringComparison.Ordinal);
    }

    // A position for each message.
    private static bool IsWhole(byte[] body, int messages)
    {
        try
        {
            using var document = JsonDocument.Parse(body);
            return document.RootElement.ValueKind == JsonValueKind.Object
                && document.RootElement.TryGetProperty("positions", out JsonElement positions)
                && positions.ValueKind == JsonValueKind.Array && positions.GetArrayLength() == messages;
        }
        catch (JsonException)
        {
            return false;
        }
    }

    private void Reject(long line, string why)
    {
        if (++Rejected <= RejectsShown)
        {
            shell.Note(string.Create(CultureInfo.InvariantCulture, $"line {line}: {Shell.Printable(why.TrimStart(':', ' ').TrimEnd('.'))}"));
        }
    }

    private string NextKey() => string.Create(CultureInfo.InvariantCulture, $"{_name}-{++_requests}");

    private enum ProduceMeaning
    {
        Taken,
        Again,
        BadLine,
        NoKeys,
        TooLarge,
        Refused,
    }

    private sealed record ProduceAnswer(ProduceMeaning Meaning, string Detail)
    {
        internal TimeSpan RetryAfter { get; init; }

        internal int Line { get; init; }

        internal bool MayBeThere { get; init; }
    }
}
