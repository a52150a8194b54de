// GET /admin/dead-letters, and what the operator does with them: one by one, or many.
using System.Globalization;
using System.Text;
using System.Text.Json;
using Estat.Topics.Hosting;
using Estat.Topics.Sink;
using Microsoft.AspNetCore.Http;
using Npgsql;

namespace Estat.Topics.Http;

/// <summary>Each of them is resolved in a transaction of its own, and resolving it again changes nothing.</summary>
/// <param name="engine">Its desk.</param>
/// <param name="bodies">How orders are read.</param>
/// <param name="logger">Where orders are told.</param>
internal sealed partial class AdminDeadLetters(TopicsEngine engine, OrderBodies bodies, ILogger logger)
{
    private const int Usual = 100;
    private static readonly string[] Kinds = ["", "message", "typed", "held"];

    /// <summary>Lists them, the newest first.</summary>
    internal async Task ListAsync(HttpContext context)
    {
        var parameters = new QueryParameters(context, "topic", "kind", "reason", "state", "limit", "cursor");
        int kind = parameters.Choice("kind", Kinds);
        string state = new[] { "open", "replayed", "discarded", "all" }[parameters.Choice("state", "open", "replayed", "discarded", "all")];
        int limit = (int)(parameters.Number("limit", 1, DeadLetters.MostListed) ?? Usual);
        var filter = new DeadLetterFilter(
            parameters.Text("topic"), KindOf(kind), state == "all" ? null : state, parameters.Number("cursor", 1, long.MaxValue),
            parameters.Text("reason"));
        if (parameters.Fault is { } fault)
        {
            throw OrderBodies.Invalid(fault);
        }

        IReadOnlyList<StoredDeadLetter> letters = await Letters().ListAsync(filter, limit, context.RequestAborted).ConfigureAwait(false);
        await AdminTopicPages.AnswerAsync(context, json =>
        {
            json.WriteStartArray("deadLetters");
            foreach (StoredDeadLetter letter in letters)
            {
                DeadLetterJson.Write(json, letter, withValue: false);
            }

            json.WriteEndArray();
            json.WriteString("cursor", CursorOf(letters, limit));
        }).ConfigureAwait(false);
    }

    /// <summary>Shows one with its value.</summary>
    internal async Task ShowAsync(HttpContext context, string number)
    {
        StoredDeadLetter letter = await Letters().FindAsync(NumberOf(number), context.RequestAborted).ConfigureAwait(false) ?? throw NotFound();
        await AdminTopicPages.AnswerAsync(context, json =>
        {
            json.WritePropertyName("deadLetter");
            DeadLetterJson.Write(json, letter, withValue: true);
        }).ConfigureAwait(false);
    }

    /// <summary>Stores one, mended or as it is.</summary>
    internal async Task ReplayAsync(HttpContext context, string number)
    {
        JsonElement order = await bodies.ReadAsync(context, "value").ConfigureAwait(false);
        ReadOnlyMemory<byte>? value = order.TryGetProperty("value", out JsonElement mended)
            ? Encoding.UTF8.GetBytes(mended.GetRawText()) : default(ReadOnlyMemory<byte>?);
        if (value?.Length > engine.Options.MaxMessageBytes)
        {
            throw new OrderRefusedException(
                StatusCodes.Status413PayloadTooLarge, $"A value may have {engine.Options.MaxMessageBytes} bytes (TOPICS_MAX_MESSAGE_BYTES).");
        }

        long which = NumberOf(number);
        await AnswerAsync(context, which, await Letters().ReplayAsync(which, value, CancellationToken.None).ConfigureAwait(false), isReplay: true)
            .ConfigureAwait(false);
    }

    /// <summary>Gives one up.</summary>
    internal async Task DiscardAsync(HttpContext context, string number)
    {
        await bodies.ReadAsync(context).ConfigureAwait(false);
        long which = NumberOf(number);
        await AnswerAsync(context, which, await Letters().DiscardAsync(which, CancellationToken.None).ConfigureAwait(false), isReplay: false)
            .ConfigureAwait(false);
    }

    /// <summary>Resolves many that are open, the newest page first, or says which it would be. The answer's <c>cursor</c> goes on.</summary>
    internal async Task ManyAsync(HttpContext context, bool isReplay)
    {
        JsonElement order = await bodies.ReadAsync(context, "topic", "kind", "reason", "limit", "cursor", "dryRun").ConfigureAwait(false);
        bool isDryRun = OrderBodies.Flag(order, "dryRun", otherwise: true);
        int limit = (int)(OrderBodies.Number(order, "limit", 1, DeadLetters.MostListed) ?? Usual);
        string? kind = OrderBodies.Text(order, "kind");
        if (kind is not null && Array.IndexOf(Kinds, kind) < 1)
        {
            throw OrderBodies.Invalid("kind must be message, typed or held.");
        }

        var filter = new DeadLetterFilter(
            OrderBodies.Text(order, "topic"), kind is null ? null : DeadLetter.KindOf(kind),
            Below: OrderBodies.Number(order, "cursor", 1, long.MaxValue),
            Reason: OrderBodies.Text(order, "reason"));
        IReadOnlyList<StoredDeadLetter> letters = await Letters().ListAsync(filter, limit, context.RequestAborted).ConfigureAwait(false);
        var outcome = new Outcome();
        if (!isDryRun)
        {
            await ResolveAsync(letters, isReplay, outcome, context.RequestAborted).ConfigureAwait(false);
        }

        await AdminTopicPages.AnswerAsync(context, json => Write(json, letters, outcome, isDryRun, CursorOf(letters, limit))).ConfigureAwait(false);
    }

