// What an order about a file or an object comes to, as an answer.
using Microsoft.AspNetCore.Http;
using Estat.Collect.Dlq;
using Estat.Http.Administration;

namespace Estat.Collect.Http;

/// <summary>Turns <see cref="OrderResult"/> into status and body.</summary>
internal static class Orders
{
    /// <summary>The answer.</summary>
    /// <param name="result">How it ended.</param>
    /// <param name="what">What it was about, such as <c>DLQ file NAME</c>.</param>
    internal static AdminReply Reply(OrderResult result, string what) => result.End switch
    {
        OrderEnd.Stored => Outcome("stored", result.Detail),
        OrderEnd.Quarantined => Outcome("quarantined", result.Detail),
        OrderEnd.Discarded => AdminJson.Reply(new Discarded(result.Events), AdminJson.Readable.Discarded),
        OrderEnd.Failed => Outcome("failed", result.Detail),
        OrderEnd.Missing => AdminReply.Error(StatusCodes.Status404NotFound, $"There is no {what}. It may have been stored meanwhile."),
        OrderEnd.Busy => AdminReply.Error(
            StatusCodes.Status409Conflict, $"The node is trying {what} now, or is busy with too many others. Look again in a moment."),
        OrderEnd.OtherCount => AdminReply.Error(
            StatusCodes.Status409Conflict,
            $"{what} holds {result.Events} events, but ?events= has another number. Nothing was discarded. Look at it again."),
        _ => AdminReply.Error(StatusCodes.Status503ServiceUnavailable, "The node is starting or stopping. Try again in a moment."),
    };

    private static AdminReply Outcome(string outcome, string? detail) =>
        AdminJson.Reply(new OrderOutcome(outcome, detail), AdminJson.Readable.OrderOutcome);
}

/// <summary>How an attempt ended.</summary>
internal sealed record OrderOutcome(string Outcome, string? Detail);

/// <summary>Events that were given up.</summary>
internal sealed record Discarded([property: System.Text.Json.Serialization.JsonPropertyName("discarded")] long Events);

/// <summary>Files that an order was about.</summary>
internal sealed record FileCount(int Files);
