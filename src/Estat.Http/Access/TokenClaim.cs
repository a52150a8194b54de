// One claim of a token, as the bytes that it has.
using System.Buffers.Text;
using System.Text.Json;

namespace Estat.Http.Access;

/// <summary>Reads the claims' JSON itself: what a library makes of a text (a date, a number) would be another user.</summary>
internal static class TokenClaim
{
    /// <summary>Bytes that a user's name may have.</summary>
    internal const int Longest = 256;

    /// <summary>A claim that is a text of 1 to <see cref="Longest"/> bytes; null when it is not there, is something else, or comes twice.</summary>
    /// <param name="payload">The token's second part.</param>
    /// <param name="name">The claim.</param>
    internal static byte[]? Read(string payload, string name)
    {
        try
        {
            return Find(new Utf8JsonReader(Base64Url.DecodeFromChars(payload)), name);
        }
        catch (Exception error) when (error is FormatException or JsonException or InvalidOperationException)
        {
            return null; // such as half of a surrogate pair, which is no text
        }
    }

    private static byte[]? Find(Utf8JsonReader json, string name)
    {
        byte[]? found = null;
        json.Read();
        while (json.Read() && json.TokenType == JsonTokenType.PropertyName)
        {
            bool isIt = json.ValueTextEquals(name);
            json.Read();
            if (!isIt)
            {
                json.Skip();
                continue;
            }

            if (found is not null || json.TokenType != JsonTokenType.String)
            {
                return null;
            }

            found = ValueOf(ref json);
        }

        return found?.Length is > 0 and <= Longest ? found : null;
    }

    private static byte[] ValueOf(ref Utf8JsonReader json)
    {
        // Escapes make a text shorter, never longer.
        var value = new byte[json.ValueSpan.Length];
        return value[..json.CopyString(value)];
    }
}
