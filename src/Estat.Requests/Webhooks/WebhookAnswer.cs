// What the answer to a webhook call means. docs/requests.md, "Webhook", has the table.
using System.Globalization;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Unicode;
using Estat.Requests.Campaigns;
using Estat.Requests.Deciding;

namespace Estat.Requests.Webhooks;

/// <summary>How a call ended.</summary>
internal enum WebhookOutcome
{
    /// <summary>The endpoint decided: SUCCEEDED.</summary>
    Succeeded,

    /// <summary>The endpoint decided: REJECTED.</summary>
    Rejected,

    /// <summary>It says that the call is wrong; to repeat it would not help.</summary>
    Refused,

    /// <summary>It says that it cannot decide now.</summary>
    Failed,

    /// <summary>It answered something that is no decision.</summary>
    Unreadable,

    /// <summary>It did not answer in time.</summary>
    TimedOut,

    /// <summary>No connection, or it broke.</summary>
    Unreachable,
}

/// <summary>Pure. Failures are sentences for the operator: nothing of the URL, of the secrets or of the answer's text is in them.</summary>
/// <param name="Outcome">How the call ended.</param>
internal sealed record WebhookAnswer(WebhookOutcome Outcome)
{
    /// <summary>Bytes of an answer at most.</summary>
    internal const int LongestBody = 64 * 1024;

    /// <summary>Characters of a reason that are kept.</summary>
    internal const int LongestReason = 200;

    // Deeper JSON than a request's own body may have is no result either.
    private const int Depth = 32;
    private static readonly TimeSpan LongestWait = TimeSpan.FromHours(1);

    /// <summary>The endpoint's reason.</summary>
    internal string? Reason { get; init; }

    /// <summary>The endpoint's result: JSON on one line.</summary>
    internal string? Result { get; init; }

    /// <summary>What went wrong; null when it decided.</summary>
    internal string? Failure { get; init; }

    /// <summary>How long the endpoint asks to wait.</summary>
    internal TimeSpan? Wait { get; init; }

    /// <summary>Whether it did not decide.</summary>
    internal bool IsFailure => Outcome is not (WebhookOutcome.Succeeded or WebhookOutcome.Rejected);

    /// <summary>What an HTTP answer means.</summary>
    /// <param name="status">Its status.</param>
    /// <param name="body">Its body, which counts with 200 alone; null: it is too long.</param>
    /// <param name="retryAfter">Its Retry-After, which counts with 429 and 503 alone.</param>
    internal static WebhookAnswer Of(int status, byte[]? body, TimeSpan? retryAfter = null) => status switch
    {
        200 => body is not null ? Read(body)
            : Unreadable($"The endpoint's answer is longer than {LongestBody / 1024} KB."),
        408 or 425 or 429 or >= 500 => new WebhookAnswer(WebhookOutcome.Failed)
        {
            Failure = string.Create(CultureInfo.InvariantCulture, $"The endpoint answered {status}."),
            Wait = status is 429 or 503 ? retryAfter : null,
        },
        >= 400 => new WebhookAnswer(WebhookOutcome.Refused)
        {
            Failure = string.Create(CultureInfo.InvariantCulture, $"The endpoint refused the call with {status}."),
        },
        >= 300 => new WebhookAnswer(WebhookOutcome.Failed)
        {
            Failure = string.Create(
                CultureInfo.InvariantCulture, $"The endpoint answered {status}. Redirects are not followed: set webhook.url to the right place."),
        },
        _ => Unreadable(string.Create(CultureInfo.InvariantCulture, $"The endpoint answered {status}. A decision is a 200 with JSON.")),
    };

    /// <summary>The endpoint did not answer in time.</summary>
    internal static WebhookAnswer TimedOut(TimeSpan limit) => new(WebhookOutcome.TimedOut)
    {
        Failure = string.Create(CultureInfo.InvariantCulture, $"The endpoint did not answer within {limit.TotalSeconds:0.#} s."),
    };

