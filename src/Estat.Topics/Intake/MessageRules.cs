// What every message must be, whichever way it came.
using System.Text;
using System.Text.Json;
using System.Text.Unicode;
using Estat.Topics.Messages;

namespace Estat.Topics.Intake;

/// <summary>Says no with a sentence that names what is wrong; the HTTP request is then 400, and nothing of it was taken.</summary>
internal static class MessageRules
{
    /// <summary>Most levels of a value: what is deeper, nobody could ask for.</summary>
    internal const int Depth = 64;

    /// <summary>Most headers of a message.</summary>
    internal const int Headers = 100;

    /// <summary>Bytes of a key. PostgreSQL finds rows by it.</summary>
    internal const int KeyBytes = 1_024;

    /// <summary>Bytes of a header's name.</summary>
    internal const int HeaderNameBytes = 256;

    /// <summary>What is said of a member's name that is no text: the reader can compare it with nothing.</summary>
    internal const string HalfName = "A member's name holds half of a surrogate pair (\\ud800 to \\udfff alone). Send whole characters.";

    /// <summary>How values and bodies are read: their own depth is looked at here.</summary>
    internal static JsonReaderOptions Reading { get; } = new() { MaxDepth = Depth + 8 };

    /// <summary>Refuses bytes that are no text.</summary>
    /// <exception cref="ProduceException">They are not UTF-8.</exception>
    internal static void CheckText(ReadOnlySpan<byte> body)
    {
        if (!Utf8.IsValid(body))
        {
            throw new ProduceException("The body is not UTF-8. Send JSON in UTF-8.");
        }
    }

    /// <summary>Refuses a message that is too large.</summary>
    /// <param name="message">The message.</param>
    /// <param name="limits">The bounds.</param>
    /// <param name="where">Which message, for the sentence.</param>
    /// <exception cref="ProduceException">It is.</exception>
    internal static void Check(in NewMessage message, ProduceLimits limits, string where)
    {
        if (message.Key?.Length > KeyBytes)
        {
            throw new ProduceException($"{where}: the key has {message.Key.Value.Length} bytes. A key may have {KeyBytes}.");
        }

        long bytes = (message.Key?.Length ?? 0) + message.Value.Length;
        foreach (MessageHeader header in message.Headers)
        {
            bytes += Encoding.UTF8.GetByteCount(header.Name) + (header.Value?.Length ?? 0);
        }

        if (bytes > limits.MessageBytes)
        {
            throw new ProduceException(
                $"{where} has {bytes} bytes with its key and headers. A message may have {limits.MessageBytes} (TOPICS_MAX_MESSAGE_BYTES).");
        }
    }

    /// <summary>Reads a value and moves behind it.</summary>
    /// <param name="reader">At the value's first token.</param>
    /// <param name="body">What is read.</param>
    /// <param name="where">Which message, for the sentence.</param>
    /// <returns>The value as it was sent.</returns>
    /// <exception cref="ProduceException">It is too deep.</exception>
    /// <exception cref="JsonException">It is not JSON.</exception>
    internal static ReadOnlyMemory<byte> TakeValue(ref Utf8JsonReader reader, ReadOnlyMemory<byte> body, string where)
    {
        int start = checked((int)reader.TokenStartIndex);
        int depth = reader.CurrentDepth;
        if (reader.TokenType is JsonTokenType.StartObject or JsonTokenType.StartArray)
        {
            while (reader.Read() && reader.CurrentDepth > depth)
            {
                if (reader.CurrentDepth - depth >= Depth && reader.TokenType is JsonTokenType.StartObject or JsonTokenType.StartArray)
                {
                    throw new ProduceException($"{where}: the value is nested more than {Depth} levels deep.");
                }
            }
        }

        return body[start..checked((int)reader.BytesConsumed)];
    }

    /// <summary>The bytes of a string without its quotes and escapes.</summary>
    /// <param name="reader">At a string.</param>
    /// <param name="body">What is read.</param>
    /// <param name="where">Which message and member, for the sentence.</param>
    /// <exception cref="ProduceException">It holds half of a surrogate pair, which no text can.</exception>
    internal static ReadOnlyMemory<byte> TakeText(ref Utf8JsonReader reader, ReadOnlyMemory<byte> body, string where)
    {
        if (!reader.ValueIsEscaped)
        {
            return body.Slice(checked((int)reader.TokenStartIndex) + 1, reader.ValueSpan.Length);
        }

        return Encoding.UTF8.GetBytes(Text(ref reader, where));
    }

    /// <summary>A string.</summary>
    /// <inheritdoc cref="TakeText"/>
    internal static string Text(ref Utf8JsonReader reader, string where)
    {
        try
        {
            return reader.GetString()!;
        }
        catch (InvalidOperationException)
        {
            throw new ProduceException($"{where} holds half of a surrogate pair (\\ud800 to \\udfff alone). Send whole characters.");
        }
    }
}
