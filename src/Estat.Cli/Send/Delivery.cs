// One request until it is answered: again while the node is short of room or away, in halves when it is too large.
using System.Globalization;
using System.IO.Compression;
using System.Net;
using System.Net.Http.Headers;
using System.Text.Json;
using Estat.Base.Storage;
using Estat.Cli.Frame;

namespace Estat.Cli.Send;

/// <summary>What became of a request.</summary>
/// <param name="Accepted">Events acknowledged.</param>
/// <param name="Rejected">Lines that will never be taken.</param>
/// <param name="Uncertain">Events that were sent again, or given up, though an earlier attempt may have been taken.</param>
/// <param name="IsDone">False when it was given up because of an interruption: a resume sends it again.</param>
internal sealed record Delivered(long Accepted, IReadOnlyList<RejectedLine> Rejected, long Uncertain, bool IsDone);

/// <summary>Safe for concurrent use.</summary>
/// <param name="client">Its base address is the node; it carries the key.</param>
/// <param name="name">Begins each Idempotency-Key; the offset follows.</param>
/// <param name="ack">The ack level to ask for; null for the node's own.</param>
/// <param name="patience">How long one request is tried without any answer that takes it; null for ever.</param>
/// <param name="time">The clock of backoff.</param>
/// <param name="asked">The interruption: ends waiting between attempts, never an attempt.</param>
/// <param name="late">Ends attempts as well: nobody knows then whether the events were taken.</param>
internal sealed class Delivery(
    HttpClient client, string name, string? ack, TimeSpan? patience, TimeProvider time, CancellationToken asked, CancellationToken late)
{
    private const int CompressFrom = 512;
    private static readonly TimeSpan AttemptLimit = TimeSpan.FromSeconds(60);
    private static readonly Backoff Backoff = new(TimeSpan.FromMilliseconds(250), TimeSpan.FromSeconds(10));
    private static readonly Uri Path = new("collect/batch", UriKind.Relative);

    private long _retries;
    private volatile string? _waitingFor;

    /// <summary>Attempts after the first, of all requests.</summary>
    internal long Retries => Volatile.Read(ref _retries);

    /// <summary>Why requests are waiting now; null while they are not.</summary>
    internal string? WaitingFor => _waitingFor;

    /// <summary>Sends it.</summary>
    /// <exception cref="CliException">The node refuses in a way that trying again does not mend.</exception>
    internal async Task<Delivered> DeliverAsync(SendRequest request)
    {
        Delivered delivered = request.Lines.Count == 0 ? new Delivered(0, [], 0, true) : await DeliverAsync(request, 0, request.Lines.Count)
            .ConfigureAwait(false);
        return request.TooLong.Count == 0 ? delivered
            : delivered with { Rejected = [.. delivered.Rejected.Concat(request.TooLong).OrderBy(line => line.Number)] };
    }

    private async Task<Delivered> DeliverAsync(SendRequest request, int first, int count)
    {
        (byte[] body, bool isGzip) = BodyOf(request, first, count);
        long started = time.GetTimestamp();
        long uncertain = 0;
        for (int failures = 1; ; failures++)
        {
            Attempt attempt = await AttemptAsync(request, first, count, body, isGzip).ConfigureAwait(false);
            uncertain = attempt.MayBeTaken ? count : uncertain;
            if (attempt.Delivered is { } delivered)
            {
                _waitingFor = null;
                return delivered with { Uncertain = uncertain };
            }

            if (attempt.IsTooLarge)
            {
                return await InHalvesAsync(request, first, count).ConfigureAwait(false);
            }

            if (patience is { } limit && time.GetElapsedTime(started) > limit)
            {
                throw new CliException($"{attempt.Failure}. It was tried for {Words.Duration(limit)} (--patience)");
            }

            _waitingFor = attempt.Failure;
            Interlocked.Increment(ref _retries);
            TimeSpan wait = Backoff.After(failures);
            wait = attempt.RetryAfter > wait ? attempt.RetryAfter + (Backoff.First * Random.Shared.NextDouble()) : wait;
            try
            {
                await Task.Delay(wait, time, asked).ConfigureAwait(false);
            }
            catch (OperationCanceledException)
            {
                return new Delivered(0, [], uncertain, IsDone: false);
            }
        }
    }

    private async Task<Delivered> InHalvesAsync(SendRequest request, int first, int count)
    {
        if (count == 1)
        {
            SendLine line = request.Lines[first];
            return new Delivered(0, [new RejectedLine(
                line.Number, "too large for the node or a proxy before it (413)", request.Body.Slice(line.Start, line.Length))], 0, true);
        }

        int half = count / 2;
        Delivered left = await DeliverAsync(request, first, half).ConfigureAwait(false);
        if (!left.IsDone)
        {
            return left;
        }

        Delivered right = await DeliverAsync(request, first + half, count - half).ConfigureAwait(false);
        // Done only together: a resume sends both, and what the left half holds is doubled then.
        return new Delivered(
            left.Accepted + right.Accepted, [.. left.Rejected, .. right.Rejected],
            left.Uncertain + right.Uncertain + (right.IsDone ? 0 : left.Accepted), right.IsDone);
    }

    private async Task<Attempt> AttemptAsync(SendRequest request, int first, int count, byte[] body, bool isGzip)
    {
        using var message = new HttpRequestMessage(HttpMethod.Post, Path) { Content = new ByteArrayContent(body) };
        message.Content.Headers.ContentType = new MediaTypeHeaderValue("application/x-ndjson");
        if (isGzip)
        {
            message.Content.Headers.ContentEncoding.Add("gzip");
        }

        message.Headers.TryAddWithoutValidation(
            "Idempotency-Key", string.Create(CultureInfo.InvariantCulture, $"{name}@{request.Lines[first].Offset}"));
        if (ack is not null)
        {
            message.Headers.Add("X-Estat-Ack", ack);
        }

        using var limit = new CancellationTokenSource(AttemptLimit, time);
        using var end = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, late);
        try
        {
            using HttpResponseMessage answer = await client.SendAsync(message, end.Token).ConfigureAwait(false);
            return await ReadAsync(answer, request, first, count, end.Token).ConfigureAwait(false);
        }
        catch (HttpRequestException error)
        {
            return Attempt.Failed(NodeOptions.NoAnswer(client.BaseAddress!, error), AnswerMeaning.MayBeStored(error));
        }
        catch (OperationCanceledException)
        {
            return Attempt.Failed($"no answer within {AttemptLimit.TotalSeconds:0} s", mayBeTaken: true);
        }
        catch (IOException error)
        {
            return Attempt.Failed($"the answer broke off ({error.Message})", mayBeTaken: true);
        }
    }

    private async Task<Attempt> ReadAsync(HttpResponseMessage answer, SendRequest request, int first, int count, CancellationToken cancellationToken)
    {
        switch (answer.StatusCode)
        {
            case HttpStatusCode.OK or HttpStatusCode.Accepted:
                return new Attempt(Taken(request, first, count, await answer.Content.ReadAsByteArrayAsync(cancellationToken).ConfigureAwait(false)));
            case HttpStatusCode.RequestEntityTooLarge:
                return new Attempt(null) { IsTooLarge = true };
            case HttpStatusCode status when AnswerMeaning.MayPass(status):
                ProblemText problem = await ProblemText.ReadAsync(answer, cancellationToken).ConfigureAwait(false);
                return Attempt.Failed($"the node answers {(int)status}: {problem.Detail}",
                    AnswerMeaning.MayBeStored(status, problem)) with { RetryAfter = AnswerMeaning.RetryAfter(answer, time) };
            default:
                throw new CliException(await ProblemText.RefusalAsync(answer, cancellationToken).ConfigureAwait(false));
        }
    }

    private Delivered Taken(SendRequest request, int first, int count, byte[] json)
    {
        try
        {
            using var document = JsonDocument.Parse(json);
            long accepted = document.RootElement.GetProperty("accepted").GetInt64();
            var rejected = new List<RejectedLine>();
            foreach (JsonElement item in document.RootElement.GetProperty("rejected").EnumerateArray())
            {
                SendLine line = request.Lines[first + item.GetProperty("index").GetInt32()];
                rejected.Add(new RejectedLine(
                    line.Number, item.GetProperty("reason").GetString() ?? "", request.Body.Slice(line.Start, line.Length)));
            }

            return accepted + rejected.Count == count
                ? new Delivered(accepted, rejected, 0, true)
                : throw new CliException(
                    $"{client.BaseAddress} says that it took {accepted} of {count} events and rejected {rejected.Count}. That does not add up, so it "
                        + "is unknown which of them were taken");
        }
        catch (Exception error) when (
            error is JsonException or KeyNotFoundException or InvalidOperationException or ArgumentOutOfRangeException or FormatException)
        {
            throw new CliException($"{client.BaseAddress} answered a batch with success, but not as Estat does. Is --url right? Does a proxy answer "
                + "in its place?");
        }
    }

    private static (byte[] Body, bool IsGzip) BodyOf(SendRequest request, int first, int count)
    {
        SendLine last = request.Lines[first + count - 1];
        ReadOnlyMemory<byte> plain = request.Body[request.Lines[first].Start..(last.Start + last.Length + 1)];
        if (plain.Length < CompressFrom)
        {
            return (plain.ToArray(), false);
        }

        using var packed = new MemoryStream();
        using (var gzip = new GZipStream(packed, CompressionLevel.Fastest, leaveOpen: true))
        {
            gzip.Write(plain.Span);
        }

        return (packed.ToArray(), true);
    }

    private sealed record Attempt(Delivered? Delivered)
    {
        public string Failure { get; init; } = "";

        public bool MayBeTaken { get; init; }

        public bool IsTooLarge { get; init; }

        public TimeSpan RetryAfter { get; init; }

        public static Attempt Failed(string failure, bool mayBeTaken) => new((Delivered?)null) { Failure = failure, MayBeTaken = mayBeTaken };
    }
}
