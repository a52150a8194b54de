// Messages of one transaction, checked and brought into COPY's form.
using System.Buffers;
using System.Runtime.InteropServices;
using System.Text.Json;
using Estat.Topics.Messages;
using Estat.Topics.Postgres;

namespace Estat.Topics.Sink;

/// <summary>What a partition has in a batch.</summary>
/// <param name="Partition">Which.</param>
/// <param name="From">Where the reading before ended.</param>
/// <param name="Next">Behind the last message.</param>
internal readonly record struct BatchPart(TopicPartition Partition, long From, long Next);

/// <summary>A message of a batch: where its parts lie in the batch's buffers.</summary>
internal struct BatchMessage
{
    /// <summary>Its partition's place in <see cref="SinkBatch.Parts"/>.</summary>
    internal int Part;

    /// <summary>Its offset.</summary>
    internal long Offset;

    /// <summary>Its time, within bounds.</summary>
    internal long Time;

    /// <summary>Its row's id.</summary>
    internal Guid Id;

    /// <summary>Its row in <see cref="SinkBatch.Rows"/>.</summary>
    internal (int Start, int Length) Row;

    /// <summary>Its key in the same; -1: none.</summary>
    internal (int Start, int Length) Key;

    /// <summary>Its value in the same; -1: none.</summary>
    internal (int Start, int Length) Value;

    /// <summary>Its packed headers.</summary>
    internal (int Start, int Length) Headers;

    /// <summary>Its typed row in <see cref="SinkBatch.TypedRows"/>; length 0: none.</summary>
    internal (int Start, int Length) Typed;

    /// <summary>Why it cannot be stored, found by the checks; null when it can.</summary>
    internal DeadLetter? Dead;

    /// <summary>Why its typed row cannot be stored; null when it can, or there is none.</summary>
    internal DeadLetter? DeadTyped;
}

/// <summary>Filled by the loop's reading side, then stored, then cleared and filled again. One user at a time.</summary>
/// <param name="mostBytes">TOPICS_BATCH_BYTES: buffers that grew far beyond it are given back.</param>
internal sealed class SinkBatch(int mostBytes)
{
    // A place in a partition that no message ever has.
    private const long Nowhere = long.MaxValue - 1;
    private readonly List<BatchMessage> _messages = [];
    private readonly List<BatchPart> _parts = [];
    private readonly Dictionary<TopicPartition, int> _partOf = [];
    private CopyBuffer _headers = new();
    private readonly ArrayBufferWriter<byte> _packed = new();
    private CopyBuffer[] _typed = [.. StoredTable.Typed.Select(_ => new CopyBuffer())];
    private readonly Dictionary<string, byte[]> _topics = [];
    private Utf8JsonWriter? _writer;

    /// <summary>Its messages, in the order in which they were read.</summary>
    internal ReadOnlySpan<BatchMessage> Messages => CollectionsMarshal.AsSpan(_messages);

    /// <summary>Its messages' number.</summary>
    internal int Count => _messages.Count;

    /// <summary>Its partitions.</summary>
    internal IReadOnlyList<BatchPart> Parts => _parts;

    /// <summary>Rows of <c>messages</c>.</summary>
    internal CopyBuffer Rows { get; private init; } = new();

    /// <summary>Rows of the typed tables, by <see cref="StoredTable.Ordinal"/>.</summary>
    internal IReadOnlyList<CopyBuffer> TypedRows => _typed;

    /// <summary>Days that the rows need.</summary>
    internal SortedSet<long> Days { get; } = [];

    /// <summary>Empties it.</summary>
    internal void Clear()
    {
        _messages.Clear();
        _parts.Clear();
        _partOf.Clear();
        Days.Clear();
        int most = (int)Math.Min(((long)mostBytes * 2) + (4 << 20), Array.MaxLength);
        Rows.Clear(most);
        _headers.Clear(most);
        foreach (CopyBuffer rows in _typed)
        {
            rows.Clear(most);
        }
    }

    /// <summary>Takes a message: copies and checks it.</summary>
    /// <param name="message">Behind all of its partition that are in the batch.</param>
    /// <param name="from">Where the partition's reading stood before this batch; not asked for a partition's later messages.</param>
    internal void Add(in LogMessage message, long from)
    {
        if (!_partOf.TryGetValue(message.At.Of, out int part))
        {
            part = _partOf[message.At.Of] = _parts.Count;
            _parts.Add(new(message.At.Of, from, from));
        }

        _parts[part] = _parts[part] with { Next = message.At.Offset + 1 };
        long time = Math.Clamp(message.Time, 0, MessageId.TimeEnd - 1);
        var entry = new BatchMessage { Part = part, Offset = message.At.Offset, Time = time, Id = MessageId.Of(message.At, time) };
        if (Check(message) is { } refusal)
        {
            entry.Dead = new(entry.Id, message.At, time, DeadLetterKind.Message, refusal, CopyOf(message));
            (entry.Key, entry.Value) = ((0, -1), (0, -1));
        }
        else
        {
            Days.Add(DayPartitions.DayOf(time));
            Write(message, ref entry);
        }

        _messages.Add(entry);
    }

