// Where a page ended, as a text that only makes sense to the same question.
using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;

namespace Estat.Topics.Querying;

/// <summary>
/// Base64url of a version, a check and the values of the order's columns in the page's last row. The check covers table, filters and values: what was
/// damaged, made up or belongs to another question is none. It is no secret: a cursor says nothing that its page did not show.
/// </summary>
internal static class PageCursor
{
    /// <summary>Most characters of one.</summary>
    internal const int Longest = 1024;

    private const byte Version = 1;
    private const int Check = 8;
    private const int Head = 1 + Check;

    /// <summary>The text.</summary>
    /// <param name="query">The question.</param>
    /// <param name="values">Values of the order's columns.</param>
    internal static string Write(RowQuery query, IReadOnlyList<object> values)
    {
        using var stream = new MemoryStream();
        stream.Write(new byte[Head]);
        using (var writer = new BinaryWriter(stream, Encoding.UTF8, leaveOpen: true))
        {
            foreach (object value in values)
            {
                Write(writer, value);
            }
        }

        byte[] bytes = stream.ToArray();
        bytes[0] = Version;
        CheckOf(query, bytes.AsSpan(Head)).CopyTo(bytes.AsSpan(1));
        return Base64Url.EncodeToString(bytes);
    }

    /// <summary>The values; null when it is no cursor of this question.</summary>
    /// <param name="query">The question.</param>
    /// <param name="text">What was sent.</param>
    internal static IReadOnlyList<object>? Read(RowQuery query, string text)
    {
        if (text.Length > Longest || !Base64Url.IsValid(text))
        {
            return null;
        }

        byte[] bytes = Base64Url.DecodeFromChars(text);
        if (bytes.Length <= Head || bytes[0] != Version || !CheckOf(query, bytes.AsSpan(Head)).AsSpan().SequenceEqual(bytes.AsSpan(1, Check)))
        {
            return null;
        }

        try
        {
            using var reader = new BinaryReader(new MemoryStream(bytes, Head, bytes.Length - Head), Encoding.UTF8);
            object[] values = [.. query.Table.Order.Select(index => Read(reader, query.Table.Columns[index].Kind))];
            return values.Any(value => value is string shown && shown.Contains('\0', StringComparison.Ordinal)) ? null : values;
        }
        catch (Exception error) when (error is IOException or ArgumentException or FormatException)
        {
            return null;
        }
    }

    private static byte[] CheckOf(RowQuery query, ReadOnlySpan<byte> values)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        hash.AppendData(Encoding.UTF8.GetBytes(query.Scope));
        hash.AppendData([0]);
        hash.AppendData(values);
        return hash.GetHashAndReset()[..Check];
    }

    private static void Write(BinaryWriter writer, object value)
    {
        switch (value)
        {
            case DateTime time:
                writer.Write(time.Ticks);
                break;
            case string text:
                writer.Write(text);
                break;
            case int number:
                writer.Write(number);
                break;
            case long number:
                writer.Write(number);
                break;
            default:
                writer.Write(((Guid)value).ToByteArray());
                break;
        }
    }

    private static object Read(BinaryReader reader, ColumnKind kind) => kind switch
    {
        ColumnKind.Time => new DateTime(reader.ReadInt64(), DateTimeKind.Utc),
        ColumnKind.Text => reader.ReadString(),
        ColumnKind.Int => reader.ReadInt32(),
        ColumnKind.Long => reader.ReadInt64(),
        _ => new Guid(reader.ReadBytes(16)),
    };
}
