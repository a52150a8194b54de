// Requests of a replay to a server, until they are taken.
using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using Estat.Base.Storage;
using Estat.Cli.Frame;
using Estat.Lake.Replaying;

namespace Estat.Cli.Replaying;

/// <summary>
/// What may pass is waited for (Retry-After, or a doubling pause with jitter). Where an answer, or none, leaves it open whether the events were taken
/// (<see cref="AnswerMeaning"/>), they are sent again under the same Idempotency-Key, and counted. Anything else ends the replay with what to do.
/// </summary>
internal sealed class IngestTarget : IReplayTarget, IDisposable
{
    private static readonly Backoff Between = new(TimeSpan.FromMilliseconds(250), TimeSpan.FromSeconds(15));
    private static readonly TimeSpan RequestLimit = TimeSpan.FromSeconds(60);

    private readonly HttpClient _client;
    private readonly Uri _url;
    private readonly TimeSpan _giveUp;
    private readonly string? _ack;
    private readonly TimeProvider _time;
    private readonly CancellationToken _late;
    private int _memoryAcks;

    /// <param name="url">The server.</param>
    /// <param name="key">Write key; null without.</param>
    /// <param name="ack">Ack level to ask for; null for the server's own.</param>
    /// <param name="connections">Requests at once.</param>
    /// <param name="giveUp">How long one request is tried.</param>
    /// <param name="time">Clock.</param>
    /// <param name="late">Ends attempts: nobody knows then whether the events were taken.</param>
    internal IngestTarget(Uri url, string? key, string? ack, int connections, TimeSpan giveUp, TimeProvider time, CancellationToken late)
    {
        _url = url;
        _giveUp = giveUp;
        _ack = ack;
        _time = time;
        _late = late;
        _client = NodeOptions.ClientOf(url, token: null, key, connections, "estat-replay");
    }

    /// <summary>Whether the server acknowledged at memory: what its crash loses was replayed for nothing.</summary>
    internal bool AcknowledgesInMemory => _memoryAcks > 0;

