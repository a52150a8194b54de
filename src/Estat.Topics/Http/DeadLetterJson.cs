// A dead letter in JSON.
using System.Text.Json;
using Estat.Topics.Querying;
using Estat.Topics.Sink;

namespace Estat.Topics.Http;

/// <summary>For the operator.</summary>
internal static class DeadLetterJson
{
    /// <summary>Writes one.</summary>
    /// <param name="json">Where to.</param>
    /// <param name="letter">The dead letter.</param>
    /// <param name="withValue">Whether its value is written: as text, where it is text, and its bytes.</param>
    internal static void Write(Utf8JsonWriter json, StoredDeadLetter letter, bool withValue)
    {
        json.WriteStartObject();
        json.WriteNumber("number", letter.Number);
        json.WriteString("id", letter.Id);
        json.WriteString("topic", letter.At.Topic);
        json.WriteNumber("partition", letter.At.Partition);
        PartitionJson.WriteOffset(json, "offset", letter.At.Offset);
        json.WriteString("kind", DeadLetter.NameOf(letter.Kind));
        json.WriteString("reason", letter.Why.Code);
        json.WriteString("detail", letter.Why.Detail);
        json.WriteString("state", letter.State);
        MessageJson.WriteText(json, "key", BytesOf(letter.Content.Key));
        MessageJson.WriteHeaders(json, Headers.Read(letter.Content.Headers));
        RowJson.WriteTime(json, "timestamp", letter.Time);
        RowJson.WriteTime(json, "createdAt", letter.CreatedAt);
        RowJson.WriteTime(json, "resolvedAt", letter.ResolvedAt);
        if (withValue)
        {
            json.WriteString("value", letter.Content.Value is { } value ? MessageJson.TryDecode(value) : null);
            json.WritePropertyName("valueBase64");
            if (letter.Content.Value is { } bytes)
            {
                json.WriteBase64StringValue(bytes);
            }
            else
            {
                json.WriteNullValue();
            }
        }

        json.WriteEndObject();
    }

    private static ReadOnlyMemory<byte>? BytesOf(byte[]? bytes) => bytes is null ? null : bytes.AsMemory();
}