    /// <summary>There was no connection, or it broke.</summary>
    internal static WebhookAnswer Unreachable(string failure) => new(WebhookOutcome.Unreachable) { Failure = failure };

    /// <summary>How the attempt ends.</summary>
    /// <param name="attempt">Its number, from 1.</param>
    /// <param name="isCounted">Whether it counts if it failed.</param>
    /// <param name="leastWait">Until the next attempt at least.</param>
    internal AttemptResult ToResult(int attempt, bool isCounted, TimeSpan leastWait) => Outcome switch
    {
        WebhookOutcome.Succeeded => new AttemptResult(RequestState.Succeeded, Reason, Result),
        WebhookOutcome.Rejected => new AttemptResult(RequestState.Rejected, Reason, Result),
        WebhookOutcome.Refused => new AttemptResult(RequestState.FailedFinal, Reasons.Refused, Failure: Failure),
        _ => new AttemptResult(
            RequestState.Queued, Failure: Failure, RetryAfter: Longest(Backoffs.After(attempt), Shortest(Wait ?? default, LongestWait), leastWait),
            IsCounted: isCounted),
    };

    private static WebhookAnswer Read(byte[] body)
    {
        try
        {
            return Utf8.IsValid(body) ? ReadDecision(body) : Unreadable("The endpoint's answer is not UTF-8.");
        }
        catch (Exception error) when (error is JsonException or InvalidOperationException) // the latter: half of a surrogate pair
        {
            return Unreadable("The endpoint's answer is not valid JSON.");
        }
    }

    private static WebhookAnswer ReadDecision(byte[] body)
    {
        using JsonDocument document = JsonDocument.Parse(body, new JsonDocumentOptions { MaxDepth = Depth });
        JsonElement root = document.RootElement;
        WebhookOutcome? outcome = root.ValueKind != JsonValueKind.Object || !root.TryGetProperty("status", out JsonElement status) ? null
            : status.ValueKind != JsonValueKind.String ? null
            : status.ValueEquals("SUCCEEDED"u8) ? WebhookOutcome.Succeeded
            : status.ValueEquals("REJECTED"u8) ? WebhookOutcome.Rejected
            : null;
        if (outcome is null)
        {
            return Unreadable("The endpoint's answer has no \"status\" of \"SUCCEEDED\" or \"REJECTED\".");
        }

        bool hasReason = root.TryGetProperty("reason", out JsonElement reason) && reason.ValueKind != JsonValueKind.Null;
        return hasReason && reason.ValueKind != JsonValueKind.String ? Unreadable("The \"reason\" in the endpoint's answer is not a text.")
            : new WebhookAnswer(outcome.Value)
            {
                Reason = hasReason ? Cut(reason.GetString()!) : null,
                Result = root.TryGetProperty("result", out JsonElement result) && result.ValueKind != JsonValueKind.Null ? OneLine(result) : null,
            };
    }

    private static WebhookAnswer Unreadable(string failure) => new(WebhookOutcome.Unreadable) { Failure = failure };

    private static string Cut(string reason) =>
        reason.Length <= LongestReason ? reason : reason[..(LongestReason - (char.IsHighSurrogate(reason[LongestReason - 1]) ? 1 : 0))];

    // It becomes a part of a line of JSONL.
    private static string OneLine(JsonElement value)
    {
        using var stream = new MemoryStream();
        using (var json = new Utf8JsonWriter(stream, new JsonWriterOptions { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping }))
        {
            value.WriteTo(json);
        }

        return Encoding.UTF8.GetString(stream.GetBuffer(), 0, (int)stream.Length);
    }

    private static TimeSpan Longest(TimeSpan first, TimeSpan second, TimeSpan third) =>
        TimeSpan.FromTicks(Math.Max(Math.Max(first.Ticks, second.Ticks), third.Ticks));

    private static TimeSpan Shortest(TimeSpan first, TimeSpan second) => first < second ? first : second;
}
