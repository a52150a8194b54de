// The rows of user_activities, system_metrics and error_logs, made of the values of their topics.
using System.Text;
using System.Text.Json;
using Estat.Topics.Postgres;

namespace Estat.Topics.Sink;

/// <summary>Reads the members that a table has columns for. Its values have passed <see cref="JsonCheck"/>.</summary>
internal static class TypedRow
{
    // Its btree index must be able to hold it beside a time and an id.
    private const int MostIndexed = 2_000;

    // Beside such a one in the same index, whose row holds 2,700 bytes.
    private const int MostSecond = 500;

    private static readonly Member[][] Members =
    [
        [
            new("userId", Kind.Text, IsNeeded: true, Most: MostIndexed), new("action", Kind.Text, IsNeeded: true, Most: MostIndexed),
            new("resource", Kind.Text), new("metadata", Kind.Json), new("ipAddress", Kind.Text), new("userAgent", Kind.Text),
        ],
        [
            new("metricName", Kind.Text, IsNeeded: true, Most: MostIndexed), new("value", Kind.Number, IsNeeded: true), new("unit", Kind.Text),
            new("tags", Kind.Json),
        ],
        [
            new("service", Kind.Text, IsNeeded: true, Most: MostIndexed), new("errorType", Kind.Text, Default: "Error"),
            new("message", Kind.Text, IsNeeded: true), new("stackTrace", Kind.Text), new("context", Kind.Json),
            new("severity", Kind.Text, Default: "error", Most: MostSecond),
        ],
    ];

    private enum Kind
    {
        Text,
        Number,
        Json,
    }

    /// <summary>Writes a row, or nothing.</summary>
    /// <param name="table">One of <see cref="StoredTable.Typed"/>.</param>
    /// <param name="id">The message's id.</param>
    /// <param name="time">The message's time.</param>
    /// <param name="value">The message's value; null is Kafka's tombstone.</param>
    /// <param name="rows">Where to.</param>
    /// <returns>Why there is no row; null when it was written.</returns>
    internal static Refusal? Write(StoredTable table, Guid id, long time, ReadOnlyMemory<byte>? value, CopyBuffer rows)
    {
        if (value is not { Span: var json } || !StartsObject(json))
        {
            return new(RefusalCode.WrongType, $"the value is not an object, so there is no row of {table.Name}");
        }

        Member[] members = Members[table.Ordinal];
        Span<Range> found = stackalloc Range[members.Length];
        if (Find(members, json, found) is { } refusal)
        {
            return refusal;
        }

        int start = rows.Length;
        rows.Begin(table.Fields);
        rows.Uuid(id);
        for (int index = 0; index < members.Length; index++)
        {
            if (WriteField(members[index], json[found[index]], rows) is { } wrong)
            {
                rows.Truncate(start);
                return wrong;
            }
        }

        rows.Time(time);
        return null;
    }

    private static bool StartsObject(ReadOnlySpan<byte> json) => json.TrimStart(" \t\r\n"u8) is [(byte)'{', ..];

    // Of members that repeat the last one counts, as in a jsonb; null is as good as missing.
    private static Refusal? Find(Member[] members, ReadOnlySpan<byte> json, Span<Range> found)
    {
        var reader = new Utf8JsonReader(json, new JsonReaderOptions { MaxDepth = JsonCheck.MostDepth + 2 });
        reader.Read();
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            int index = IndexOf(members, ref reader);
            reader.Read();
            int start = (int)reader.TokenStartIndex;
            JsonTokenType type = reader.TokenType;
            reader.Skip();
            if (index < 0)
            {
                continue;
            }

            found[index] = type == JsonTokenType.Null ? default : start..(int)reader.BytesConsumed;
            JsonTokenType wanted = members[index].Kind == Kind.Number ? JsonTokenType.Number : JsonTokenType.String;
            if (members[index].Kind != Kind.Json && type != JsonTokenType.Null && type != wanted)
            {
                return new(RefusalCode.WrongType, $"member {members[index].Name} must be a {(wanted == JsonTokenType.Number ? "number" : "string")}");
            }
        }

        return null;
    }

    private static int IndexOf(Member[] members, ref Utf8JsonReader reader)
    {
        for (int index = 0; index < members.Length; index++)
        {
            if (reader.ValueTextEquals(members[index].Utf8))
            {
                return index;
            }
        }

        return -1;
    }

    private static Refusal? WriteField(Member member, ReadOnlySpan<byte> json, CopyBuffer rows)
    {
        if (json.IsEmpty)
        {
            if (member.Default is { } given)
            {
                rows.Text(given);
            }
            else if (member.IsNeeded)
            {
                return new(RefusalCode.Missing, $"member {member.Name} is missing");
            }
            else
            {
                rows.Null();
            }

            return null;
        }

        if (member.Kind == Kind.Json)
        {
            rows.Json(json);
            return null;
        }

        var reader = new Utf8JsonReader(json);
        reader.Read();
        return member.Kind == Kind.Number ? WriteNumber(member, ref reader, rows) : WriteText(member, ref reader, rows);
    }

    private static Refusal? WriteNumber(Member member, ref Utf8JsonReader reader, CopyBuffer rows)
    {
        if (!reader.TryGetDouble(out double number) || !double.IsFinite(number))
        {
            return new(RefusalCode.Number, $"member {member.Name} is a number that double precision cannot hold");
        }

        rows.Double(number);
        return null;
    }

    private static Refusal? WriteText(Member member, ref Utf8JsonReader reader, CopyBuffer rows)
    {
        ReadOnlySpan<byte> text = reader.ValueSpan;
        byte[]? unescaped = null;
        if (reader.ValueIsEscaped)
        {
            unescaped = new byte[text.Length];
            text = unescaped.AsSpan(0, reader.CopyString(unescaped));
        }

        if (text.Length > member.Most)
        {
            return new(RefusalCode.TooLong, $"member {member.Name} has {text.Length} bytes, and its index takes {member.Most}");
        }

        rows.Text(text);
        return null;
    }

    private sealed class Member(string Name, Kind Kind, bool IsNeeded = false, int Most = int.MaxValue, string? Default = null)
    {
        internal string Name { get; } = Name;

        internal Kind Kind { get; } = Kind;

        internal bool IsNeeded { get; } = IsNeeded;

        internal int Most { get; } = Most;

        internal byte[]? Default { get; } = Default is null ? null : Encoding.UTF8.GetBytes(Default);

        internal byte[] Utf8 { get; } = Encoding.UTF8.GetBytes(Name);
    }
}
