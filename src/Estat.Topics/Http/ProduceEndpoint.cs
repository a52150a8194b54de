// POST /api/produce/…: messages into the log.
using Estat.Base.Acks;
using Estat.Base.Threading;
using Estat.Http.Answering;
using Estat.Http.Bodies;
using Estat.Http.Intake;
using Estat.Topics.Intake;
using Estat.Topics.Log;
using Estat.Topics.Messages;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Primitives;

namespace Estat.Topics.Http;

/// <summary>200 once every message is as safe as the log's ack level says.</summary>
/// <param name="intake">The rules.</param>
/// <param name="bodies">How bodies are read.</param>
/// <param name="limits">The bounds.</param>
/// <param name="ackLevel">The log's ack level.</param>
/// <param name="time">The clock of values' <c>timestamp</c>.</param>
internal sealed class ProduceEndpoint(ProduceIntake intake, RequestBodies bodies, ProduceLimits limits, string ackLevel, TimeProvider time)
{
    private const string IdempotencyKey = "Idempotency-Key";

    // What a message holds beside its bytes until it is answered: its slices, its place in lists, its run, its position.
    private const long HeldByMessage = 160;

    private readonly MessageBodies _messages = new(limits);

    private static readonly IReadOnlyList<MessageHeader> TypedHeaders =
    [
        new("content-type", "application/json"u8.ToArray()), new("producer-id", "estat"u8.ToArray()),
    ];

    /// <summary>Handles a request.</summary>
    /// <param name="context">The request.</param>
    /// <param name="name">The last part of its path: a topic, or one of <see cref="TypedBody.All"/>.</param>
    internal async Task HandleAsync(HttpContext context, string name)
    {
        TypedBody? typed = TypedBody.All.FirstOrDefault(known => known.Path == name);
        Refusal? refusal = intake.Enter(new HttpRequestView(context), typed?.Topic ?? name, out ProduceEntry entry);
        HttpAnswers.Show(context, entry.Page);
        refusal ??= context.Request.Headers.TryGetValue(IdempotencyKey, out StringValues keys) && (keys.Count != 1 || keys[0]!.Length == 0)
            ? intake.Refusals.BadKey : null;
        if (refusal is not null)
        {
            await HttpAnswers.WriteAsync(context, refusal).ConfigureAwait(false);
            return;
        }

        await PoolThread.Switch(); // reading JSON must not keep a thread that polls sockets
        Produced? produced;
        IReadOnlyList<NewMessage> messages = [];
        using (RequestBody body = bodies.Batch(context, out RequestMemory memory))
        {
            (refusal, messages) = await ReadAsync(context, body, entry, typed).ConfigureAwait(false);
            long held = body.Bytes.Length + (messages.Count * HeldByMessage);
            bool isHeld = refusal is null && memory.TryTake(held, out _);
            try
            {
                (refusal, produced) = refusal is not null ? (refusal, null)
                    : !isHeld ? (intake.Refusals.NoMemory, null)
                    : await intake.TakeAsync(new HttpRequestView(context), entry, body.Memory, messages).ConfigureAwait(false);
            }
            finally
            {
                memory.Return(isHeld ? held : 0);
            }
        }

        await (refusal is not null ? HttpAnswers.WriteAsync(context, refusal)
            : AnswerAsync(context, entry.Topic, typed?.Told, produced!)).ConfigureAwait(false);
    }

    private async ValueTask<(Refusal? Refusal, IReadOnlyList<NewMessage> Messages)> ReadAsync(
        HttpContext context, RequestBody body, ProduceEntry entry, TypedBody? typed)
    {
        BodyOutcome outcome = await body.ReadAsync(context, entry.Coding).ConfigureAwait(false);
        await PoolThread.Switch();
        if (outcome != BodyOutcome.Whole)
        {
            return (outcome == BodyOutcome.TooLarge ? intake.Refusals.TooLarge : intake.Refusals.NoMemory, []);
        }

        if (body.Bytes.IsEmpty)
        {
            return (intake.Refusals.Malformed("The body is empty. Send JSON."), []);
        }

        try
        {
            return (null, typed is not null ? [Read(context, typed, body.Memory, entry)]
                : AreLines(context) ? _messages.ReadLines(body.Memory)
                : _messages.ReadJson(body.Memory));
        }
        catch (ProduceException error)
        {
            return (intake.Refusals.Malformed(error), []);
        }
    }

    private NewMessage Read(HttpContext context, TypedBody typed, ReadOnlyMemory<byte> body, ProduceEntry entry)
    {
        var request = new HttpRequestView(context);
        return typed.Read(
            body, new TypedClient(request.Peer.ClientOf(request), request.UserAgent), time.GetUtcNow(), HeadersOf(entry), limits);
    }

    private static bool AreLines(HttpContext context)
    {
        string? type = context.Request.ContentType;
        return type is not null && (type.StartsWith("application/x-ndjson", StringComparison.OrdinalIgnoreCase)
            || type.StartsWith("application/jsonl", StringComparison.OrdinalIgnoreCase)
            || type.StartsWith("application/x-jsonlines", StringComparison.OrdinalIgnoreCase));
    }

    private static IReadOnlyList<MessageHeader> HeadersOf(ProduceEntry entry) => entry.Sender is { } sender
        ? [TypedHeaders[0], new MessageHeader("producer-id", System.Text.Encoding.UTF8.GetBytes(sender.Name))] : TypedHeaders;

    private Task AnswerAsync(HttpContext context, string topic, string? told, Produced produced)
    {
        IReadOnlyList<MessagePosition?> positions = produced.Positions;
        var text = new ValueText(128 + topic.Length + (told is null ? 48 * positions.Count : 64));
        text.AddMember("\"success\":true,\"message\":\""u8);
        text.AddText(told ?? (positions.Count == 1 ? "Message stored in the log" : "Messages stored in the log"));
        text.Add("\",\"topic\":\""u8);
        text.AddText(topic); // a name has nothing that would have to be escaped
        text.Add("\""u8);
        if (positions.Count == 1)
        {
            text.Add(","u8);
            AddPosition(ref text, positions[0]!.Value);
        }

        if (told is null)
        {
            text.Add(",\"positions\":["u8);
            bool isFirst = true;
            foreach (MessagePosition? position in positions)
            {
                text.Add(isFirst ? "{"u8 : ",{"u8);
                AddPosition(ref text, position!.Value);
                text.Add("}"u8);
                isFirst = false;
            }

            text.Add("]"u8);
        }

        text.Add("}"u8);
        context.Response.Headers[AckHeaders.Ack] = ackLevel;
        return TextAnswer.WriteAsync(context, "application/json", text.Written);
    }

    private static void AddPosition(ref ValueText text, MessagePosition position)
    {
        text.Add("\"partition\":"u8);
        text.AddNumber(position.Partition);
        text.Add(",\"offset\":"u8);
        text.AddNumber(position.Offset);
    }
}
