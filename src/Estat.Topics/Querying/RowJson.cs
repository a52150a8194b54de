// Rows as JSON, straight from what PostgreSQL sends.
using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;
using Estat.Base.Options;
using Npgsql;

namespace Estat.Topics.Querying;

/// <summary>Writes values by their columns' kinds.</summary>
internal static class RowJson
{
    /// <summary>Letters stay letters; nothing here is written into a page of HTML.</summary>
    internal static readonly JsonWriterOptions Readable = new()
    {
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, SkipValidation = true,
    };

    /// <summary>A row, as an object.</summary>
    internal static void Write(Utf8JsonWriter json, NpgsqlDataReader row, QueryTable table)
    {
        json.WriteStartObject();
        for (int i = 0; i < table.Columns.Count; i++)
        {
            QueryColumn column = table.Columns[i];
            json.WritePropertyName(column.Name);
            if (row.IsDBNull(i))
            {
                json.WriteNullValue();
            }
            else
            {
                WriteValue(json, row, i, column.Kind);
            }
        }

        json.WriteEndObject();
    }

    /// <summary>A moment, to the millisecond, in UTC.</summary>
    internal static void WriteTime(Utf8JsonWriter json, DateTime time)
    {
        Span<byte> text = stackalloc byte[MomentText.WrittenLength];
        _ = time.TryFormat(text, out int length, MomentText.Written, CultureInfo.InvariantCulture);
        json.WriteStringValue(text[..length]);
    }

    /// <summary>A moment, or null.</summary>
    internal static void WriteTime(Utf8JsonWriter json, string name, DateTimeOffset? time)
    {
        json.WritePropertyName(name);
        if (time is { } moment)
        {
            WriteTime(json, moment.UtcDateTime);
        }
        else
        {
            json.WriteNullValue();
        }
    }

    /// <summary>A number; null where JSON has none for it.</summary>
    internal static void WriteDouble(Utf8JsonWriter json, double number)
    {
        if (double.IsFinite(number))
        {
            json.WriteNumberValue(number);
        }
        else
        {
            json.WriteNullValue();
        }
    }

    /// <summary>The value of one of the order's columns.</summary>
    internal static object Read(NpgsqlDataReader row, int index, ColumnKind kind) => kind switch
    {
        ColumnKind.Time => row.GetFieldValue<DateTime>(index),
        ColumnKind.Text => row.GetString(index),
        ColumnKind.Int => row.GetInt32(index),
        ColumnKind.Long => row.GetInt64(index),
        _ => row.GetGuid(index),
    };

    private static void WriteValue(Utf8JsonWriter json, NpgsqlDataReader row, int index, ColumnKind kind)
    {
        switch (kind)
        {
            case ColumnKind.Text:
                json.WriteStringValue(row.GetString(index));
                break;
            case ColumnKind.Uuid:
                json.WriteStringValue(row.GetGuid(index));
                break;
            case ColumnKind.Int:
                json.WriteNumberValue(row.GetInt32(index));
                break;
            case ColumnKind.Long:
                WriteLong(json, row.GetInt64(index));
                break;
            case ColumnKind.Double:
                WriteDouble(json, row.GetDouble(index));
                break;
            case ColumnKind.Boolean:
                json.WriteBooleanValue(row.GetBoolean(index));
                break;
            case ColumnKind.Time:
                WriteTime(json, row.GetFieldValue<DateTime>(index));
                break;
            default:
                json.WriteRawValue(row.GetFieldValue<byte[]>(index), skipInputValidation: true);
                break;
        }
    }

    /// <summary>A 64-bit number as a text.</summary>
    internal static void WriteLong(Utf8JsonWriter json, long number)
    {
        Span<byte> text = stackalloc byte[20];
        _ = number.TryFormat(text, out int length, default, CultureInfo.InvariantCulture);
        json.WriteStringValue(text[..length]);
    }
}
