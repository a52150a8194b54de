// POST /api/produce/user-activity, /metric, /error, /notification: bodies whose members are known.
using System.Text.Json;
using System.Text.Json.Serialization;
using Estat.Topics.Messages;

namespace Estat.Topics.Intake;

/// <summary>A member of such a body.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Kind">What it must be.</param>
/// <param name="IsNeeded">Whether it must be there.</param>
internal sealed record TypedMember(string Name, TypedKind Kind, bool IsNeeded = false);

/// <summary>What a member must be; null stands for one that is not there.</summary>
internal enum TypedKind
{
    /// <summary>A string that is not empty.</summary>
    Text,

    /// <summary>A finite number, or a string that is one.</summary>
    Number,

    /// <summary>Anything.</summary>
    Any,

    /// <summary>A list of strings.</summary>
    Texts,
}

/// <summary>
/// Checks a body and makes a message of it: its members as they were sent, and a <c>timestamp</c>. Members that it does not know stay in the value.
/// </summary>
/// <param name="Path">The path's last part.</param>
/// <param name="Topic">Where it goes.</param>
/// <param name="Key">The member whose text is the key.</param>
/// <param name="Told">What the answer says.</param>
/// <param name="Members">What it looks at.</param>
internal sealed record TypedBody(string Path, string Topic, string Key, string Told, IReadOnlyList<TypedMember> Members)
{
    private const string Timestamp = "timestamp";

    // Names and punctuation of what is added.
    private const int LongestEnd = 128;

    /// <summary>All of them.</summary>
    internal static IReadOnlyList<TypedBody> All { get; } =
    [
        new("user-activity", BuiltInTopic.UserActivities, "userId", "User activity stored in the log",
        [
            new("userId", TypedKind.Text, IsNeeded: true), new("action", TypedKind.Text, IsNeeded: true), new("resource", TypedKind.Text),
            new("metadata", TypedKind.Any), new("ipAddress", TypedKind.Text), new("userAgent", TypedKind.Text),
        ]),
        new("metric", BuiltInTopic.SystemMetrics, "metricName", "Metric stored in the log",
        [
            new("metricName", TypedKind.Text, IsNeeded: true), new("value", TypedKind.Number, IsNeeded: true), new("unit", TypedKind.Text),
            new("tags", TypedKind.Any),
        ]),
        new("error", BuiltInTopic.ErrorLogs, "service", "Error stored in the log",
        [
            new("service", TypedKind.Text, IsNeeded: true), new("errorType", TypedKind.Text), new("message", TypedKind.Text, IsNeeded: true),
            new("stackTrace", TypedKind.Text), new("context", TypedKind.Any), new("severity", TypedKind.Text),
        ]),
        new("notification", BuiltInTopic.Notifications, "type", "Notification stored in the log",
        [
            new("type", TypedKind.Text, IsNeeded: true), new("message", TypedKind.Text, IsNeeded: true), new("recipients", TypedKind.Texts),
            new("metadata", TypedKind.Any),
        ]),
    ];

    /// <summary>Reads a body.</summary>
    /// <param name="body">The body.</param>
    /// <param name="client">What the body need not say.</param>
    /// <param name="now">The value's <c>timestamp</c>.</param>
    /// <param name="headers">The message's headers.</param>
    /// <param name="limits">The bounds.</param>
    /// <exception cref="ProduceException">It is no such body.</exception>
    internal NewMessage Read(
        ReadOnlyMemory<byte> body, TypedClient client, DateTimeOffset now, IReadOnlyList<MessageHeader> headers, ProduceLimits limits)
    {
        MessageRules.CheckText(body.Span);
        try
        {
            var value = new ValueText(body.Length + LongestEnd + (2 * client.UserAgent.Length) + client.Address.Length);
            ReadOnlyMemory<byte>? key = Copy(body, client, ref value);
            value.AddMember("\"timestamp\":\""u8);
            value.AddTime(now);
            value.End();
            var message = new NewMessage(key, headers, value.Written);
            MessageRules.Check(message, limits, "The message");
            return message;
        }
        catch (InvalidOperationException)
        {
            throw new ProduceException(MessageRules.HalfName);
        }
        catch (JsonException error)
        {
            throw new ProduceException($"The body is not valid JSON. {error.Message}");
        }
    }