    // The oldest first, as what is held waits behind older ones.
    private async Task ResolveAsync(IReadOnlyList<StoredDeadLetter> letters, bool isReplay, Outcome outcome, CancellationToken cancellationToken)
    {
        try
        {
            foreach (StoredDeadLetter letter in letters.Reverse())
            {
                cancellationToken.ThrowIfCancellationRequested();
                DeadLetterResult result = await (isReplay ? Letters().ReplayAsync(letter.Number, null, CancellationToken.None)
                    : Letters().DiscardAsync(letter.Number, CancellationToken.None)).ConfigureAwait(false);
                outcome.Add(letter.Number, result, isReplay);
            }
        }
        finally
        {
            LogMany(logger, isReplay ? "replayed" : "discarded", outcome.Done, outcome.Refused.Count);
            await RefreshAsync().ConfigureAwait(false);
        }
    }

    private static void Write(Utf8JsonWriter json, IReadOnlyList<StoredDeadLetter> letters, Outcome outcome, bool isDryRun, string? cursor)
    {
        json.WriteBoolean("dryRun", isDryRun);
        json.WriteNumber("found", letters.Count);
        json.WriteNumber("done", outcome.Done);
        json.WriteNumber("released", outcome.Released);
        json.WriteStartArray("numbers");
        foreach (StoredDeadLetter letter in letters)
        {
            json.WriteNumberValue(letter.Number);
        }

        json.WriteEndArray();
        json.WriteStartArray("refused");
        foreach ((long number, string why) in outcome.Refused)
        {
            json.WriteStartObject();
            json.WriteNumber("number", number);
            json.WriteString("why", why);
            json.WriteEndObject();
        }

        json.WriteEndArray();
        json.WriteString("cursor", cursor);
    }

    private async Task AnswerAsync(HttpContext context, long number, DeadLetterResult result, bool isReplay)
    {
        if (result.Outcome == DeadLetterOutcome.NotFound)
        {
            throw NotFound();
        }

        if (WhyNot(result, isReplay) is { } why)
        {
            throw new OrderRefusedException(StatusCodes.Status409Conflict, why);
        }

        LogOne(logger, isReplay ? "replayed" : "discarded", number, result.Released);
        await RefreshAsync().ConfigureAwait(false);
        await AdminTopicPages.AnswerAsync(context, json =>
        {
            json.WriteNumber("number", number);
            json.WriteString("state", isReplay ? "replayed" : "discarded");
            json.WriteNumber("released", result.Released);
        }).ConfigureAwait(false);
    }

    // Null: it is as it was ordered, now or since before.
    private static string? WhyNot(DeadLetterResult result, bool isReplay) => result.Outcome switch
    {
        DeadLetterOutcome.WasDiscarded when isReplay => "It was discarded before, and cannot be replayed any more.",
        DeadLetterOutcome.WasReplayed when !isReplay => "It was replayed before: it is stored, and cannot be discarded any more.",
        DeadLetterOutcome.Behind => "It waits behind an older dead letter of its key. Replay or discard that one first; this one goes with it.",
        DeadLetterOutcome.Refused => $"It cannot be stored like this ({result.Why!.Code}): {result.Why.Detail.TrimEnd('.')}. Send a mended value, or "
            + "discard it.",
        DeadLetterOutcome.NotFound => "It is gone.",
        _ => null,
    };

    private DeadLetters Letters() => AdminTopicPages.DeskOf(engine).Letters;

    // So that what the operator looks at next is true; the order is carried out even if this is not.
    private async Task RefreshAsync()
    {
        try
        {
            await AdminTopicPages.DeskOf(engine).Ledger.RefreshAsync(CancellationToken.None).ConfigureAwait(false);
        }
        catch (Exception error) when (error is NpgsqlException or IOException or TimeoutException)
        {
            // It is read again in a few seconds.
        }
    }

    private static OrderRefusedException NotFound() =>
        new(StatusCodes.Status404NotFound, "There is no dead letter of this number. GET /admin/dead-letters lists them.");

    private static long NumberOf(string text) =>
        long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out long number) ? number : throw NotFound();

    private static DeadLetterKind? KindOf(int choice) => choice == 0 ? null : DeadLetter.KindOf(Kinds[choice]);

    private static string? CursorOf(IReadOnlyList<StoredDeadLetter> letters, int limit) =>
        letters.Count < limit ? null : letters[^1].Number.ToString(CultureInfo.InvariantCulture);

    [LoggerMessage(Level = LogLevel.Information, Message = "The operator {Did} dead letter {Number}; {Released} messages behind it were stored")]
    private static partial void LogOne(ILogger logger, string did, long number, long released);

    [LoggerMessage(Level = LogLevel.Information, Message = "The operator {Did} {Count} dead letters; {Refused} were refused")]
    private static partial void LogMany(ILogger logger, string did, int count, int refused);

    // What came of many.
    private sealed class Outcome
    {
        internal int Done { get; private set; }

        internal long Released { get; private set; }

        internal List<(long Number, string Why)> Refused { get; } = [];

        internal void Add(long number, DeadLetterResult result, bool isReplay)
        {
            if (WhyNot(result, isReplay) is { } why)
            {
                Refused.Add((number, why));
                return;
            }

            Done++;
            Released += result.Released;
        }
    }
}
