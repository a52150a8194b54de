// A stored line taken apart again: {"ts":…,"ip":"…","user_agent":"…"[,"cookie":"…"][,"id":"…"],"body":"…"}.
using System.Text.Json;

namespace Estat.Lake.Lines;

/// <summary>
/// Reads lines one after another into buffers of its own; what it gives is valid until the next line. Fields that it does not know are passed over.
/// One reader per thread.
/// </summary>
internal sealed class StoredLine
{
    private byte[] _body = new byte[16 * 1024];
    private int _bodyLength;

    /// <summary>UTC epoch seconds.</summary>
    internal long Ts { get; private set; }

    /// <summary>The body as it was sent.</summary>
    internal ReadOnlySpan<byte> Body => _body.AsSpan(0, _bodyLength);

    /// <summary>The <c>Idempotency-Key</c>; null when there was none.</summary>
    internal string? Id { get; private set; }

    /// <summary>Takes a line apart.</summary>
    /// <returns>Null, or what is wrong with it.</returns>
    internal string? Read(ReadOnlySpan<byte> line)
    {
        Id = null;
        _bodyLength = 0;
        try
        {
            var reader = new Utf8JsonReader(line);
            reader.Read();
            if (reader.TokenType != JsonTokenType.StartObject)
            {
                return "is not a JSON object";
            }

            return ReadFields(ref reader);
        }
        catch (JsonException error)
        {
            return $"is not JSON ({error.Message})";
        }
        catch (InvalidOperationException error)
        {
            return $"holds a string that is not valid text ({error.Message})";
        }
    }

    /// <summary>The text of an envelope field (<c>ts</c>, <c>ip</c>, <c>user_agent</c>, <c>cookie</c>, <c>id</c>, <c>body</c>) of a line that was
    /// read without fault.</summary>
    internal static string? FieldOf(ReadOnlySpan<byte> line, ReadOnlySpan<byte> name)
    {
        var reader = new Utf8JsonReader(line);
        return reader.Read() && JsonPath.FindName(ref reader, name) ? JsonPath.TextOf(ref reader, line) : null;
    }

    private string? ReadFields(ref Utf8JsonReader reader)
    {
        const int AllFields = 15;
        int seen = 0;
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            int field = reader.ValueTextEquals("ts"u8) ? 1
                : reader.ValueTextEquals("ip"u8) ? 2
                : reader.ValueTextEquals("user_agent"u8) ? 4
                : reader.ValueTextEquals("body"u8) ? 8
                : reader.ValueTextEquals("id"u8) ? 16 : 0;
            reader.Read();
            if (field == 1)
            {
                if (reader.TokenType != JsonTokenType.Number || !reader.TryGetInt64(out long ts))
                {
                    return "has a ts that is not a whole number";
                }

                Ts = ts;
            }
            else if (field != 0)
            {
                if (reader.TokenType != JsonTokenType.String)
                {
                    return $"has {NameOf(field)} that is not a string";
                }

                Take(ref reader, field);
            }
            else
            {
                reader.Skip();
            }

            seen |= field;
        }

        reader.Read(); // nothing may follow but space: throws otherwise
        int missing = AllFields & ~seen;
        return missing == 0 ? null : $"has no {NameOf(missing & -missing)}";
    }

    private void Take(ref Utf8JsonReader reader, int field)
    {
        if (field == 8)
        {
            if (_body.Length < reader.ValueSpan.Length)
            {
                _body = new byte[reader.ValueSpan.Length * 2];
            }

            _bodyLength = reader.CopyString(_body);
        }
        else if (field == 16)
        {
            Id = reader.GetString();
        }
    }

    private static string NameOf(int field) => field switch
    {
        1 => "ts",
        2 => "ip",
        4 => "user_agent",
        8 => "body",
        _ => "id",
    };
}