    private ReadOnlyMemory<byte>? Copy(ReadOnlyMemory<byte> body, TypedClient client, ref ValueText value)
    {
        var reader = new Utf8JsonReader(body.Span, MessageRules.Reading);
        reader.Read();
        if (reader.TokenType != JsonTokenType.StartObject)
        {
            throw new ProduceException(
                $"The body must be an object with {string.Join(", ", Members.Where(member => member.IsNeeded).Select(member => member.Name))}.");
        }

        ReadOnlyMemory<byte>? key = null;
        int seen = 0; // a bit for each member
        int sent = 0;
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            int nameAt = checked((int)reader.TokenStartIndex);
            int index = Find(reader);
            bool isTimestamp = index < 0 && reader.ValueTextEquals(Timestamp);
            TypedMember? member = index < 0 ? null : Members[index];
            ReadOnlyMemory<byte> name = body[nameAt..(nameAt + reader.ValueSpan.Length + 2)];
            reader.Read();
            if (member is not null)
            {
                sent = (sent & (1 << index)) == 0 ? sent | (1 << index) : throw new ProduceException($"The body has {member.Name} twice.");
                if (reader.TokenType == JsonTokenType.Null)
                {
                    continue;
                }

                seen |= 1 << index;
                key = member.Name == Key && reader.TokenType == JsonTokenType.String ? MessageRules.TakeText(ref reader, body, Key) : key;
                Check(ref reader, member);
            }

            ReadOnlyMemory<byte> taken = MessageRules.TakeValue(ref reader, body, member?.Name ?? "A member");
            if (!isTimestamp)
            {
                value.AddMember(name.Span);
                value.Add(":"u8);
                value.Add(member?.Kind == TypedKind.Number ? Unquoted(taken).Span : taken.Span);
            }
        }

        reader.Read(); // nothing may follow
        for (int index = 0; index < Members.Count; index++)
        {
            if (Members[index].IsNeeded && (seen & (1 << index)) == 0)
            {
                throw new ProduceException($"{Members[index].Name} is missing.");
            }

            if (Topic == BuiltInTopic.UserActivities && (seen & (1 << index)) == 0)
            {
                AddDefault(Members[index].Name, client, ref value);
            }
        }

        return key;
    }

    // What a browser's page cannot say of itself.
    private static void AddDefault(string name, TypedClient client, ref ValueText value)
    {
        if (name == "ipAddress" && !client.Address.IsEmpty)
        {
            value.AddMember("\"ipAddress\":\""u8);
            value.Add(client.Address);
            value.Add("\""u8);
        }
        else if (name == "userAgent" && !client.UserAgent.IsEmpty)
        {
            value.AddMember("\"userAgent\":"u8);
            value.Add(JsonSerializer.SerializeToUtf8Bytes(client.UserAgent.ToString(), TextJson.Default.String));
        }
    }

    private int Find(in Utf8JsonReader reader)
    {
        for (int index = 0; index < Members.Count; index++)
        {
            if (reader.ValueTextEquals(Members[index].Name))
            {
                return index;
            }
        }

        return -1;
    }

    private static void Check(ref Utf8JsonReader reader, TypedMember member)
    {
        bool isRight = member.Kind switch
        {
            TypedKind.Text => reader.TokenType == JsonTokenType.String && !reader.ValueSpan.IsEmpty,
            TypedKind.Number => (reader.TokenType == JsonTokenType.Number && reader.TryGetDouble(out double number) && double.IsFinite(number))
                || (reader.TokenType == JsonTokenType.String && !reader.ValueIsEscaped && IsNumber(reader.ValueSpan)),
            TypedKind.Texts => AreTexts(reader),
            _ => true,
        };
        if (!isRight)
        {
            throw new ProduceException($"{member.Name} must be {member.Kind switch
            {
                TypedKind.Text => "a string that is not empty",
                TypedKind.Number => "a number",
                _ => "a list of strings",
            }}.");
        }
    }

    // A copy of the reader goes ahead.
    private static bool AreTexts(Utf8JsonReader reader)
    {
        if (reader.TokenType != JsonTokenType.StartArray)
        {
            return false;
        }

        while (reader.Read() && reader.TokenType == JsonTokenType.String)
        {
        }

        return reader.TokenType == JsonTokenType.EndArray;
    }

    // As JSON writes numbers: no spaces, no plus, no leading zeros.
    private static bool IsNumber(ReadOnlySpan<byte> text)
    {
        try
        {
            var reader = new Utf8JsonReader(text);
            return reader.Read() && reader.TokenType == JsonTokenType.Number && reader.BytesConsumed == text.Length
                && reader.TryGetDouble(out double number) && double.IsFinite(number);
        }
        catch (JsonException)
        {
            return false;
        }
    }

    private static ReadOnlyMemory<byte> Unquoted(ReadOnlyMemory<byte> value) => value.Span[0] == (byte)'"' ? value[1..^1] : value;
}

/// <summary>What the connection and the head say of who sent a body.</summary>
/// <param name="address">The client's address, as text.</param>
/// <param name="userAgent"><c>User-Agent</c>; empty without.</param>
internal readonly ref struct TypedClient(ReadOnlySpan<byte> address, ReadOnlySpan<char> userAgent)
{
    /// <summary>The client's address, as text.</summary>
    internal ReadOnlySpan<byte> Address { get; } = address;

    /// <summary><c>User-Agent</c>; empty without.</summary>
    internal ReadOnlySpan<char> UserAgent { get; } = userAgent;
}

/// <summary>Texts as JSON.</summary>
[JsonSerializable(typeof(string))]
internal sealed partial class TextJson : JsonSerializerContext;
