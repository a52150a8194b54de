// Whether what came back is right: for any bytes by the form of the answers, for planned requests by their meaning.
using System.Text.Json;
using Estat.Fuzz.Wire;

namespace Estat.Fuzz.Judging;

/// <summary>What a connection's answers come to.</summary>
/// <param name="Fault">What is wrong; null: nothing that the answers show.</param>
/// <param name="Answers">Final answers in order.</param>
/// <param name="Acknowledged">Events that they acknowledge.</param>
/// <param name="Bodies">The fingerprint of those events' bodies; null: not all of them are known.</param>
/// <param name="IsExact">Whether every answer was seen, so that exactly what was acknowledged has to be stored; else more may be.</param>
internal sealed record Verdict(string? Fault, IReadOnlyList<Answer> Answers, long Acknowledged, ulong? Bodies, bool IsExact);

/// <summary>Judges one exchange. docs/http.md is the law; what stands here is nothing but what it says.</summary>
internal static class AnswerJudge
{
    private const string ProblemType = "application/problem+json";

    // A client that dripped so long may be told that it was too slow (HEADER_TIMEOUT and BODY_TIMEOUT are 2 s).
    private static readonly TimeSpan SlowCase = TimeSpan.FromSeconds(1.5);

    // What is no whole request of HTTP is refused by Kestrel, without a body.
    private static readonly int[] EmptyRefusals = [400, 405, 408, 414, 431, 505];
    private static readonly int[] Documented = [200, 202, 204, 400, 404, 405, 408, 413, 414, 415, 429, 431, 501, 503, 505];

    /// <summary>Judges.</summary>
    internal static Verdict Judge(FuzzCase fuzzCase, Exchange exchange)
    {
        IReadOnlyList<PlannedRequest> plan = fuzzCase.Plan ?? [];
        bool isWhole = exchange is { End: ExchangeEnd.Closed, HalfClosed: false };
        List<Answer> answers = AnswerReader.ReadAll(exchange.Received, i => i < plan.Count && plan[i].IsHead, !isWhole, out string? fault);
        if (exchange.End == ExchangeEnd.Hung)
        {
            fault ??= "neither an answer nor an end of the connection within the limit";
        }

        long acknowledged = 0;
        ulong? bodies = fuzzCase.Plan is null ? null : 0;
        int firstCut = CompleteRequests(fuzzCase);
        bool isSlow = exchange.Took > SlowCase;
        for (int i = 0; i < answers.Count && fault is null; i++)
        {
            Answer answer = answers[i];
            fault = FormOf(answer, i < plan.Count && plan[i].IsHead) is { } wrong ? $"answer {i} ({answer.Status}): {wrong}" : null;
            if (fault is not null)
            {
                break;
            }

            (int accepted, int rejected) = Counts(answer);
            acknowledged += accepted;
            Expectation? expects = i >= firstCut || (isSlow && answer.Status == 408) ? null : plan[i].Expects;
            bodies = accepted > 0 ? expects?.Events is { } events && bodies is { } sum ? sum + Fingerprint.Of(events) : null : bodies;
            bool isTurnedAway = answer.Status is 503 or 429 && fuzzCase.Plan is not null && i < plan.Count && IsForEvents(plan[i]);
            fault = expects is not null && !isTurnedAway && WrongFor(expects, answer, accepted, rejected) is { } problem
                ? $"answer {i} ({answer.Status}): {problem}; the request: {FuzzReport.Text(plan[i].Bytes, 800)}" : null;
        }

        fault ??= fuzzCase.Plan is null ? null : MissingOrTooMany(fuzzCase, exchange, answers);
        return new Verdict(fault, answers, acknowledged, bodies, isWhole);
    }

    private static string? MissingOrTooMany(FuzzCase fuzzCase, Exchange exchange, List<Answer> answers)
    {
        IReadOnlyList<PlannedRequest> plan = fuzzCase.Plan!;
        if (plan[^1].Expects == Expectation.Anything)
        {
            return null;
        }

        return answers.Count > plan.Count ? $"{answers.Count} answers to {plan.Count} requests"
            : fuzzCase.Delivery.Ending == Ending.Whole && exchange.End == ExchangeEnd.Closed && answers.Count < plan.Count
                && answers is not [.., { Closes: true }]
                ? $"closed after {answers.Count} of {plan.Count} answers"
            : fuzzCase.Delivery.Ending == Ending.Whole && exchange.End == ExchangeEnd.Reset && answers.Count < plan.Count
                && answers is not [.., { Closes: true }] && !MayHaveBeenRefused(plan, answers.Count)
                ? $"reset after {answers.Count} of {plan.Count} answers"
            : null;
    }

