// One producer: it sends, waits for the answer, and goes on.
using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using System.Net.Http.Headers;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using Estat.Base.Network;

namespace Estat.Topics.Chaos;

/// <summary>What all producers count together.</summary>
internal sealed class ProducerCounts
{
    internal long Messages;
    internal long Requests;
    internal long Told;
    internal long Broken;
    internal long Perhaps;
    internal long NotTaken;
    internal long Repeats;
    internal long Unknown;
    internal long Wrong;

    /// <summary>What an answer broke by itself.</summary>
    internal ConcurrentQueue<string> Faults { get; } = new();
}

/// <summary>
/// A request with an Idempotency-Key is sent again until there is an answer that says where its messages are. One without a key is sent again only
/// where it is certain that nothing of it was taken.
/// </summary>
internal sealed class Producer : IDisposable
{
    private const int LargestRequest = 60;
    private const int RepeatOneIn = 40;
    private static readonly TimeSpan BeforeRepeat = TimeSpan.FromMilliseconds(30);

    private readonly int _number;
    private readonly double _perSecond;
    private readonly IReadOnlyList<MessageStream> _own;
    private readonly ProducerCounts _counts;
    private readonly Random _dice;
    private readonly Bodies _bodies;
    private readonly string _run;
    private readonly HttpClient _client;
    private (ProduceRequest Request, Answer Answer)? _lastWithKey;
    private bool _wasKilled;
    private int _keys;

    internal Producer(int number, OracleOptions options, Uri server, SentMessages sent, ProducerCounts counts)
    {
        _number = number;
        _perSecond = (double)options.Rate / options.Producers;
        _own = sent.Of[number];
        _counts = counts;
        _dice = new Random(options.Seed + number);
        _bodies = new Bodies(_dice);
        _run = options.Seed.ToString(CultureInfo.InvariantCulture);
        // Longer than any trouble: who gives up earlier would not know whether what it sent comes in later.
        _client = new HttpClient(new BrokenConnections(new SocketsHttpHandler { UseProxy = false }))
        {
            BaseAddress = server, Timeout = TimeSpan.FromMinutes(3),
        };
    }

    /// <summary>When each request was answered with 200, and how long that took.</summary>
    internal List<(long At, TimeSpan Took)> Answers { get; } = [];

    /// <summary>Sends until it is told to stop, and then ends what it has begun.</summary>
    internal async Task RunAsync(CancellationToken stopping)
    {
        long began = Stopwatch.GetTimestamp();
        double due = 0;
        while (!stopping.IsCancellationRequested)
        {
            int size = _bodies.NextSize(LargestRequest);
            due = Math.Max(due, Stopwatch.GetElapsedTime(began).TotalSeconds - 1) + (size / _perSecond);
            if (TimeSpan.FromSeconds(due) - Stopwatch.GetElapsedTime(began) is var wait && wait > TimeSpan.Zero)
            {
                await Task.Delay(wait, stopping).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }

            await SendAsync(_bodies.Make(_own, size, _dice.Next(2) == 0 ? NextKey() : null));
        }
    }

    public void Dispose() => _client.Dispose();

    private string NextKey() => string.Create(CultureInfo.InvariantCulture, $"{_run}-{_number}-{_keys++}");

    private async Task SendAsync(ProduceRequest request)
    {
        Interlocked.Add(ref _counts.Messages, request.Messages.Count);
        bool mayBeThere = false;
        while (true)
        {
            Answer answer = await PostAsync(request);
            switch (answer.Kind)
            {
                case AnswerKind.Taken when !request.IsWrong:
                    Keep(request, answer);
                    await PerhapsRepeatAsync(request, answer);
                    return;
                case AnswerKind.Wrong when request.IsWrong:
                    Interlocked.Increment(ref _counts.Wrong);
                    Keep(request, Word.Refused);
                    return;
                case AnswerKind.NotSent:
                    _wasKilled = true;
                    break;
                case AnswerKind.NotTaken:
                    Interlocked.Increment(ref _counts.NotTaken);
                    if (!mayBeThere && _dice.Next(2) == 0)
                    {
                        Keep(request, Word.Refused);
                        return;
                    }

                    break;
                case AnswerKind.Perhaps or AnswerKind.Broken:
                    Interlocked.Increment(ref answer.Kind == AnswerKind.Perhaps ? ref _counts.Perhaps : ref _counts.Broken);
                    mayBeThere = _wasKilled = true;
                    if (request.Key is null)
                    {
                        Interlocked.Add(ref _counts.Unknown, request.Messages.Count);
                        Keep(request, request.IsWrong ? Word.Refused : Word.Perhaps);
                        return;
                    }

                    Interlocked.Increment(ref _counts.Repeats);
                    break;
                default:
                    _counts.Faults.Enqueue(
                        $"a {(request.IsWrong ? "wrong" : "good")} request to {request.Topic} was answered {answer.Status}: {answer.Text}");
                    Keep(request, request.IsWrong ? Word.Refused : Word.Perhaps);
                    return;
            }

            await Task.Delay(BeforeRepeat);
        }
    }

    // Now and then at once; and once the server is back after it was killed, so that it must know keys of its life before.
    private async Task PerhapsRepeatAsync(ProduceRequest request, Answer answer)
    {
        if (_wasKilled && _lastWithKey is { } last)
        {
            _wasKilled = false;
            await RepeatAsync(last.Request, last.Answer);
        }

        if (request.Key is not null)
        {
            _lastWithKey = (request, answer);
            if (_dice.Next(RepeatOneIn) == 0)
            {
                await RepeatAsync(request, answer);
            }
        }
    }

