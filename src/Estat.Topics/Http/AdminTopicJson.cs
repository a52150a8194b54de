// What the operator sees of topics: log, database and sink side by side.
using System.Text.Json;
using Estat.Base.Options;
using Estat.Topics.Embedded;
using Estat.Topics.Hosting;
using Estat.Topics.Log;
using Estat.Topics.Messages;
using Estat.Topics.Querying;
using Estat.Topics.Sink;
using Npgsql;

namespace Estat.Topics.Http;

/// <summary>While the database is away, what it knows is null, and why it is away is said. Any thread.</summary>
/// <param name="engine">The log, the sink and the ledger.</param>
/// <param name="queries">What the database knows of topics, and rates.</param>
internal sealed class AdminTopicJson(TopicsEngine engine, QueryService queries)
{
    /// <summary>One reading of everything.</summary>
    /// <param name="Database">The database's part.</param>
    /// <param name="Stored">Where the node's sink goes on.</param>
    internal sealed record Reading(TopicTableLook Database, IReadOnlyDictionary<TopicPartition, long> Stored);

    /// <summary>Reads the database and the sink.</summary>
    /// <param name="cancellationToken">Ends it.</param>
    internal async Task<Reading> ReadAsync(CancellationToken cancellationToken)
    {
        Dictionary<TopicPartition, long> stored = engine.Sink?.Progress.ToDictionary(progress => progress.Partition, progress => progress.Next) ?? [];
        return new(await queries.Status.LookAsync(cancellationToken).ConfigureAwait(false), stored);
    }

    /// <summary>Writes a topic.</summary>
    /// <param name="json">Where to.</param>
    /// <param name="topic">The topic.</param>
    /// <param name="reading">What is known besides.</param>
    internal void Write(Utf8JsonWriter json, LogTopic topic, Reading reading)
    {
        TopicTableRows? rows = reading.Database.Rows;
        TopicStatus? row = rows?.Topics.GetValueOrDefault(topic.Name);
        TimeSpan retention = topic.Retention ?? engine.Options.Retention;
        json.WriteString("topicName", topic.Name);
        json.WriteNumber("partitionCount", topic.Partitions.Count);
        json.WriteNumber("replicationFactor", topic.ReplicationFactor);
        RowJson.WriteTime(json, "createdAt", topic.CreatedAt ?? row?.CreatedAt);
        RowJson.WriteTime(json, "lastMessageAt", row?.LastMessageAt);
        PartitionJson.WriteNumber(json, "messageCount", row?.Messages ?? (rows is null ? null : 0));
        PartitionJson.WriteAll(
            json, topic, (which, bounds) => reading.Stored.TryGetValue(which, out long own) ? own : rows?.NextOf(which, bounds));
        PartitionJson.WriteRate(json, queries.Rates.RateOf(topic));
        json.WriteString("retention", GoDuration.Format(retention));
        json.WriteBoolean("retentionIsDefault", topic.Retention is null);
        WriteCuts(json, topic.Cuts);
        WriteLetters(json, kind => Open(kind, topic.Name));
    }

    /// <summary>Writes what is not of one topic: <c>database</c>, <c>log</c>, <c>sink</c> and <c>deadLetters</c>.</summary>
    /// <param name="json">Where to.</param>
    /// <param name="reading">What is known.</param>
    internal void WriteState(Utf8JsonWriter json, Reading reading)
    {
        json.WriteStartObject("database");
        json.WriteString("state", reading.Database.State);
        json.WriteString("address", engine.Address is { } address ? Of(address) : null);
        json.WriteString("why", reading.Database.Why);
        json.WriteEndObject();
        WriteLog(json);
        json.WritePropertyName("sink");
        if (engine.Sink is { } sink)
        {
            WriteSink(json, sink, engine.Options.SinkName);
        }
        else
        {
            json.WriteNullValue();
        }

        WriteLetters(json, kind => engine.Desk?.Ledger.Reading?.OpenOf(kind));
    }

    /// <summary>Writes the sink as an object.</summary>
    /// <param name="json">Where to.</param>
    /// <param name="sink">The sink.</param>
    /// <param name="name">Its name.</param>
    internal static void WriteSink(Utf8JsonWriter json, SinkLoop sink, string name)
    {
        SinkState state = sink.State;
        json.WriteStartObject();
        json.WriteString("name", name);
        json.WriteString("state", SinkView.NameOf(state.Activity));
        RowJson.WriteTime(json, "since", state.Since);
        json.WriteString("why", state.Why);
        json.WritePropertyName("pinned");
        if (sink.Pinned is { } pinned)
        {
            json.WriteStartObject();
            json.WriteString("topic", pinned.At.Topic);
            json.WriteNumber("partition", pinned.At.Partition);
            PartitionJson.WriteOffset(json, "offset", pinned.At.Offset);
            json.WriteString("error", pinned.Error);
            RowJson.WriteTime(json, "since", pinned.Since);
            json.WriteEndObject();
        }
        else
        {
            json.WriteNullValue();
        }

        json.WriteString("choreFault", sink.ChoreFault);
        json.WriteEndObject();
    }

    // Never the password.
    private static string Of(NpgsqlConnectionStringBuilder address) =>
        string.Create(System.Globalization.CultureInfo.InvariantCulture, $"{address.Host}:{address.Port}/{address.Database}");

    private long? Open(DeadLetterKind kind, string topic) =>
        engine.Desk?.Ledger.Reading is { } reading ? reading.Open.GetValueOrDefault((topic, kind)) : null;

    private static void WriteLetters(Utf8JsonWriter json, Func<DeadLetterKind, long?> open)
    {
        json.WriteStartObject("deadLetters");
        foreach (DeadLetterKind kind in Enum.GetValues<DeadLetterKind>())
        {
            PartitionJson.WriteNumber(json, DeadLetter.NameOf(kind), open(kind));
        }

        json.WriteEndObject();
    }

    private void WriteLog(Utf8JsonWriter json)
    {
        var embedded = engine.Log as EmbeddedLog;
        json.WriteStartObject("log");
        json.WriteString("id", engine.Log.KnownId);
        json.WriteString("description", engine.Log.Description);
        json.WriteString("ackLevel", engine.Log.AckLevel);
        PartitionJson.WriteNumber(json, "bytes", embedded?.Bytes);
        PartitionJson.WriteNumber(json, "maxBytes", embedded is null ? null : engine.Options.MaxSizeBytes);
        json.WritePropertyName("pin");
        if (embedded?.Pin is { } pin)
        {
            json.WriteStartObject();
            json.WriteString("topic", pin.Topic);
            json.WriteString("why", pin.Why switch
            {
                LogPinReason.NotStored => "not-stored",
                LogPinReason.Retention => "retention",
                _ => "idempotency-keys",
            });
            json.WriteEndObject();
        }
        else
        {
            json.WriteNullValue();
        }

        json.WriteString("fault", engine.Log.Fault);
        json.WriteEndObject();
    }

    private static void WriteCuts(Utf8JsonWriter json, IReadOnlyList<PartitionCut> cuts)
    {
        json.WriteStartArray("cuts");
        foreach (PartitionCut cut in cuts)
        {
            json.WriteStartObject();
            RowJson.WriteTime(json, "at", cut.At);
            json.WriteNumber("partitions", cut.Partitions);
            json.WriteStartArray("offsets");
            foreach (long offset in cut.Offsets)
            {
                RowJson.WriteLong(json, offset);
            }

            json.WriteEndArray();
            json.WriteEndObject();
        }

        json.WriteEndArray();
    }
}
