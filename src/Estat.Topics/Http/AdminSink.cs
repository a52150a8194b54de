// POST /admin/topics/{topic}/reset, /admin/sink/pause, /resume, /adopt and /give-up.
using System.Text.Json;
using Estat.Base.Options;
using Estat.Topics.Hosting;
using Estat.Topics.Log;
using Estat.Topics.Messages;
using Estat.Topics.Sink;
using Microsoft.AspNetCore.Http;

namespace Estat.Topics.Http;

/// <summary>The operator's orders to the sink.</summary>
/// <param name="engine">Its sink and its offsets.</param>
/// <param name="bodies">How orders are read.</param>
/// <param name="time">The clock.</param>
/// <param name="logger">Where orders are told.</param>
internal sealed partial class AdminSink(TopicsEngine engine, OrderBodies bodies, TimeProvider time, ILogger logger)
{
    // A pause comes after the batch under way; the answer waits for it a little.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan BetweenLooks = TimeSpan.FromMilliseconds(50);

    /// <summary>Lets the sink go on elsewhere in a topic, or says what that would do.</summary>
    internal async Task ResetAsync(HttpContext context, string name)
    {
        LogTopic topic = AdminTopics.Find(engine.Log, name);
        JsonElement order = await bodies.ReadAsync(context, "to", "partition", "dryRun").ConfigureAwait(false);
        bool isDryRun = OrderBodies.Flag(order, "dryRun", otherwise: true);
        int? partition = (int?)OrderBodies.Number(order, "partition", 0, topic.Partitions.Count - 1);
        ResetTarget target = ResetTarget.Read(order, partition is not null);
        SinkOffsets offsets = AdminTopicPages.DeskOf(engine).Offsets;
        if (engine.Sink?.State is { Activity: SinkActivity.Stopped } state)
        {
            throw new OrderRefusedException(
                StatusCodes.Status409Conflict, $"The sink has stopped: {state.Why}. Resolve that first, then resume it; a reset comes after.");
        }

        ResetStep[] plan =
        [
            .. (await offsets.PlanAsync(name, (which, cancellation) => target.OffsetAsync(engine.Log, which, cancellation), context.RequestAborted)
                .ConfigureAwait(false)).Where(step => partition is null || step.Partition.Partition == partition),
        ];
        if (plan.Length == 0)
        {
            throw new OrderRefusedException(
                StatusCodes.Status409Conflict, "The sink has not begun with this topic: it starts from the beginning. Try again in a moment.");
        }

        if (!isDryRun)
        {
            await offsets.ResetAsync(plan, CancellationToken.None).ConfigureAwait(false);
            engine.Sink?.Look();
            LogReset(logger, name, plan.Sum(step => step.Again), plan.Sum(step => step.PassedOver));
        }

        await AdminTopicPages.AnswerAsync(context, json =>
        {
            json.WriteBoolean("dryRun", isDryRun);
            json.WriteString("topic", name);
            json.WriteNumber("again", plan.Sum(step => step.Again));
            json.WriteNumber("skipped", plan.Sum(step => step.PassedOver));
            Write(json, plan);
        }).ConfigureAwait(false);
    }

    /// <summary>Pauses the sink, or lets it go on.</summary>
    internal async Task PauseAsync(HttpContext context, bool isPaused)
    {
        await bodies.ReadAsync(context).ConfigureAwait(false);
        SinkLoop sink = Sink();
        if (isPaused)
        {
            sink.Pause();
        }
        else
        {
            sink.Resume();
        }

        LogPause(logger, isPaused ? "paused" : "resumed");
        long began = time.GetTimestamp();
        while (sink.State.Activity == SinkActivity.Paused != isPaused && time.GetElapsedTime(began) < Patience)
        {
            await Task.Delay(BetweenLooks, time, context.RequestAborted).ConfigureAwait(false);
        }

        await SinkAsync(context, sink).ConfigureAwait(false);
    }

    /// <summary>Goes on with this log where the database knows another one.</summary>
    internal async Task AdoptAsync(HttpContext context)
    {
        await bodies.ReadAsync(context).ConfigureAwait(false);
        IReadOnlyList<ResetStep> steps = await AdminTopicPages.DeskOf(engine).Offsets.AdoptAsync(CancellationToken.None).ConfigureAwait(false);
        if (steps.Count > 0)
        {
            if (engine.Sink is { State.Activity: SinkActivity.Stopped } stopped)
            {
                stopped.Resume(); // it stopped for what was adopted now
            }
            else
            {
                engine.Sink?.Look();
            }

            LogAdopted(logger, engine.Log.Id, steps.Count);
        }

        await AdminTopicPages.AnswerAsync(context, json =>
        {
            json.WriteString("logId", engine.Log.Id);
            Write(json, steps);
        }).ConfigureAwait(false);
    }

