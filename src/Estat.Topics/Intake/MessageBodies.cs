// POST /api/produce/{topic}: the messages that a body holds.
using System.Text.Json;
using Estat.Topics.Messages;

namespace Estat.Topics.Intake;

/// <summary>
/// One message <c>{"key":…,"headers":{…},"value":…}</c>, many <c>{"messages":[…]}</c>, or one on each line. Members that it does not know are
/// refused: a mistyped one would be lost in silence. Messages are slices of the body.
/// </summary>
/// <param name="limits">The bounds.</param>
internal sealed class MessageBodies(ProduceLimits limits)
{
    /// <summary>Reads a body that is one JSON text.</summary>
    /// <exception cref="ProduceException">It is no such body.</exception>
    internal List<NewMessage> ReadJson(ReadOnlyMemory<byte> body)
    {
        MessageRules.CheckText(body.Span);
        try
        {
            var reader = new Utf8JsonReader(body.Span, MessageRules.Reading);
            reader.Read();
            if (reader.TokenType != JsonTokenType.StartObject)
            {
                throw new ProduceException("The body must be an object: {\"value\":…} or {\"messages\":[…]}.");
            }

            List<NewMessage> messages = IsList(body) ? ReadList(ref reader, body) : [ReadMessage(ref reader, body, "The message")];
            reader.Read(); // nothing may follow
            return messages;
        }
        catch (InvalidOperationException)
        {
            throw new ProduceException(MessageRules.HalfName);
        }
        catch (JsonException error)
        {
            throw new ProduceException(
                $"The body is not valid JSON. If it has a message on each line, send it as application/x-ndjson. {error.Message}");
        }
    }

    /// <summary>Reads a body that has one message on each line; empty lines are passed over.</summary>
    /// <exception cref="ProduceException">It is no such body.</exception>
    internal List<NewMessage> ReadLines(ReadOnlyMemory<byte> body)
    {
        MessageRules.CheckText(body.Span);
        List<NewMessage> messages = [];
        int number = 0;
        for (ReadOnlyMemory<byte> rest = body; !rest.IsEmpty;)
        {
            int end = rest.Span.IndexOf((byte)'\n');
            ReadOnlyMemory<byte> line = end < 0 ? rest : rest[..end];
            rest = end < 0 ? default : rest[(end + 1)..];
            number++;
            if (line.Span.Trim(" \t\r"u8).IsEmpty)
            {
                continue;
            }

            Count(messages.Count);
            messages.Add(ReadLine(line, number));
        }

        return messages.Count > 0 ? messages : throw new ProduceException("The body holds no message.");
    }

    private NewMessage ReadLine(ReadOnlyMemory<byte> line, int number)
    {
        string where = $"Line {number}";
        string why;
        try
        {
            var reader = new Utf8JsonReader(line.Span, MessageRules.Reading);
            reader.Read();
            if (reader.TokenType == JsonTokenType.StartObject)
            {
                NewMessage message = ReadMessage(ref reader, line, where);
                reader.Read(); // nothing may follow
                return message;
            }

            why = $"{where} must be an object: {{\"value\":…}}.";
        }
        catch (ProduceException error)
        {
            why = error.Message;
        }
        catch (InvalidOperationException)
        {
            why = $"{where}: {MessageRules.HalfName}";
        }
        catch (JsonException error)
        {
            why = $"{where} is not valid JSON. {error.Message}";
        }

        throw new ProduceException(why) { Line = number };
    }

    // A list is named by its only member, which stands first.
    private static bool IsList(ReadOnlyMemory<byte> body)
    {
        var reader = new Utf8JsonReader(body.Span, MessageRules.Reading);
        return reader.Read() && reader.Read() && reader.TokenType == JsonTokenType.PropertyName && reader.ValueTextEquals("messages"u8);
    }

