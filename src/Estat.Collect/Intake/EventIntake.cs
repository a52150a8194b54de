// The one way of events into the node, whichever door they came through.
using Estat.Base.Access;
using Estat.Base.Acks;
using Estat.Collect.Batching;
using Estat.Collect.Tailing;
using Estat.Http.Access;
using Estat.Http.Bodies;
using Estat.Http.Intake;
using Microsoft.Extensions.Primitives;

namespace Estat.Collect.Intake;

/// <summary>
/// The rules for a request with events, in the order in which a door calls them:
/// <list type="number">
/// <item><see cref="PageOf"/> and <see cref="Begin"/>: which page may read the answer; it is counted.</item>
/// <item><see cref="Enter"/>: whose write key; may they send; does the node take events; ack level, lengths.</item>
/// <item>The door reads the body. <see cref="IsPlain"/> and <see cref="RefuseEncoding"/> say how.</item>
/// <item><see cref="Accept{TRequest}(TRequest, Entry, ReadOnlySpan{byte}, long, out Taken)"/>: size, rates and quotas, then a partition.</item>
/// <item>The door lets go of the body.</item>
/// <item><see cref="AnswerAsync"/>: waits for the ack level, then has the door answer.</item>
/// <item><see cref="End"/>, whatever became of it.</item>
/// </list>
/// A step that returns a <see cref="Refusal"/> is the last but for <see cref="End"/>: the door writes it. Rules read requests by
/// <see cref="IRequestView"/> alone. Any thread; nothing here allocates for an event but what waits for its ack.
/// </summary>
/// <param name="gate">Begin, who, may they.</param>
/// <param name="head">What else a head says.</param>
/// <param name="ingest">Who keeps events.</param>
/// <param name="envelope">What a line says beside the body.</param>
/// <param name="refusals">Why not.</param>
/// <param name="timer">Times a sample of the acks.</param>
/// <param name="tail">Who watches what is accepted.</param>
internal sealed class EventIntake(
    RequestGate gate, HeadRules head, IIngest ingest, Envelope envelope, CollectRefusals refusals, AckTimer timer, TailHub tail)
{
    private static readonly StringValues[] LevelNames = [.. AckLevels.All.Select(level => new StringValues(level.ToText()))];

    /// <summary>The answers to what a door finds wrong itself.</summary>
    internal CollectRefusals Refusals => refusals;

    /// <inheritdoc cref="WriteAccess.HasKeys"/>
    internal bool HasKeys => gate.HasKeys;

    /// <inheritdoc cref="RequestGate.PageOf"/>
    internal PageAnswer PageOf<TRequest>(TRequest request)
        where TRequest : struct, IRequestView => gate.PageOf(request);

    /// <inheritdoc cref="RequestGate.Begin"/>
    internal long Begin() => gate.Begin();

    /// <inheritdoc cref="RequestGate.End"/>
    internal void End() => gate.End();

    /// <inheritdoc cref="AckTimer.Start"/>
    internal long StartTimer(long ordinal) => timer.Start(ordinal);

    /// <summary>All that can be decided before the body is read.</summary>
    /// <param name="request">The request.</param>
    /// <param name="isBatch">Whether it may bring many events.</param>
    /// <param name="entry">What is known of it; its page also when it is refused.</param>
    /// <returns>401, 403, 429, 503, 413, 501 or 400, in this order; null when the body may be read.</returns>
    internal Refusal? Enter<TRequest>(TRequest request, bool isBatch, out Entry entry)
        where TRequest : struct, IRequestView
    {
        AckLevel level = default;
        Refusal? refusal = gate.RefuseUnread(request, out Sender? sender, out PageAnswer page)
            ?? head.RefuseUnread(request, isBatch, sender?.Prefix, out level);
        entry = new Entry(sender, level, page);
        return refusal;
    }

    /// <summary>Whether the bytes of a body are the event as it is kept. A door that cannot undo codings takes no other.</summary>
    internal static bool IsPlain<TRequest>(TRequest request)
        where TRequest : struct, IRequestView => request.ContentEncoding.Count == 0 && !Charset.IsForeign(request.ContentType);

    /// <summary>How a body is coded.</summary>
    /// <param name="request">The request.</param>
    /// <param name="coding">Its coding.</param>
    /// <returns>415 if nothing here undoes it.</returns>
    internal Refusal? RefuseEncoding<TRequest>(TRequest request, out Coding coding)
        where TRequest : struct, IRequestView
    {
        coding = ContentCoding.Of(request.ContentEncoding);
        return coding == Coding.Unknown ? refusals.Encoding : null;
    }

    /// <summary>Takes a body as one event. It is read before this returns, so that the door may let go of it.</summary>
    /// <param name="request">The request.</param>
    /// <param name="entry">What <see cref="Enter"/> found.</param>
    /// <param name="body">The body, decoded.</param>
    /// <param name="started">When its ack began to be timed (<see cref="StartTimer"/>); 0 if it is not timed.</param>
    /// <param name="taken">To be answered.</param>
    /// <returns>400, 413 or 429; null when a partition was asked.</returns>
    internal Refusal? Accept<TRequest>(TRequest request, Entry entry, ReadOnlySpan<byte> body, long started, out Taken taken)
        where TRequest : struct, IRequestView
    {
        Charge charge = default;
        Refusal? refusal = body.IsEmpty ? refusals.Empty
            : body.Length > head.LargestEvent ? refusals.EventTooLarge
            : gate.RefuseOver(request, entry.Sender, 1, out charge);
        if (refusal is not null)
        {
            taken = default;
            return refusal;
        }

        try
        {
            string? prefix = entry.Sender?.Prefix;
            byte[]? watched = tail.IsWatched && tail.Chooses() ? TailHub.CopyOf(envelope.Of(request, prefix), body) : null;
            ValueTask<Ack> accepting = ingest.AcceptAsync(envelope.Of(request, prefix), body, entry.Level);
            taken = new Taken(accepting, charge, entry.Level, started, watched is null ? null : [watched]);
            return null;
        }
        catch
        {
            charge.OnAnswered(isAccepted: false);
            throw;
        }
    }

    /// <summary>An empty block for the events of a batch.</summary>
    internal LineBlock NewBlock(Entry entry) => ingest.NewBlock(entry.Sender?.Prefix);

    /// <summary>Adds an event to a block of the same request.</summary>
    internal void Add<TRequest>(TRequest request, LineBlock block, ReadOnlySpan<byte> line)
        where TRequest : struct, IRequestView => block.Add(envelope.Of(request, prefix: null), line); // the block has the prefix

    /// <summary>Takes all events of a block, or none. The block is read before this returns, so that the door may let go of it.</summary>
    /// <param name="request">The request.</param>
    /// <param name="entry">What <see cref="Enter"/> found.</param>
    /// <param name="block">At least one event.</param>
    /// <param name="taken">To be answered.</param>
    /// <returns>429; null when a partition was asked.</returns>
    internal Refusal? Accept<TRequest>(TRequest request, Entry entry, LineBlock block, out Taken taken)
        where TRequest : struct, IRequestView
    {
        if (gate.RefuseOver(request, entry.Sender, block.Events, out Charge charge) is { } refusal)
        {
            taken = default;
            return refusal;
        }

        try
        {
            IReadOnlyList<byte[]>? watched = tail.IsWatched ? tail.TryCopy(block) : null;
            taken = new Taken(ingest.AcceptAsync(block, entry.Level), charge, entry.Level, started: 0, watched);
            return null;
        }
        catch
        {
            charge.OnAnswered(isAccepted: false);
            throw;
        }
    }

    /// <summary>Has the door answer, once the ack level is reached or cannot be.</summary>
    /// <exception cref="Exception">Whatever kept the events from being kept; nothing was answered.</exception>
    internal Task AnswerAsync<TAnswer>(TAnswer answer, in Taken taken)
        where TAnswer : struct, IEventAnswer
    {
        ValueTask<Ack> accepting = AckOf(taken);
        return accepting.IsCompletedSuccessfully ? EndAsync(answer, accepting.Result, taken.Charge, taken.Level, taken.Started)
            : AwaitAsync(answer, accepting, taken.Charge, taken.Level, taken.Started);
    }

    /// <summary>Completes once the ack level is reached or cannot be; for a door that waits itself and then calls <see cref="Settle"/>, or
    /// <see cref="Fail"/> if this faults.</summary>
    internal ValueTask<Ack> AckOf(in Taken taken) => taken.Watched is { } watched ? ShowAsync(taken.Accepting, watched) : taken.Accepting;

    /// <summary>Says what becomes of events.</summary>
    /// <param name="ack">What became of them.</param>
    /// <param name="charge">What they took out of limits.</param>
    /// <param name="level">The level that was asked for.</param>
    /// <param name="acknowledgement">The answer, when they were taken.</param>
    /// <returns>The answer when they were not; else null.</returns>
    internal Refusal? Settle(Ack ack, Charge charge, AckLevel level, out Acknowledgement acknowledgement)
    {
        charge.OnAnswered(ack.IsAccepted);
        acknowledgement = ack.IsAccepted ? new Acknowledgement(LevelNames[(int)ack.Level], ack.Key, ack.Level < level) : default;
        return ack.IsAccepted ? null : refusals.Of(ack.Admission);
    }

    /// <summary>The ack faulted: nothing is known of the events.</summary>
    internal static void Fail(Charge charge) => charge.OnAnswered(isAccepted: false);

    /// <inheritdoc cref="AckTimer.OnAcknowledged"/>
    internal void StopTimer(long started) => timer.OnAcknowledged(started);

    private async Task AwaitAsync<TAnswer>(TAnswer answer, ValueTask<Ack> accepting, Charge charge, AckLevel level, long started)
        where TAnswer : struct, IEventAnswer
    {
        Ack ack;
        try
        {
            ack = await accepting.ConfigureAwait(false);
        }
        catch
        {
            Fail(charge);
            throw;
        }

        await EndAsync(answer, ack, charge, level, started).ConfigureAwait(false);
    }

    // Apart from the usual way, so that it carries nothing for it: some hundred events a second, while somebody watches the tail.
    private async ValueTask<Ack> ShowAsync(ValueTask<Ack> accepting, IReadOnlyList<byte[]> watched)
    {
        Ack ack = await accepting.ConfigureAwait(false);
        if (ack.IsAccepted)
        {
            foreach (byte[] line in watched)
            {
                tail.Offer(line);
            }
        }

        return ack;
    }

    private Task EndAsync<TAnswer>(TAnswer answer, Ack ack, Charge charge, AckLevel level, long started)
        where TAnswer : struct, IEventAnswer
    {
        if (Settle(ack, charge, level, out Acknowledgement acknowledgement) is { } refusal)
        {
            return answer.RefuseAsync(refusal);
        }

        Task answering = answer.AcknowledgeAsync(acknowledgement);
        timer.OnAcknowledged(started);
        return answering;
    }
}
