// A topic's partitions in JSON, for clients and for the operator.
using System.Text.Json;
using Estat.Topics.Log;
using Estat.Topics.Messages;
using Estat.Topics.Querying;

namespace Estat.Topics.Http;

/// <summary>Offsets are texts: they may be larger than numbers of other languages.</summary>
internal static class PartitionJson
{
    /// <summary>Writes the members <c>partitions</c> and <c>lag</c>.</summary>
    /// <param name="json">Where to.</param>
    /// <param name="topic">The topic.</param>
    /// <param name="storedUpTo">Where the sink goes on in a partition with these bounds; null while nobody knows.</param>
    internal static void WriteAll(Utf8JsonWriter json, LogTopic topic, Func<TopicPartition, LogPartition, long?> storedUpTo)
    {
        long? lag = 0;
        json.WriteStartArray("partitions");
        for (int i = 0; i < topic.Partitions.Count; i++)
        {
            LogPartition partition = topic.Partitions[i];
            long? stored = storedUpTo(new TopicPartition(topic.Name, i), partition);
            long? waiting = stored is { } from ? Math.Max(0, partition.End - from) : null;
            lag += waiting;
            json.WriteStartObject();
            json.WriteNumber("partition", i);
            WriteOffset(json, "startOffset", partition.Start);
            WriteOffset(json, "endOffset", partition.End);
            WriteOffset(json, "storedOffset", stored);
            WriteNumber(json, "lag", waiting);
            json.WriteEndObject();
        }

        json.WriteEndArray();
        WriteNumber(json, "lag", lag);
    }

    /// <summary>Writes the member <c>rate</c>: messages a second.</summary>
    /// <param name="json">Where to.</param>
    /// <param name="rate">Null: not known yet.</param>
    internal static void WriteRate(Utf8JsonWriter json, double? rate)
    {
        json.WritePropertyName("rate");
        RowJson.WriteDouble(json, rate is { } known ? Math.Round(known, 3) : double.NaN);
    }

    /// <summary>Writes an offset, or null.</summary>
    /// <param name="json">Where to.</param>
    /// <param name="name">The member.</param>
    /// <param name="offset">The offset.</param>
    internal static void WriteOffset(Utf8JsonWriter json, string name, long? offset)
    {
        json.WritePropertyName(name);
        if (offset is { } number)
        {
            RowJson.WriteLong(json, number);
        }
        else
        {
            json.WriteNullValue();
        }
    }

    /// <summary>Writes a number, or null.</summary>
    /// <param name="json">Where to.</param>
    /// <param name="name">The member.</param>
    /// <param name="number">The number.</param>
    internal static void WriteNumber(Utf8JsonWriter json, string name, long? number)
    {
        if (number is { } value)
        {
            json.WriteNumber(name, value);
        }
        else
        {
            json.WriteNull(name);
        }
    }
}
