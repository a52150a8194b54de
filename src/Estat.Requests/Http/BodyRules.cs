// What a request's body may be.
using System.Text.Json;
using System.Text.Unicode;

namespace Estat.Requests.Http;

/// <summary>A JSON text, or nothing: the webhook and the operator read it later, when nobody could mend it.</summary>
internal static class BodyRules
{
    /// <summary>What is wrong with a body; null when nothing is.</summary>
    internal static string? WhyNotJson(ReadOnlySpan<byte> body)
    {
        if (body.IsEmpty)
        {
            return null;
        }

        if (!Utf8.IsValid(body))
        {
            return "The body is not UTF-8, so nothing was taken. Send JSON in UTF-8, or no body.";
        }

        try
        {
            var reader = new Utf8JsonReader(body, new JsonReaderOptions { MaxDepth = 32 });
            while (reader.Read())
            {
            }

            return null;
        }
        catch (JsonException error)
        {
            return $"The body is not valid JSON, so nothing was taken. Send JSON or no body. {error.Message}";
        }
    }
}
