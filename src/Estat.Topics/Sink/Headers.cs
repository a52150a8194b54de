// A message's headers, in the two forms in which the database keeps them.
using System.Buffers;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Unicode;
using Estat.Topics.Messages;
using Estat.Topics.Postgres;

namespace Estat.Topics.Sink;

/// <summary>
/// In <c>messages</c> a JSON object of names and texts: null is Kafka's null, bytes that are no text are <c>{"base64":"…"}</c>, and a name that
/// repeats has an array. In <c>dead_letters</c> bytes, so that nothing is lost: how many there are, then for each the name's length, the name in
/// UTF-8, the value's length plus one (0: null) and the value; all numbers in LEB128.
/// </summary>
internal static class Headers
{
    private static readonly JsonWriterOptions Options = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, SkipValidation = true };

    /// <summary>Writes the JSON as a jsonb field, NULL for none.</summary>
    /// <param name="headers">Of a message.</param>
    /// <param name="row">Where its row is written.</param>
    /// <param name="writer">A writer that may be used again, from <see cref="NewWriter"/>.</param>
    internal static void Write(IReadOnlyList<MessageHeader> headers, CopyBuffer row, Utf8JsonWriter writer)
    {
        if (headers.Count == 0)
        {
            row.Null();
            return;
        }

        int start = row.BeginJson();
        writer.Reset(row);
        writer.WriteStartObject();
        for (int index = 0; index < headers.Count; index++)
        {
            string name = headers[index].Name;
            if (IndexOf(headers, name, 0) < index)
            {
                continue;
            }

            writer.WritePropertyName(name);
            int next = IndexOf(headers, name, index + 1);
            if (next < 0)
            {
                WriteValue(writer, headers[index].Value);
                continue;
            }

            writer.WriteStartArray();
            for (int same = index; same >= 0; same = IndexOf(headers, name, same + 1))
            {
                WriteValue(writer, headers[same].Value);
            }

            writer.WriteEndArray();
        }

        writer.WriteEndObject();
        writer.Flush();
        row.EndJson(start);
    }

    /// <summary>A writer for <see cref="Write"/>.</summary>
    /// <param name="buffer">Any.</param>
    internal static Utf8JsonWriter NewWriter(IBufferWriter<byte> buffer) => new(buffer, Options);

    /// <summary>Why the headers cannot be stored; null when they can.</summary>
    /// <param name="headers">Of a message.</param>
    internal static Refusal? Check(IReadOnlyList<MessageHeader> headers)
    {
        for (int index = 0; index < headers.Count; index++)
        {
            string name = headers[index].Name;
            if (name.Contains('\0', StringComparison.Ordinal) || !IsWhole(name))
            {
                return new(RefusalCode.Header, $"the name of header {index + 1} holds U+0000 or half of a surrogate pair");
            }
        }

        return null;
    }

    /// <summary>Writes the bytes that <see cref="Read"/> reads.</summary>
    /// <param name="headers">Of a message.</param>
    /// <param name="target">Where to.</param>
    internal static void Pack(IReadOnlyList<MessageHeader> headers, IBufferWriter<byte> target)
    {
        WriteNumber(target, (uint)headers.Count);
        for (int index = 0; index < headers.Count; index++)
        {
            (string name, ReadOnlyMemory<byte>? value) = headers[index];
            int length = Encoding.UTF8.GetByteCount(name);
            WriteNumber(target, (uint)length);
            Encoding.UTF8.GetBytes(name, target.GetSpan(length));
            target.Advance(length);
            WriteNumber(target, value is { } bytes ? (uint)bytes.Length + 1 : 0);
            target.Write(value.GetValueOrDefault().Span);
        }
    }

    /// <summary>The headers of a dead letter.</summary>
    /// <param name="packed">From <see cref="Pack"/>.</param>
    /// <exception cref="FormatException">It is damaged.</exception>
    internal static IReadOnlyList<MessageHeader> Read(ReadOnlyMemory<byte> packed)
    {
        try
        {
            int at = 0;
            var headers = new MessageHeader[ReadNumber(packed.Span, ref at)];
            for (int index = 0; index < headers.Length; index++)
            {
                int length = ReadNumber(packed.Span, ref at);
                string name = Encoding.UTF8.GetString(packed.Span.Slice(at, length));
                at += length;
                length = ReadNumber(packed.Span, ref at) - 1;
                headers[index] = new(name, length < 0 ? default(ReadOnlyMemory<byte>?) : packed.Slice(at, length));
                at += Math.Max(0, length);
            }

            return headers;
        }
        catch (Exception error) when (error is ArgumentException or IndexOutOfRangeException or OverflowException)
        {
            throw new FormatException("the headers of a dead letter are damaged", error);
        }
    }

    private static int IndexOf(IReadOnlyList<MessageHeader> headers, string name, int from)
    {
        for (int index = from; index < headers.Count; index++)
        {
            if (headers[index].Name == name)
            {
                return index;
            }
        }

        return -1;
    }

    private static bool IsWhole(string text)
    {
        for (int index = 0; index < text.Length; index++)
        {
            if (char.IsSurrogate(text[index]) && !(index + 1 < text.Length && char.IsSurrogatePair(text[index], text[++index])))
            {
                return false;
            }
        }

        return true;
    }

    private static void WriteValue(Utf8JsonWriter writer, ReadOnlyMemory<byte>? value)
    {
        if (value is not { } bytes)
        {
            writer.WriteNullValue();
        }
        else if (Utf8.IsValid(bytes.Span) && !bytes.Span.Contains((byte)0))
        {
            writer.WriteStringValue(bytes.Span);
        }
        else
        {
            writer.WriteStartObject();
            writer.WriteBase64String("base64"u8, bytes.Span);
            writer.WriteEndObject();
        }
    }

    private static void WriteNumber(IBufferWriter<byte> target, uint number)
    {
        Span<byte> span = target.GetSpan(5);
        int used = 0;
        for (; number >= 0x80; number >>= 7)
        {
            span[used++] = (byte)(number | 0x80);
        }

        span[used++] = (byte)number;
        target.Advance(used);
    }

    private static int ReadNumber(ReadOnlySpan<byte> bytes, ref int at)
    {
        uint number = 0;
        for (int shift = 0; ; shift += 7)
        {
            byte next = bytes[at++];
            number |= (uint)(next & 0x7f) << shift;
            if (next < 0x80)
            {
                return checked((int)number);
            }
        }
    }
}