    /// <summary>Makes the message that the sink cannot get past a dead letter.</summary>
    internal async Task GiveUpAsync(HttpContext context)
    {
        JsonElement order = await bodies.ReadAsync(context, "topic", "partition", "offset").ConfigureAwait(false);
        var at = new MessagePosition(
            OrderBodies.Text(order, "topic") ?? throw Incomplete(),
            (int)(OrderBodies.Number(order, "partition", 0, int.MaxValue) ?? throw Incomplete()),
            OrderBodies.Number(order, "offset", 0, long.MaxValue) ?? throw Incomplete());
        SinkLoop sink = Sink();
        if (!sink.GiveUp(at))
        {
            throw new OrderRefusedException(
                StatusCodes.Status409Conflict, $"{at} is not the message that the sink cannot get past: "
                    + (sink.Pinned is { } pinned ? $"that is {pinned.At}." : "there is none now."));
        }

        LogGivenUp(logger, at);
        await SinkAsync(context, sink).ConfigureAwait(false);
    }

    private static OrderRefusedException Incomplete() =>
        OrderBodies.Invalid("Name the message by topic, partition and offset, as the sink's pinned says.");

    private SinkLoop Sink() => engine.Sink ?? throw new OrderRefusedException(
        StatusCodes.Status409Conflict, "This node has no sink (TOPICS_SINK=false). Give the order to a node that has.");

    private Task SinkAsync(HttpContext context, SinkLoop sink) => AdminTopicPages.AnswerAsync(context, json =>
    {
        json.WritePropertyName("sink");
        AdminTopicJson.WriteSink(json, sink, engine.Options.SinkName);
    });

    private static void Write(Utf8JsonWriter json, IReadOnlyList<ResetStep> steps)
    {
        json.WriteStartArray("partitions");
        foreach (ResetStep step in steps)
        {
            json.WriteStartObject();
            json.WriteString("topic", step.Partition.Topic);
            json.WriteNumber("partition", step.Partition.Partition);
            PartitionJson.WriteOffset(json, "storedOffset", step.Next);
            PartitionJson.WriteOffset(json, "target", step.Target);
            json.WriteNumber("again", step.Again);
            json.WriteNumber("skipped", step.PassedOver);
            json.WriteEndObject();
        }

        json.WriteEndArray();
    }

    [LoggerMessage(Level = LogLevel.Warning,
        Message = "The operator reset the sink in {Topic}: {Again} messages are read again, {Skipped} are passed over")]
    private static partial void LogReset(ILogger logger, string topic, long again, long skipped);

    [LoggerMessage(Level = LogLevel.Information, Message = "The operator {Did} the sink")]
    private static partial void LogPause(ILogger logger, string did);

    [LoggerMessage(Level = LogLevel.Warning, Message = "The operator adopted the log {Log}: {Count} partitions go on from its start")]
    private static partial void LogAdopted(ILogger logger, string log, int count);

    [LoggerMessage(Level = LogLevel.Warning, Message = "The operator gave up {Position}: it becomes a dead letter")]
    private static partial void LogGivenUp(ILogger logger, MessagePosition position);
}

/// <summary>Where a reset goes.</summary>
/// <param name="Offset">An offset of one partition; the log's bounds limit it. Null: by time.</param>
/// <param name="Time">The time of the first message that is read again.</param>
internal sealed record ResetTarget(long? Offset, DateTimeOffset Time)
{
    /// <summary>Reads <c>to</c>.</summary>
    /// <param name="order">The order.</param>
    /// <param name="hasPartition">Whether it is about one partition.</param>
    /// <exception cref="OrderRefusedException">It is nothing that could be meant.</exception>
    internal static ResetTarget Read(JsonElement order, bool hasPartition)
    {
        if (!order.TryGetProperty("to", out JsonElement to))
        {
            throw Invalid();
        }

        if (OrderBodies.AsNumber(to) is { } offset)
        {
            return offset < 0 ? throw Invalid() : hasPartition ? new(offset, default)
                : throw OrderBodies.Invalid("An offset is one of a partition: name it as partition.");
        }

        return OrderBodies.Text(order, "to") switch
        {
            "beginning" => new(0, default),
            "end" => new(long.MaxValue, default),
            { } text when MomentText.TryParse(text) is { } time => new(null, time),
            _ => throw Invalid(),
        };
    }

    /// <summary>The offset that is meant in a partition.</summary>
    /// <param name="log">The log.</param>
    /// <param name="partition">The partition.</param>
    /// <param name="cancellationToken">Ends a search by time.</param>
    internal ValueTask<long> OffsetAsync(ITopicLog log, TopicPartition partition, CancellationToken cancellationToken) =>
        Offset is { } offset ? ValueTask.FromResult(offset) : log.FindOffsetAsync(partition, Time.ToUnixTimeMilliseconds(), cancellationToken);

    private static OrderRefusedException Invalid() =>
        OrderBodies.Invalid("to must be beginning, end, an offset with partition, or a time such as 2026-12-24T10:00:00Z.");
}
