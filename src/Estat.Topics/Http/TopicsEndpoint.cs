// GET /api/topics, /api/topics/{topic}, /api/stats: what the log and the database know of topics, side by side.
using System.Text.Json;
using Estat.Http.Intake;
using Estat.Topics.Log;
using Estat.Topics.Messages;
using Estat.Topics.Querying;
using Microsoft.AspNetCore.Http;

namespace Estat.Topics.Http;

/// <summary>While the database is away the log's part is answered alone.</summary>
/// <param name="log">The log.</param>
/// <param name="table">The database's part.</param>
/// <param name="rates">Messages a second.</param>
/// <param name="sink">The node's sink; null without.</param>
/// <param name="retention">How long topics are kept that say nothing else.</param>
/// <param name="refusals">The answers to what cannot be asked.</param>
/// <param name="time">The clock.</param>
internal sealed class TopicsEndpoint(
    ITopicLog log, TopicStatusTable table, TopicRates rates, ISinkState? sink, TimeSpan retention, QueryRefusals refusals, TimeProvider time)
{
    /// <summary>Lists topics, those with the newest messages first.</summary>
    internal async Task ListAsync(HttpContext context, Reader reader)
    {
        if (new QueryParameters(context).Fault is { } fault)
        {
            await HttpAnswers.WriteAsync(context, refusals.Malformed(fault)).ConfigureAwait(false);
            return;
        }

        (TopicTableRows? rows, string database, _) = await table.LookAsync(context.RequestAborted).ConfigureAwait(false);
        Topic[] topics = [.. log.Topics.Select(topic => topic.Name).Concat(rows?.Topics.Keys ?? []).Distinct(StringComparer.Ordinal)
            .Where(reader.MayUse).Select(name => Find(name, rows))
            .OrderByDescending(topic => topic.Row?.LastMessageAt ?? DateTimeOffset.MinValue).ThenBy(topic => topic.Name, StringComparer.Ordinal)];
        AnswerBuffer body = QueryAnswers.Make(json =>
        {
            json.WriteStartArray("data");
            foreach (Topic topic in topics)
            {
                Write(json, topic, rows);
            }

            json.WriteEndArray();
            WriteState(json, database);
        });
        await QueryAnswers.WriteAsync(context, body).ConfigureAwait(false);
    }

    /// <summary>Shows one.</summary>
    internal async Task ShowAsync(HttpContext context, Reader reader, string name)
    {
        Refusal? refusal = new QueryParameters(context).Fault is { } fault ? refusals.Malformed(fault)
            : reader.MayUse(name) ? null : refusals.NotThisTopic;
        (TopicTableRows? rows, string database, _) = refusal is null ? await table.LookAsync(context.RequestAborted).ConfigureAwait(false)
            : new TopicTableLook(null, "", null);
        Topic topic = Find(name, rows);
        if (refusal is not null || topic is { Log: null, Row: null })
        {
            await HttpAnswers.WriteAsync(context, refusal ?? refusals.NoTopic).ConfigureAwait(false);
            return;
        }

        AnswerBuffer body = QueryAnswers.Make(json =>
        {
            json.WritePropertyName("data");
            Write(json, topic, rows);
            WriteState(json, database);
        });
        await QueryAnswers.WriteAsync(context, body).ConfigureAwait(false);
    }

    /// <summary>Totals, from counters that the sink keeps: no rows are counted.</summary>
    internal async Task StatsAsync(HttpContext context, Reader reader)
    {
        if (new QueryParameters(context).Fault is { } fault)
        {
            await HttpAnswers.WriteAsync(context, refusals.Malformed(fault)).ConfigureAwait(false);
            return;
        }

        TopicTableRows rows = await table.ReadAsync(context.RequestAborted).ConfigureAwait(false);
        TopicStatus[] topics = [.. rows.Topics.Values.Where(topic => reader.MayUse(topic.Name))];
        AnswerBuffer body = QueryAnswers.Make(json =>
        {
            json.WriteStartObject("stats");
            json.WriteNumber("messages", topics.Sum(topic => topic.Messages));
            json.WriteNumber("userActivities", Typed(BuiltInTopic.UserActivities));
            json.WriteNumber("metrics", Typed(BuiltInTopic.SystemMetrics));
            json.WriteNumber("errors", Typed(BuiltInTopic.ErrorLogs));
            json.WriteNumber("activeTopics", topics.Count(topic => topic.IsActive));
            json.WriteEndObject();
            RowJson.WriteTime(json, "timestamp", time.GetUtcNow());
        });
        await QueryAnswers.WriteAsync(context, body).ConfigureAwait(false);

        long Typed(string name) => topics.Where(topic => topic.Name == name).Sum(topic => topic.Typed);
    }

    private Topic Find(string name, TopicTableRows? rows) => new(name, log.FindTopic(name), rows?.Topics.GetValueOrDefault(name));

    private void WriteState(Utf8JsonWriter json, string database)
    {
        json.WriteString("database", database);
        if (sink is not null)
        {
            json.WriteStartObject("sink");
            json.WriteString("state", sink.State);
            json.WriteString("fault", sink.Fault);
            json.WriteEndObject();
        }
    }

    private void Write(Utf8JsonWriter json, Topic topic, TopicTableRows? rows)
    {
        json.WriteStartObject();
        json.WriteString("id", topic.Row?.Id.ToString());
        json.WriteString("topicName", topic.Name);
        json.WriteNumber("partitionCount", topic.Log?.Partitions.Count ?? topic.Row!.Partitions);
        json.WriteNumber("replicationFactor", topic.Log?.ReplicationFactor ?? topic.Row!.ReplicationFactor);
        json.WriteBoolean("isActive", topic.Row?.IsActive ?? true);
        RowJson.WriteTime(json, "lastMessageAt", topic.Row?.LastMessageAt);
        PartitionJson.WriteNumber(json, "messageCount", topic.Row?.Messages ?? (rows is null ? null : 0));
        RowJson.WriteTime(json, "createdAt", topic.Row?.CreatedAt ?? topic.Log?.CreatedAt);
        RowJson.WriteTime(json, "updatedAt", topic.Row?.UpdatedAt);
        if (topic.Log is { } inLog)
        {
            WriteLog(json, inLog, rows);
        }

        json.WriteEndObject();
    }

    private void WriteLog(Utf8JsonWriter json, LogTopic topic, TopicTableRows? rows)
    {
        PartitionJson.WriteAll(json, topic, (which, bounds) => sink?.StoredUpTo(which) ?? rows?.NextOf(which, bounds));
        PartitionJson.WriteRate(json, rates.RateOf(topic));
        json.WriteNumber("retentionSeconds", (long)(topic.Retention ?? retention).TotalSeconds);
    }

    private sealed record Topic(string Name, LogTopic? Log, TopicStatus? Row);
}