    // A refusal may close the connection while the client still sends. What it had not read by then may be lost by the reset, the refusal with it.
    private static bool MayHaveBeenRefused(IReadOnlyList<PlannedRequest> plan, int answers) =>
        plan.Skip(answers).SkipLast(1).Any(request => request.Expects.Statuses.Any(status => status >= 400));

    // How many requests were sent whole.
    private static int CompleteRequests(FuzzCase fuzzCase)
    {
        int sent = 0;
        int complete = 0;
        foreach (PlannedRequest request in fuzzCase.Plan ?? [])
        {
            sent += request.Bytes.Length;
            if (sent > fuzzCase.Delivery.End)
            {
                break;
            }

            complete++;
        }

        return complete;
    }

    // A full queue, or bodies in progress that hold all of INFLIGHT_BYTES or their address' part of it, are no fault, and may be noticed before what
    // is wrong with the request.
    private static bool IsForEvents(PlannedRequest request) =>
        request.Bytes.AsSpan().StartsWith("POST /collect"u8) || request.Bytes.AsSpan().StartsWith("GET /collect"u8);

    private static string? WrongFor(Expectation expects, Answer answer, int accepted, int rejected)
    {
        if (expects == Expectation.Anything)
        {
            return null;
        }

        return !expects.Statuses.Contains(answer.Status) ? $"expected {string.Join(" or ", expects.Statuses)}"
            : answer.Ack is null || expects.Events is null ? null
            : accepted != expects.Events.Count ? $"{accepted} events accepted, {expects.Events.Count} expected"
            : rejected != expects.TooLarge ? $"{rejected} events rejected, {expects.TooLarge} expected"
            : null;
    }

    // The form that any answer has to have, whatever was asked.
    private static string? FormOf(Answer answer, bool isHead)
    {
        if (!Documented.Contains(answer.Status))
        {
            return "a status that docs/http.md does not know";
        }

        if (answer.Status >= 400)
        {
            bool isEmpty = answer.Body.Length == 0 && answer.Header("content-type") is null;
            return isEmpty ? EmptyRefusals.Contains(answer.Status) && answer.Closes ? null : "an error without a problem document"
                : answer.Header("content-type") != ProblemType ? $"an error of type {answer.Header("content-type")}"
                : !isHead && !IsProblem(answer) ? "a problem document that is none"
                : answer.Status is 503 or 429 && answer.Header("retry-after") is null ? "no Retry-After"
                : answer.Status == 405 && answer.Header("allow") is null ? "no Allow"
                : answer.Status == 415 && answer.Header("accept-encoding") is null
                    && answer.Body.AsSpan().IndexOf("Content-Encoding must"u8) >= 0 ? "no Accept-Encoding"
                : null;
        }

        if (answer.Ack is { } level && level is not ("memory" or "disk" or "stored" or "replica"))
        {
            return $"ack level {level}";
        }

        return answer.Ack is not null && answer.Header("content-type") == "application/json" && TryCount(answer) is null
            ? "a batch's answer that cannot be read" : null;
    }

    private static bool IsProblem(Answer answer)
    {
        try
        {
            using var problem = JsonDocument.Parse(answer.Body);
            JsonElement root = problem.RootElement;
            return root.GetProperty("status").GetInt32() == answer.Status && root.GetProperty("type").GetString() is not null
                && root.GetProperty("title").GetString() is { Length: > 0 } && root.GetProperty("detail").GetString() is { Length: > 10 };
        }
        catch (Exception error) when (error is JsonException or KeyNotFoundException or InvalidOperationException)
        {
            return false;
        }
    }

    private static (int Accepted, int Rejected) Counts(Answer answer) =>
        answer.Ack is null ? (0, 0) : answer.Header("content-type") == "application/json" ? TryCount(answer)!.Value : (1, 0);

    private static (int Accepted, int Rejected)? TryCount(Answer answer)
    {
        try
        {
            using var result = JsonDocument.Parse(answer.Body);
            int[] rejected = [.. result.RootElement.GetProperty("rejected").EnumerateArray().Select(each => each.GetProperty("index").GetInt32())];
            bool isAscending = rejected.Zip(rejected.Skip(1)).All(pair => pair.First < pair.Second);
            int accepted = result.RootElement.GetProperty("accepted").GetInt32();
            return isAscending && accepted >= 0 ? (accepted, rejected.Length) : null;
        }
        catch (Exception error) when (error is JsonException or KeyNotFoundException or InvalidOperationException)
        {
            return null;
        }
    }
}
