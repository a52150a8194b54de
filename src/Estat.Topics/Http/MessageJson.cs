// How bytes of messages are shown in JSON.
using System.Text;
using System.Text.Json;
using Estat.Topics.Messages;

namespace Estat.Topics.Http;

/// <summary>Text as text. What is no text has a member beside it, with its bytes.</summary>
internal static class MessageJson
{
    private static readonly UTF8Encoding Strict = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    /// <summary>Writes a member, and one beside it where the bytes are no UTF-8.</summary>
    /// <param name="json">Where to.</param>
    /// <param name="name">The member.</param>
    /// <param name="bytes">Its bytes; null becomes null.</param>
    internal static void WriteText(Utf8JsonWriter json, string name, ReadOnlyMemory<byte>? bytes)
    {
        string? text = bytes is { } some ? TryDecode(some.Span) : null;
        json.WriteString(name, text);
        if (text is null && bytes is { } other)
        {
            json.WriteBase64String(name + "Base64", other.Span);
        }
    }

    /// <summary>Writes the member <c>headers</c>.</summary>
    /// <param name="json">Where to.</param>
    /// <param name="headers">A message's headers.</param>
    internal static void WriteHeaders(Utf8JsonWriter json, IReadOnlyList<MessageHeader> headers)
    {
        json.WriteStartArray("headers");
        foreach (MessageHeader header in headers)
        {
            json.WriteStartObject();
            json.WriteString("name", header.Name);
            WriteText(json, "value", header.Value);
            json.WriteEndObject();
        }

        json.WriteEndArray();
    }

    /// <summary>The text that bytes are; null when they are none.</summary>
    /// <param name="bytes">Any.</param>
    internal static string? TryDecode(ReadOnlySpan<byte> bytes)
    {
        try
        {
            return Strict.GetString(bytes);
        }
        catch (DecoderFallbackException)
        {
            return null;
        }
    }
}
