// GET /admin/topics, GET and PUT /admin/topics/{topic}.
using System.Text.Json;
using Estat.Base.Options;
using Estat.Topics.Embedded;
using Estat.Topics.Hosting;
using Estat.Topics.Intake;
using Estat.Topics.Log;
using Estat.Topics.Messages;
using Estat.Topics.Options;
using Microsoft.AspNetCore.Http;

namespace Estat.Topics.Http;

/// <summary>What the operator sees of topics, and changes of them.</summary>
/// <param name="engine">Its log.</param>
/// <param name="show">How a topic is shown.</param>
/// <param name="bodies">How orders are read.</param>
/// <param name="logger">Where changes are told.</param>
internal sealed partial class AdminTopics(TopicsEngine engine, AdminTopicJson show, OrderBodies bodies, ILogger logger)
{
    private static readonly TimeSpan ShortestRetention = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan LongestRetention = TimeSpan.FromHours(87_600);

    /// <summary>Lists topics by name, with the state of log, database and sink.</summary>
    internal async Task ListAsync(HttpContext context)
    {
        AdminTopicJson.Reading reading = await show.ReadAsync(context.RequestAborted).ConfigureAwait(false);
        await AdminTopicPages.AnswerAsync(context, json =>
        {
            show.WriteState(json, reading);
            json.WriteStartArray("topics");
            foreach (LogTopic topic in engine.Log.Topics.OrderBy(topic => topic.Name, StringComparer.Ordinal))
            {
                json.WriteStartObject();
                show.Write(json, topic, reading);
                json.WriteEndObject();
            }

            json.WriteEndArray();
        }).ConfigureAwait(false);
    }

    /// <summary>Shows one.</summary>
    internal Task ShowAsync(HttpContext context, string name) =>
        AnswerAsync(context, Find(engine.Log, name), StatusCodes.Status200OK);

    /// <summary>Makes a topic, or changes it. The same again changes nothing.</summary>
    internal async Task PutAsync(HttpContext context, string name)
    {
        JsonElement order = await bodies.ReadAsync(context, "partitions", "retention").ConfigureAwait(false);
        int? partitions = (int?)OrderBodies.Number(order, "partitions", 1, EmbeddedLog.MostPartitions);
        bool hasRetention = order.TryGetProperty("retention", out _);
        TimeSpan? retention = RetentionOf(order);
        Check(name, partitions);
        (LogTopic topic, bool isNew) = engine.Log.FindTopic(name) is { } known ? (known, false)
            : await engine.Log.CreateTopicAsync(name, partitions, CancellationToken.None).ConfigureAwait(false);
        if (partitions > topic.Partitions.Count)
        {
            topic = await engine.Log.AddPartitionsAsync(name, partitions.Value, CancellationToken.None).ConfigureAwait(false);
            LogGrown(logger, name, partitions.Value);
        }

        if (hasRetention && retention != topic.Retention)
        {
            topic = await engine.Log.SetRetentionAsync(name, retention, CancellationToken.None).ConfigureAwait(false);
            LogRetained(logger, name, GoDuration.Format(retention ?? engine.Options.Retention));
        }

        if (isNew)
        {
            LogMade(logger, name, topic.Partitions.Count);
        }

        await AnswerAsync(context, topic, isNew ? StatusCodes.Status201Created : StatusCodes.Status200OK).ConfigureAwait(false);
    }

    /// <summary>A topic of the log.</summary>
    /// <param name="log">The log.</param>
    /// <param name="name">Its name.</param>
    /// <exception cref="OrderRefusedException">There is none.</exception>
    internal static LogTopic Find(ITopicLog log, string name) => log.FindTopic(name) ?? throw new OrderRefusedException(
        StatusCodes.Status404NotFound, "There is no topic of this name. GET /admin/topics lists all; PUT /admin/topics/{topic} makes one.");

    private void Check(string name, int? partitions)
    {
        if (!TopicName.IsValid(name))
        {
            throw OrderBodies.Invalid($"This cannot be a topic's name. A name has {TopicName.Rule}.");
        }

        if (TypedBody.All.Any(body => body.Path == name)) // nobody could produce to it
        {
            throw OrderBodies.Invalid(
                $"POST /api/produce/{name} is a path of its own, so no topic can have this name. Choose another.");
        }

        LogTopic? known = engine.Log.FindTopic(name);
        if (partitions < known?.Partitions.Count)
        {
            throw new OrderRefusedException(
                StatusCodes.Status409Conflict,
                $"{name} has {known.Partitions.Count} partitions. They can only become more: messages are in all of them.");
        }

        if (known is null && engine.Options.Log == LogKind.Embedded && engine.Log.Topics.Count >= engine.Options.MaxTopics)
        {
            throw new OrderRefusedException(
                StatusCodes.Status409Conflict,
                $"There are {engine.Options.MaxTopics} topics already (TOPICS_MAX_TOPICS). Raise it, and restart the node.");
        }
    }

    private static TimeSpan? RetentionOf(JsonElement order) =>
        OrderBodies.Text(order, "retention") is not { } text ? null
        : GoDuration.TryParse(text, out TimeSpan retention) && retention >= ShortestRetention && retention <= LongestRetention ? retention
        : throw OrderBodies.Invalid("retention must be a duration from 1m to 87600h, such as 72h, or null for TOPICS_RETENTION.");

    private async Task AnswerAsync(HttpContext context, LogTopic topic, int status)
    {
        AdminTopicJson.Reading reading = await show.ReadAsync(context.RequestAborted).ConfigureAwait(false);
        await AdminTopicPages.AnswerAsync(context, json => show.Write(json, topic, reading), status).ConfigureAwait(false);
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "The operator made the topic {Topic} with {Partitions} partitions")]
    private static partial void LogMade(ILogger logger, string topic, int partitions);

    [LoggerMessage(Level = LogLevel.Information, Message = "The operator gave the topic {Topic} {Partitions} partitions")]
    private static partial void LogGrown(ILogger logger, string topic, int partitions);

    [LoggerMessage(Level = LogLevel.Information, Message = "The operator lets messages of the topic {Topic} be kept for {Retention}")]
    private static partial void LogRetained(ILogger logger, string topic, string retention);
}