    // What is there already must be found again, and must not take another body's place.
    private async Task RepeatAsync(ProduceRequest request, Answer first)
    {
        bool isSame = _dice.Next(2) == 0;
        ProduceRequest second = isSame ? request : _bodies.Make(_own, 2, request.Key);
        Interlocked.Increment(ref _counts.Repeats);
        Answer answer = await PostAsync(second);
        if (!isSame)
        {
            Interlocked.Add(ref _counts.Messages, second.Messages.Count);
            Keep(second, Word.Refused);
        }

        bool isRight = answer.Kind switch
        {
            AnswerKind.Taken => isSame && answer.Positions.SequenceEqual(first.Positions),
            AnswerKind.Wrong => second.IsWrong && answer.Status == 400,
            AnswerKind.OtherBody => !isSame,
            AnswerKind.Other => false,
            _ => true,
        };
        if (!isRight)
        {
            _counts.Faults.Enqueue($"{(isSame ? "the same" : "another")} body with an Idempotency-Key that is known was answered {answer.Status}: "
                + $"{answer.Text}; the first answer was {first.Text}");
        }
    }

    private static void Keep(ProduceRequest request, Word word)
    {
        foreach ((MessageStream stream, int serial) in request.Messages)
        {
            stream[serial] = stream[serial] with { Word = word };
        }
    }

    private void Keep(ProduceRequest request, Answer answer)
    {
        if (answer.Positions.Count != request.Messages.Count)
        {
            _counts.Faults.Enqueue($"{request.Messages.Count} messages were told {answer.Positions.Count} positions: {answer.Text}");
            return;
        }

        for (int index = 0; index < request.Messages.Count; index++)
        {
            (MessageStream stream, int serial) = request.Messages[index];
            (int partition, long offset) = answer.Positions[index];
            stream[serial] = stream[serial] with { Word = Word.Told, Partition = partition, Offset = offset };
        }

        Interlocked.Add(ref _counts.Told, request.Messages.Count);
    }

    private async Task<Answer> PostAsync(ProduceRequest request)
    {
        Interlocked.Increment(ref _counts.Requests);
        long began = Stopwatch.GetTimestamp();
        try
        {
            using var message = new HttpRequestMessage(HttpMethod.Post, new Uri("/api/produce/" + request.Topic, UriKind.Relative))
            {
                Content = new ByteArrayContent(request.Body) { Headers = { ContentType = new MediaTypeHeaderValue(request.ContentType) } },
            };
            if (request.Key is not null)
            {
                message.Headers.Add("Idempotency-Key", request.Key);
            }

            using HttpResponseMessage response = await _client.SendAsync(message);
            byte[] body = await response.Content.ReadAsByteArrayAsync();
            if (response.IsSuccessStatusCode)
            {
                Answers.Add((Stopwatch.GetTimestamp(), Stopwatch.GetElapsedTime(began)));
            }

            return Answer.Read((int)response.StatusCode, body);
        }
        catch (HttpRequestException error) when (error.InnerException is SocketException { SocketErrorCode: SocketError.ConnectionRefused })
        {
            return new Answer(AnswerKind.NotSent, 0, "", []);
        }
        catch (Exception error) when (error is HttpRequestException or IOException)
        {
            return new Answer(AnswerKind.Broken, 0, error.Message, []);
        }
        catch (TaskCanceledException)
        {
            return new Answer(AnswerKind.Other, 0, $"no answer within {_client.Timeout.TotalSeconds} s", []);
        }
    }

    private enum AnswerKind
    {
        Taken,
        NotTaken,
        Perhaps,
        Wrong,
        OtherBody,
        Broken,
        NotSent,
        Other,
    }

    private sealed record Answer(AnswerKind Kind, int Status, string Text, IReadOnlyList<(int Partition, long Offset)> Positions)
    {
        internal static Answer Read(int status, byte[] body)
        {
            string text = Encoding.UTF8.GetString(body);
            try
            {
                using JsonDocument json = JsonDocument.Parse(text);
                if (status == 200)
                {
                    return new Answer(AnswerKind.Taken, status, text, [.. json.RootElement.GetProperty("positions").EnumerateArray().Select(
                        at => (at.GetProperty("partition").GetInt32(), at.GetProperty("offset").GetInt64()))]);
                }

                string? type = json.RootElement.TryGetProperty("type", out JsonElement name) ? name.GetString() : null;
                return new Answer(
                    status switch
                    {
                        503 when type?.EndsWith(":not-taken", StringComparison.Ordinal) == true => AnswerKind.NotTaken,
                        503 when type?.EndsWith(":perhaps", StringComparison.Ordinal) == true => AnswerKind.Perhaps,
                        408 => AnswerKind.NotTaken, // its body did not come in time, as when the server stood still
                        422 => AnswerKind.OtherBody,
                        400 => AnswerKind.Wrong,
                        _ => AnswerKind.Other,
                    },
                    status, text, []);
            }
            catch (Exception error) when (error is JsonException or KeyNotFoundException or InvalidOperationException)
            {
                return new Answer(AnswerKind.Other, status, text, []);
            }
        }
    }
}
