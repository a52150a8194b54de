// GET /api/topics/{topic}/records: messages of the log itself, also while the database is away.
using System.Text.Json;
using Estat.Http.Intake;
using Estat.Topics.Log;
using Estat.Topics.Messages;
using Estat.Topics.Querying;
using Microsoft.AspNetCore.Http;

namespace Estat.Topics.Http;

/// <summary>
/// Keeps nothing between two requests: who reads on asks from <c>nextOffset</c>. At most <see cref="MostWaiting"/> wait at once, and
/// <see cref="MostReading"/> read: a page is held as messages and as JSON meanwhile, and then only as JSON until its client has taken it.
/// </summary>
/// <param name="log">The log.</param>
/// <param name="refusals">The answers to what cannot be asked.</param>
/// <param name="stopping">Completes when the node drains: nobody waits on.</param>
/// <param name="time">Timers.</param>
internal sealed class LogEndpoint(ITopicLog log, QueryRefusals refusals, Task stopping, TimeProvider time) : IDisposable
{
    /// <summary>HTTP requests that may wait for messages at once.</summary>
    internal const int MostWaiting = 1000;

    /// <summary>HTTP requests that may read at once.</summary>
    internal const int MostReading = 8;

    private const int Usual = 100;
    private const int Most = 1000;
    private const int MostBytes = 16 << 20;
    private const int LongestWait = 30;

    // How long a page may wait for its turn to be read, and how many may.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(2);
    private const int MostForTurn = 64 * MostReading;

    private readonly SemaphoreSlim _turns = new(MostReading);
    private int _forTurn;
    private int _waiting;

    /// <summary>Answers.</summary>
    internal async Task ShowAsync(HttpContext context, Reader reader, string name)
    {
        var parameters = new QueryParameters(context, "partition", "offset", "limit", "wait");
        int partition = (int)(parameters.Number("partition", 0, int.MaxValue) ?? 0);
        long? offset = parameters.Number("offset", 0, long.MaxValue);
        int limit = (int)(parameters.Number("limit", 1, Most) ?? Usual);
        var wait = TimeSpan.FromSeconds(parameters.Number("wait", 0, LongestWait) ?? 0);
        LogTopic? topic = log.FindTopic(name);
        Refusal? refusal = !reader.MayUse(name) ? refusals.NotThisTopic
            : topic is null ? refusals.NoTopic
            : parameters.Fault is { } fault ? refusals.Malformed(fault)
            : partition >= topic.Partitions.Count
                ? refusals.Malformed($"partition must be a whole number from 0 to {topic.Partitions.Count - 1}: the topic has no other.")
            : null;
        if (refusal is null)
        {
            long from = Math.Max(offset ?? 0, topic!.Partitions[partition].Start);
            refusal = await WaitAsync(context, new TopicPartition(name, partition), from, wait).ConfigureAwait(false);
            if (refusal is null && await FindPageAsync(context, new TopicPartition(name, partition), from, limit).ConfigureAwait(false) is { } page)
            {
                await QueryAnswers.WriteAsync(context, page).ConfigureAwait(false);
                return;
            }

            refusal ??= refusals.NoRoomToRead;
        }

        await HttpAnswers.WriteAsync(context, refusal).ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public void Dispose() => _turns.Dispose();

    private async ValueTask<Refusal?> WaitAsync(HttpContext context, TopicPartition partition, long offset, TimeSpan wait)
    {
        if (wait == TimeSpan.Zero || BoundsOf(partition).End > offset)
        {
            return null;
        }

        try
        {
            if (Interlocked.Increment(ref _waiting) > MostWaiting)
            {
                return refusals.NoRoomToWait;
            }

            using var limit = new CancellationTokenSource(wait, time);
            using var ending = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted, limit.Token);
            Task waiting = log.WaitForAsync(partition, offset, ending.Token).AsTask();
            await Task.WhenAny(waiting, stopping).ConfigureAwait(false);
            await ending.CancelAsync().ConfigureAwait(false);
            await waiting.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            context.RequestAborted.ThrowIfCancellationRequested();
            return null;
        }
        finally
        {
            Interlocked.Decrement(ref _waiting);
        }
    }

    // Null: too many read now.
    private async ValueTask<AnswerBuffer?> FindPageAsync(HttpContext context, TopicPartition partition, long from, int limit)
    {
        try
        {
            if (Interlocked.Increment(ref _forTurn) > MostForTurn
                || !await _turns.WaitAsync(Patience, context.RequestAborted).ConfigureAwait(false))
            {
                return null;
            }
        }
        finally
        {
            Interlocked.Decrement(ref _forTurn);
        }

        try
        {
            return await ReadAsync(context, partition, from, limit).ConfigureAwait(false);
        }
        finally
        {
            _turns.Release();
        }
    }

    private async Task<AnswerBuffer> ReadAsync(HttpContext context, TopicPartition partition, long from, int limit)
    {
        IReadOnlyList<LogMessage> messages = from < BoundsOf(partition).End
            ? await log.ReadAsync(partition, from, limit, MostBytes, context.RequestAborted).ConfigureAwait(false) : [];
        LogPartition bounds = BoundsOf(partition);
        // Retention may have deleted meanwhile what was just read: an answer does not give a record and say that it is gone.
        long start = messages.Count > 0 ? Math.Min(bounds.Start, messages[0].At.Offset) : bounds.Start;
        return QueryAnswers.Make(json =>
        {
            json.WriteStartArray("data");
            foreach (LogMessage message in messages)
            {
                Write(json, message);
            }

            json.WriteEndArray();
            json.WriteNumber("partition", partition.Partition);
            PartitionJson.WriteOffset(json, "nextOffset", messages.Count > 0 ? messages[^1].At.Offset + 1 : from);
            PartitionJson.WriteOffset(json, "startOffset", start);
            PartitionJson.WriteOffset(json, "endOffset", bounds.End);
        });
    }

    private LogPartition BoundsOf(TopicPartition partition) => log.BoundsOf(partition)!.Value;

    private static void Write(Utf8JsonWriter json, LogMessage message)
    {
        json.WriteStartObject();
        json.WriteString("topic", message.At.Topic);
        json.WriteNumber("partition", message.At.Partition);
        PartitionJson.WriteOffset(json, "offset", message.At.Offset);
        MessageJson.WriteText(json, "key", message.Key);
        WriteJson(json, message.Value);
        MessageJson.WriteHeaders(json, message.Headers);
        RowJson.WriteTime(json, "timestamp", DateTimeOffset.FromUnixTimeMilliseconds(message.Time));
        json.WriteEndObject();
    }

    private static void WriteJson(Utf8JsonWriter json, ReadOnlyMemory<byte>? value)
    {
        json.WritePropertyName("value");
        if (value is { } bytes && IsJson(bytes.Span))
        {
            json.WriteRawValue(bytes.Span, skipInputValidation: true);
            return;
        }

        json.WriteNullValue();
        if (value is { } other)
        {
            json.WriteBase64String("valueBase64", other.Span);
        }
    }

    // Names are checked for UTF-8 as they are read; texts only when somebody asks for them.
    private static bool IsJson(ReadOnlySpan<byte> bytes)
    {
        try
        {
            var reader = new Utf8JsonReader(bytes);
            while (reader.Read())
            {
            }

            return System.Text.Unicode.Utf8.IsValid(bytes);
        }
        catch (JsonException)
        {
            return false;
        }
    }
}