    /// <summary>A run of its messages as a batch of its own, in this one's buffers: good until this one is cleared.</summary>
    /// <param name="from">The first message.</param>
    /// <param name="to">Behind the last one.</param>
    internal SinkBatch Part(int from, int to)
    {
        var part = new SinkBatch(mostBytes) { Rows = Rows, _headers = _headers, _typed = _typed };
        long[] next = [.. _parts.Select(all => all.From)];
        for (int index = 0; index < to; index++)
        {
            BatchMessage message = _messages[index];
            if (index >= from)
            {
                TopicPartition partition = _parts[message.Part].Partition;
                if (!part._partOf.TryGetValue(partition, out int place))
                {
                    place = part._partOf[partition] = part._parts.Count;
                    part._parts.Add(new(partition, next[message.Part], next[message.Part]));
                }

                part._parts[place] = part._parts[place] with { Next = message.Offset + 1 };
                part._messages.Add(message with { Part = place });
                if (message.Dead is null)
                {
                    part.Days.Add(DayPartitions.DayOf(message.Time));
                }
            }

            next[message.Part] = message.Offset + 1;
        }

        return part;
    }

    /// <summary>A batch of one message that nothing is wrong with, at the partition and time of one of this batch.</summary>
    /// <param name="index">The message.</param>
    internal SinkBatch Harmless(int index)
    {
        BatchMessage message = _messages[index];
        var batch = new SinkBatch(0);
        TopicPartition partition = _parts[message.Part].Partition;
        batch.Add(
            new(new(partition.Topic, partition.Partition, Nowhere), message.Time, null, [], "{}"u8.ToArray()), _parts[message.Part].From);
        return batch;
    }

    /// <summary>Where a message is in the log.</summary>
    /// <param name="message">Of this batch.</param>
    internal MessagePosition PositionOf(in BatchMessage message)
    {
        TopicPartition partition = _parts[message.Part].Partition;
        return new(partition.Topic, partition.Partition, message.Offset);
    }

    /// <summary>A message's key, until the batch is cleared; null without.</summary>
    /// <param name="message">Of this batch.</param>
    internal ReadOnlyMemory<byte>? KeyOf(in BatchMessage message)
    {
        // Not by ?: alone: null would become empty bytes there.
        if (message.Dead is { } dead)
        {
            return dead.Content.Key is { } bytes ? bytes : default(ReadOnlyMemory<byte>?);
        }

        return message.Key.Length < 0 ? default(ReadOnlyMemory<byte>?) : Rows.Slice(message.Key.Start, message.Key.Length);
    }

    /// <summary>A dead letter of a message that passed the checks.</summary>
    /// <param name="message">Of this batch.</param>
    /// <param name="kind">What of it is not stored.</param>
    /// <param name="why">Why.</param>
    internal DeadLetter Bury(in BatchMessage message, DeadLetterKind kind, Refusal why) => new(
        message.Id, PositionOf(message), message.Time, kind, why,
        new(
            KeyOf(message)?.ToArray(), _headers.Slice(message.Headers.Start, message.Headers.Length).ToArray(),
            message.Value.Length < 0 ? null : Rows.Slice(message.Value.Start, message.Value.Length).ToArray()));

    private static Refusal? Check(in LogMessage message) =>
        message.Time is < 0 or >= MessageId.TimeEnd ? new(RefusalCode.Time, "its time is not between the years 1970 and 9999")
        : message.Key is { } key && JsonCheck.OfKey(key.Span) is { } wrongKey ? wrongKey
        : Sink.Headers.Check(message.Headers) is { } wrongHeader ? wrongHeader
        : message.Value is { } value ? JsonCheck.OfValue(value.Span)
        : null;

    private MessageContent CopyOf(in LogMessage message)
    {
        _packed.ResetWrittenCount();
        Sink.Headers.Pack(message.Headers, _packed);
        return new(message.Key?.ToArray(), _packed.WrittenSpan.ToArray(), message.Value?.ToArray());
    }

    private void Write(in LogMessage message, ref BatchMessage entry)
    {
        entry.Headers.Start = _headers.Length;
        Sink.Headers.Pack(message.Headers, _headers);
        entry.Headers.Length = _headers.Length - entry.Headers.Start;
        CopyBuffer rows = Rows;
        entry.Row.Start = rows.Length;
        rows.Begin(StoredTable.Messages.Fields);
        rows.Uuid(entry.Id);
        rows.Text(NameOf(message.At.Topic));
        rows.Int(message.At.Partition);
        rows.Long(message.At.Offset);
        entry.Key = message.Key is { } key ? (rows.Text(key.Span), key.Length) : NoField(rows);
        entry.Value = message.Value is { } value ? (rows.Json(value.Span), value.Length) : NoField(rows);
        Sink.Headers.Write(message.Headers, rows, _writer ??= Sink.Headers.NewWriter(rows));
        rows.Time(entry.Time);
        entry.Row.Length = rows.Length - entry.Row.Start;
        if (StoredTable.Of(message.At.Topic) is { } table)
        {
            WriteTyped(table, message, ref entry);
        }
    }

    private void WriteTyped(StoredTable table, in LogMessage message, ref BatchMessage entry)
    {
        CopyBuffer rows = _typed[table.Ordinal];
        entry.Typed.Start = rows.Length;
        if (TypedRow.Write(table, entry.Id, entry.Time, message.Value, rows) is { } refusal)
        {
            entry.DeadTyped = new(entry.Id, message.At, entry.Time, DeadLetterKind.Typed, refusal, CopyOf(message));
        }

        entry.Typed.Length = rows.Length - entry.Typed.Start;
    }

    private static (int Start, int Length) NoField(CopyBuffer rows)
    {
        rows.Null();
        return (0, -1);
    }

    private byte[] NameOf(string topic)
    {
        if (!_topics.TryGetValue(topic, out byte[]? name))
        {
            _topics[topic] = name = System.Text.Encoding.UTF8.GetBytes(topic);
        }

        return name;
    }
}