    /// <inheritdoc/>
    public async Task<ReplayAnswer> SendAsync(ReplayRequest request, CancellationToken asked)
    {
        long started = _time.GetTimestamp();
        bool wasUncertain = false;
        for (int failures = 1; ; failures++)
        {
            (ReplayAnswer? answer, TimeSpan after, string why, bool isUncertain) = await TryAsync(request).ConfigureAwait(false);
            if (answer is not null)
            {
                return answer with { WasUncertain = wasUncertain };
            }

            wasUncertain |= isUncertain;
            if (_time.GetElapsedTime(started) > _giveUp)
            {
                throw new CliException($"{_url} did not take {request.Key} line {request.FirstLine} for {Words.Duration(_giveUp)} ({why}). Check the "
                    + "server, then run the same command again: it continues from its checkpoint");
            }

            try
            {
                TimeSpan pause = Between.After(failures);
                await Task.Delay(after > pause ? after : pause, _time, asked).ConfigureAwait(false);
            }
            catch (OperationCanceledException) when (asked.IsCancellationRequested)
            {
                return new ReplayAnswer(IsTaken: false, [], wasUncertain);
            }
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _client.Dispose();

    private async Task<(ReplayAnswer? Answer, TimeSpan RetryAfter, string Why, bool IsUncertain)> TryAsync(ReplayRequest request)
    {
        using var message = new HttpRequestMessage(
            HttpMethod.Post, request.IsAlone ? "collect" : "collect/batch") { Content = new ReadOnlyMemoryContent(request.Content) };
        message.Content.Headers.ContentType = new MediaTypeHeaderValue(request.IsAlone ? "application/octet-stream" : "application/x-ndjson");
        message.Headers.TryAddWithoutValidation("Idempotency-Key", HeaderText(request.Id));
        if (_ack is not null)
        {
            message.Headers.Add("X-Estat-Ack", _ack);
        }

        using var limit = new CancellationTokenSource(RequestLimit, _time);
        using var end = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, _late);
        try
        {
            using HttpResponseMessage response = await _client.SendAsync(message, end.Token).ConfigureAwait(false);
            return await ReadAsync(request, response).ConfigureAwait(false);
        }
        catch (Exception error) when (error is HttpRequestException or OperationCanceledException or IOException)
        {
            string why = error is OperationCanceledException ? $"no answer within {RequestLimit.TotalSeconds:0} s" : error.GetBaseException().Message;
            return (null, TimeSpan.Zero, why, AnswerMeaning.MayBeStored(error));
        }
    }

    // The whole answer is here.
    private async Task<(ReplayAnswer? Answer, TimeSpan RetryAfter, string Why, bool IsUncertain)> ReadAsync(
        ReplayRequest request, HttpResponseMessage response)
    {
        HttpStatusCode status = response.StatusCode;
        if (status is HttpStatusCode.OK or HttpStatusCode.Accepted)
        {
            bool isEstat = response.Headers.TryGetValues("X-Estat-Ack", out IEnumerable<string>? acks);
            if (isEstat && acks!.Contains("memory"))
            {
                Interlocked.Increment(ref _memoryAcks);
            }

            // A status proves nothing: a portal answers 200 as well. A batch's answer accounts for every event, a lone event's names its level.
            List<(int, string)> rejected = request.IsAlone
                ? isEstat ? [] : throw NoEstat("had no X-Estat-Ack")
                : Rejected(await response.Content.ReadAsStringAsync().ConfigureAwait(false), request.Lines.Count);
            return (new ReplayAnswer(IsTaken: true, rejected, false), TimeSpan.Zero, "", false);
        }

        ProblemText problem = await ProblemText.ReadAsync(response, CancellationToken.None).ConfigureAwait(false);
        string detail = problem.Detail;
        if (status == HttpStatusCode.RequestEntityTooLarge && request.Lines.Count == 1)
        {
            return (new ReplayAnswer(IsTaken: true, [(0, detail)], false), TimeSpan.Zero, "", false);
        }

        if (AnswerMeaning.MayPass(status))
        {
            return (null, AnswerMeaning.RetryAfter(response, _time), $"{(int)status} {detail}", AnswerMeaning.MayBeStored(status, problem));
        }

        string advice = (int)status switch
        {
            401 => ". Give a write key by ESTAT_KEY or --key",
            404 or 405 => ". Is --to the address of an Estat server?",
            413 => ". Make requests smaller by --batch",
            _ => "",
        };
        throw new CliException($"{_url} refuses {request.Key} line {request.FirstLine}: {(int)status} {detail}{advice}");
    }

    private static List<(int Index, string Reason)> Rejected(string body, int sent)
    {
        string told = $"was {body[..Math.Min(body.Length, 200)]}";
        try
        {
            using JsonDocument answer = JsonDocument.Parse(body);
            List<(int, string)> rejected = [.. answer.RootElement.GetProperty("rejected").EnumerateArray()
                .Select(item => (item.GetProperty("index").GetInt32(), item.GetProperty("reason").GetString() ?? ""))];
            return answer.RootElement.GetProperty("accepted").GetInt64() + rejected.Count == sent
                ? rejected
                : throw NoEstat($"{told}, which does not add up to the {sent} events that were sent");
        }
        catch (Exception error) when (error is JsonException or KeyNotFoundException or InvalidOperationException or FormatException)
        {
            throw NoEstat(told);
        }
    }

    private static CliException NoEstat(string what) =>
        new($"the answer {what}, which no Estat server sends. Is --to the right address? Does a proxy answer in its place?");

    // UTF-8 bytes as characters, as a server keeps header texts; controls, which no header carries, escaped.
    private static string HeaderText(string id)
    {
        var text = new StringBuilder(id.Length);
        foreach (byte b in Encoding.UTF8.GetBytes(id))
        {
            text.Append(b is < 0x20 or 0x7f ? string.Create(CultureInfo.InvariantCulture, $"%{b:X2}") : ((char)b).ToString());
        }

        return text.ToString();
    }
}
