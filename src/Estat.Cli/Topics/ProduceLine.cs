// A line of a file as a message of a request.
using System.Text.Encodings.Web;
using System.Text.Json;

namespace Estat.Cli.Topics;

/// <summary>One of them.</summary>
/// <param name="Number">Its line in the file, from 1.</param>
/// <param name="Json">The message, without a line end.</param>
internal sealed record ProduceLine(long Number, ReadOnlyMemory<byte> Json)
{
    private static readonly JsonWriterOptions Readable = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, SkipValidation = true };
    private static readonly JsonDocumentOptions Deep = new() { MaxDepth = 72 };

    /// <summary>Makes the message of a line.</summary>
    /// <param name="number">Its number.</param>
    /// <param name="line">Its bytes.</param>
    /// <param name="isRaw">Whether it is a value.</param>
    /// <param name="keyField">The value's member that is the key; null: the line has it, or there is none.</param>
    /// <exception cref="FormatException">It is no JSON, or lacks what it needs.</exception>
    internal static ProduceLine Of(long number, ReadOnlyMemory<byte> line, bool isRaw, string? keyField)
    {
        if (!isRaw && keyField is null)
        {
            return new(number, line);
        }

        try
        {
            using JsonDocument document = JsonDocument.Parse(line, Deep);
            using var stream = new MemoryStream(line.Length + 64);
            using (var writer = new Utf8JsonWriter(stream, Readable))
            {
                Write(writer, document.RootElement, isRaw, keyField);
            }

            return new(number, stream.ToArray());
        }
        catch (Exception error) when (error is JsonException or InvalidOperationException)
        {
            throw new FormatException($"is not valid JSON ({error.Message.TrimEnd('.')})", error);
        }
    }

    /// <summary>The body of a request.</summary>
    /// <param name="lines">Its messages.</param>
    internal static byte[] Join(List<ProduceLine> lines)
    {
        byte[] body = new byte[lines.Sum(line => line.Json.Length + 1)];
        int at = 0;
        foreach (ProduceLine line in lines)
        {
            line.Json.CopyTo(body.AsMemory(at));
            at += line.Json.Length;
            body[at++] = (byte)'\n';
        }

        return body;
    }

    private static void Write(Utf8JsonWriter writer, JsonElement root, bool isRaw, string? keyField)
    {
        JsonElement value = isRaw ? root
            : root.ValueKind == JsonValueKind.Object && root.TryGetProperty("value", out JsonElement own) ? own
            : throw new FormatException("is no message: it has no value. With --raw the line itself is the value");
        writer.WriteStartObject();
        if (keyField is not null)
        {
            writer.WriteString("key", KeyOf(value, keyField));
        }

        if (!isRaw)
        {
            foreach (JsonProperty member in root.EnumerateObject().Where(member => member.Name is not ("value" or "key")))
            {
                member.WriteTo(writer);
            }
        }

        writer.WritePropertyName("value");
        writer.WriteRawValue(value.GetRawText());
        writer.WriteEndObject();
    }

    private static string KeyOf(JsonElement value, string keyField)
    {
        JsonElement key = default;
        bool isThere = value.ValueKind == JsonValueKind.Object && value.TryGetProperty(keyField, out key);
        return !isThere ? throw new FormatException($"has no {keyField}, which is the key")
            : key.ValueKind switch
            {
                JsonValueKind.String => key.GetString()!,
                JsonValueKind.Number => key.GetRawText(),
                _ => throw new FormatException($"has a {keyField} that is no text and no number, so it can be no key"),
            };
    }
}