    private List<NewMessage> ReadList(ref Utf8JsonReader reader, ReadOnlyMemory<byte> body)
    {
        reader.Read();
        reader.Read();
        if (reader.TokenType != JsonTokenType.StartArray)
        {
            throw new ProduceException("messages must be an array of {\"value\":…}.");
        }

        List<NewMessage> messages = [];
        while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
        {
            Count(messages.Count);
            string where = $"messages[{messages.Count}]";
            if (reader.TokenType != JsonTokenType.StartObject)
            {
                throw new ProduceException($"{where} must be an object: {{\"value\":…}}.");
            }

            messages.Add(ReadMessage(ref reader, body, where));
        }

        reader.Read();
        if (reader.TokenType != JsonTokenType.EndObject)
        {
            throw new ProduceException("messages must be the body's only member.");
        }

        return messages.Count > 0 ? messages : throw new ProduceException("messages is empty. Send at least one.");
    }

    private NewMessage ReadMessage(ref Utf8JsonReader reader, ReadOnlyMemory<byte> body, string where)
    {
        ReadOnlyMemory<byte>? key = null;
        ReadOnlyMemory<byte>? value = null;
        IReadOnlyList<MessageHeader> headers = [];
        var seen = new SeenMembers(where);
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            if (reader.ValueTextEquals("value"u8))
            {
                seen.Add("value");
                reader.Read();
                value = MessageRules.TakeValue(ref reader, body, where);
            }
            else if (reader.ValueTextEquals("key"u8))
            {
                seen.Add("key");
                reader.Read();
                key = reader.TokenType switch
                {
                    JsonTokenType.String => MessageRules.TakeText(ref reader, body, $"{where}: the key"),
                    JsonTokenType.Null => (ReadOnlyMemory<byte>?)null,
                    _ => throw new ProduceException($"{where}: the key must be a string, or null."),
                };
            }
            else if (reader.ValueTextEquals("headers"u8))
            {
                seen.Add("headers");
                reader.Read();
                headers = reader.TokenType == JsonTokenType.Null ? [] : ReadHeaders(ref reader, body, where);
            }
            else
            {
                throw new ProduceException($"{where} has a member {Name(ref reader)}. A message has key, headers and value.");
            }
        }

        var message = new NewMessage(key, headers, value ?? throw new ProduceException($"{where} has no value."));
        MessageRules.Check(message, limits, where);
        return message;
    }

    private static List<MessageHeader> ReadHeaders(ref Utf8JsonReader reader, ReadOnlyMemory<byte> body, string where)
    {
        if (reader.TokenType != JsonTokenType.StartObject)
        {
            throw new ProduceException($"{where}: headers must be an object of strings.");
        }

        List<MessageHeader> headers = [];
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            string name = MessageRules.Text(ref reader, $"{where}: a header's name");
            if (name.Length == 0 || System.Text.Encoding.UTF8.GetByteCount(name) > MessageRules.HeaderNameBytes
                || headers.Count == MessageRules.Headers)
            {
                throw new ProduceException(
                    $"{where}: a message may have {MessageRules.Headers} headers, with names of 1 to {MessageRules.HeaderNameBytes} bytes.");
            }

            reader.Read();
            headers.Add(reader.TokenType == JsonTokenType.String
                ? new MessageHeader(name, MessageRules.TakeText(ref reader, body, $"{where}: header {name}"))
                : throw new ProduceException($"{where}: header {name} must be a string."));
        }

        return headers;
    }

    private static string Name(ref Utf8JsonReader reader) =>
        reader.ValueSpan.Length <= 100 ? MessageRules.Text(ref reader, "A member's name") : "with a long name";

    private void Count(int messages)
    {
        if (messages == limits.Messages)
        {
            throw new ProduceException($"An HTTP request may bring {limits.Messages} messages (TOPICS_MAX_MESSAGES). Send several.");
        }
    }

    // One member twice: which one was meant, nobody knows.
    private struct SeenMembers(string where)
    {
        private string? _first;
        private string? _second;
        private string? _third;

        internal void Add(string name)
        {
            if (name == _first || name == _second || name == _third)
            {
                throw new ProduceException($"{where} has {name} twice.");
            }

            (_first, _second, _third) = (name, _first, _second);
        }
    }
}
