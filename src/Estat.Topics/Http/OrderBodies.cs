// Bodies of the operator's orders.
using System.Text.Json;
using Estat.Http.Bodies;
using Microsoft.AspNetCore.Http;

namespace Estat.Topics.Http;

/// <summary>Reads a JSON object with known members; an empty body is an empty object. Any thread.</summary>
/// <param name="bodies">How bodies are read; their largest event is the largest order.</param>
internal sealed class OrderBodies(RequestBodies bodies)
{
    // A mended value may have 64 levels.
    private static readonly JsonDocumentOptions Reading = new() { MaxDepth = 72 };

    /// <summary>Reads one.</summary>
    /// <param name="context">The request.</param>
    /// <param name="members">Members that it may have.</param>
    /// <exception cref="OrderRefusedException">It is no such body.</exception>
    internal async Task<JsonElement> ReadAsync(HttpContext context, params IReadOnlyList<string> members)
    {
        using RequestBody body = bodies.Single(context);
        BodyOutcome outcome = await body.ReadAsync(context, Coding.Identity).ConfigureAwait(false);
        if (outcome != BodyOutcome.Whole)
        {
            throw outcome == BodyOutcome.TooLarge
                ? new OrderRefusedException(StatusCodes.Status413PayloadTooLarge, $"The body may have at most {bodies.LargestEvent} bytes.")
                : new OrderRefusedException(
                    StatusCodes.Status503ServiceUnavailable, "Too many bodies are being read (INFLIGHT_BYTES). Send it again in a moment.");
        }

        try
        {
            using JsonDocument document = JsonDocument.Parse(body.Bytes.IsEmpty ? "{}"u8.ToArray() : body.Bytes.ToArray(), Reading);
            if (document.RootElement.ValueKind != JsonValueKind.Object)
            {
                throw Invalid("The body must be a JSON object.");
            }

            string? unknown = document.RootElement.EnumerateObject().Select(member => member.Name).FirstOrDefault(name => !members.Contains(name));
            return unknown is null ? document.RootElement.Clone() : throw Invalid(
                members.Count == 0 ? "This order has no body."
                    : $"There is no \"{unknown}\" in this order. It may have: {string.Join(", ", members)}.");
        }
        catch (Exception error) when (error is JsonException or InvalidOperationException) // half a surrogate is found when a text is read
        {
            throw Invalid($"The body is not valid JSON. {error.Message}");
        }
    }

    /// <summary>What is answered to an order that is wrong.</summary>
    /// <param name="why">What is wrong with it.</param>
    internal static OrderRefusedException Invalid(string why) => new(StatusCodes.Status400BadRequest, why);

    /// <summary>A text; null when it is not there, or null.</summary>
    /// <param name="order">The order.</param>
    /// <param name="name">The member.</param>
    /// <exception cref="OrderRefusedException">It is something else.</exception>
    internal static string? Text(JsonElement order, string name)
    {
        if (!order.TryGetProperty(name, out JsonElement value) || value.ValueKind == JsonValueKind.Null)
        {
            return null;
        }

        try
        {
            string? text = value.ValueKind == JsonValueKind.String ? value.GetString() : throw Invalid($"{name} must be a text.");
            return text!.Contains('\0', StringComparison.Ordinal) ? throw Invalid($"{name} must be a text without NUL.") : text;
        }
        catch (InvalidOperationException)
        {
            throw Invalid($"{name} must be a text in UTF-8.");
        }
    }

    /// <summary>True or false.</summary>
    /// <param name="order">The order.</param>
    /// <param name="name">The member.</param>
    /// <param name="otherwise">What it is when it is not there.</param>
    /// <exception cref="OrderRefusedException">It is something else.</exception>
    internal static bool Flag(JsonElement order, string name, bool otherwise) => !order.TryGetProperty(name, out JsonElement value) ? otherwise
        : value.ValueKind is JsonValueKind.True or JsonValueKind.False ? value.GetBoolean()
        : throw Invalid($"{name} must be true or false.");

    /// <summary>A whole number, or a text of one; null when it is not there, or null.</summary>
    /// <param name="order">The order.</param>
    /// <param name="name">The member.</param>
    /// <param name="least">The smallest.</param>
    /// <param name="most">The largest.</param>
    /// <exception cref="OrderRefusedException">It is something else.</exception>
    internal static long? Number(JsonElement order, string name, long least, long most)
    {
        if (!order.TryGetProperty(name, out JsonElement value) || value.ValueKind == JsonValueKind.Null)
        {
            return null;
        }

        return AsNumber(value) is { } number && number >= least && number <= most ? number
            : throw Invalid($"{name} must be a whole number from {least} to {most}.");
    }

    /// <summary>A whole number, or a text of one; null when it is none.</summary>
    /// <param name="value">A value.</param>
    internal static long? AsNumber(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.Number when value.TryGetInt64(out long number) => number,
        JsonValueKind.String when long.TryParse(
            value.ValueKind == JsonValueKind.String ? value.GetRawText().AsSpan()[1..^1] : default, System.Globalization.NumberStyles.None,
            System.Globalization.CultureInfo.InvariantCulture, out long number) => number,
        _ => null,
    };
}
