// Takes the submissions of one campaign: a sequence for each, then its request and its entry in the order log.
using Estat.Requests.Aws.Campaigns;
using Estat.Requests.Aws.Deciding;
using Estat.Requests.Aws.Dynamo;
using Estat.Requests.Aws.Items;
using Estat.Requests.Campaigns;
using Estat.Requests.Storing;

namespace Estat.Requests.Aws.Accepting;

/// <summary>
/// Submissions that come while sequences are asked for share the next asking. It is sent after they have come: whoever was answered before another
/// one came has the lower sequence. Sequences are given only while the campaign is open, and to nodes that know its window. Any thread.
/// </summary>
/// <param name="table">The table.</param>
/// <param name="book">Campaigns.</param>
/// <param name="state">The campaign.</param>
/// <param name="room">Bounds what is under way, for all campaigns.</param>
/// <param name="writes">Transactions at once, for all campaigns.</param>
/// <param name="time">The clock.</param>
/// <param name="logger">Where an error of Estat is told.</param>
internal sealed partial class CampaignAcceptor(
    DynamoTable table, CampaignBook book, CampaignState state, AcceptanceRoom room, SemaphoreSlim writes, TimeProvider time, ILogger logger)
{
    // Submissions that share one asking.
    private const int Most = 500;

    // Room that one campaign takes at once, of all.
    private const int MostSlots = 32;

    // A window that changes, or a sequence that was sealed before its request came: both are rare.
    private const int Tries = 5;

    private readonly Lock _gate = new();
    private readonly Dictionary<RequestId, Pending> _under = [];
    private List<Pending> _waiting = [];
    private bool _isRunning;

    /// <summary>Takes a submission.</summary>
    internal async ValueTask<Acceptance> AcceptAsync(Submission submission)
    {
        Pending? pending;
        bool isFirst = false;
        bool begins = false;
        lock (_gate)
        {
            if (!_under.TryGetValue(submission.Id, out pending))
            {
                if (room.TryEnter(submission) is { } refusal)
                {
                    return new Acceptance(refusal);
                }

                _under.Add(submission.Id, pending = new Pending(submission));
                _waiting.Add(pending);
                isFirst = true;
                begins = !_isRunning;
                _isRunning = true;
            }
        }

        if (begins)
        {
            _ = Task.Run(RunAsync);
        }

        Acceptance acceptance = await pending.Done.Task.ConfigureAwait(false);
        return isFirst || acceptance.Outcome != AcceptanceOutcome.Accepted ? acceptance
            : acceptance with { Outcome = AcceptanceOutcome.Known }; // the same user, twice at once
    }

    private async Task RunAsync()
    {
        while (true)
        {
            List<Pending> some;
            lock (_gate)
            {
                if (_waiting.Count == 0)
                {
                    _isRunning = false;
                    return;
                }

                some = _waiting.Count <= Most ? _waiting : _waiting[..Most];
                _waiting = _waiting.Count <= Most ? [] : _waiting[Most..];
            }

            try
            {
                List<Pending> fresh = await WithoutKnownAsync(some).ConfigureAwait(false);
                while (fresh.Count > 0)
                {
                    fresh = await TakeSomeAsync(fresh).ConfigureAwait(false);
                }
            }
            catch (Exception error)
            {
                Fail(some, error);
            }
        }
    }

    // Room to write first, then sequences for as many as have it: a sequence that waits long for its request is given up. While this campaign waits
    // for room, others have their turn. Returns those that are left.
    private async Task<List<Pending>> TakeSomeAsync(List<Pending> fresh)
    {
        await writes.WaitAsync().ConfigureAwait(false);
        int slots = 1;
        while (slots < fresh.Count && slots < MostSlots && writes.Wait(0))
        {
            slots++;
        }

        int begun = 0;
        try
        {
            begun = await TakeAsync(fresh, slots).ConfigureAwait(false);
        }
        catch (Exception error)
        {
            Fail(fresh, error); // not those of before: they are being written
        }
        finally
        {
            if (begun < slots)
            {
                writes.Release(slots - begun);
            }
        }

        return begun == 0 ? [] : fresh[begun..];
    }

    // None of these was written: at worst sequences were given that nobody uses.
    private void Fail(List<Pending> some, Exception error)
    {
        foreach (Pending pending in some)
        {
            if (error is not StoreException)
            {
                pending.Done.TrySetException(error);
            }

            End(pending, new Acceptance(AcceptanceOutcome.NotTaken));
        }
    }

    // How many have their sequence, and are being written. None: all were answered.
    private async Task<int> TakeAsync(List<Pending> fresh, int slots)
    {
        for (int i = 0; i < Tries; i++)
        {
            AcceptanceOutcome? refusal = state.Campaign.WindowAt(time.GetUtcNow()) switch
            {
                CampaignWindow.NotYet => AcceptanceOutcome.NotYet,
                CampaignWindow.Closed => AcceptanceOutcome.Closed,
                _ => null,
            };
            if (refusal is { } why)
            {
                fresh.ForEach(pending => End(pending, new Acceptance(why)));
                return 0;
            }

            if (await table.UpdateAsync(SequenceItem.Take(state.Id, slots, state.Sequence.Window)).ConfigureAwait(false) is { } item)
            {
                SequenceItem sequence = SequenceItem.Read(item);
                state.See(sequence);
                for (int n = 0; n < slots; n++)
                {
                    _ = WriteAsync(fresh[n], sequence.Last - slots + 1 + n);
                }

                return slots;
            }

            // Closed, or its window has moved: what this node knew of it was old.
            await book.RefreshAsync(state.Id).ConfigureAwait(false);
            if (!state.Sequence.IsOpen)
            {
                fresh.ForEach(pending => End(pending, new Acceptance(AcceptanceOutcome.Closed)));
                return 0;
            }
        }

        fresh.ForEach(pending => End(pending, new Acceptance(AcceptanceOutcome.NotTaken)));
        return 0;
    }

    // A known user costs no sequence.
    private async Task<List<Pending>> WithoutKnownAsync(List<Pending> some)
    {
        Dictionary<ItemKey, Item> known = await table.GetManyAsync(
            some.Select(pending => Keys.Request(pending.Submission.Id)), RequestItem.WithoutBody).ConfigureAwait(false);
        var fresh = new List<Pending>();
        foreach (Pending pending in some)
        {
            if (known.GetValueOrDefault(Keys.Request(pending.Submission.Id)) is { } item)
            {
                End(pending, new Acceptance(AcceptanceOutcome.Known, RequestItem.Read(item).Shown));
            }
            else
            {
                fresh.Add(pending);
            }
        }

        return fresh;
    }

    // The request under its sequence; under another one, if that was sealed; or the request that the user has.
    private async Task WriteAsync(Pending pending, long sequence)
    {
        Acceptance acceptance = new(AcceptanceOutcome.NotTaken);
        try
        {
            for (int i = 0; i < Tries; i++)
            {
                Submission submission = pending.Submission;
                RequestRecord request = RequestMachine.Accept(
                    submission.Id, state.Campaign.Ordinal, sequence, submission.User, time.GetUtcNow().ToUnixTimeMilliseconds());
                IReadOnlyList<bool>? held = await table.TransactAsync(
                    [Change.Put(RequestItem.New(request, submission.Body)).IfNew(), OrderLog.Enter(state.Id, sequence, submission.Id)])
                    .ConfigureAwait(false);
                if (held is null)
                {
                    acceptance = new Acceptance(AcceptanceOutcome.Accepted, request);
                    return;
                }

                if (!held[0])
                {
                    acceptance = await KnownAsync(submission.Id, sequence).ConfigureAwait(false);
                    return;
                }

                if (await table.UpdateAsync(SequenceItem.Take(state.Id, 1, state.Sequence.Window)).ConfigureAwait(false) is not { } item)
                {
                    await book.RefreshAsync(state.Id).ConfigureAwait(false);
                    acceptance = new Acceptance(state.Sequence.IsOpen ? AcceptanceOutcome.NotTaken : AcceptanceOutcome.Closed);
                    return;
                }

                state.See(SequenceItem.Read(item));
                sequence = SequenceItem.Read(item).Last;
            }
        }
        catch (StoreException error)
        {
            acceptance = error.IsUnknown ? await FindOutAsync(pending.Submission.Id, sequence).ConfigureAwait(false)
                : new Acceptance(AcceptanceOutcome.NotTaken);
        }
        catch (Exception error)
        {
            LogBroken(logger, error, state.Id);
            acceptance = new Acceptance(AcceptanceOutcome.Unknown);
        }
        finally
        {
            End(pending, acceptance);
            writes.Release();
        }
    }

    // Another one was first, or an attempt of this one whose answer was lost. A sequence that nobody uses holds up no one.
    private async Task<Acceptance> KnownAsync(RequestId id, long sequence)
    {
        Acceptance acceptance = await FindOutAsync(id, sequence).ConfigureAwait(false);
        if (acceptance.Outcome == AcceptanceOutcome.Known)
        {
            try
            {
                await new OrderLog(table, state).SealAsync([sequence]).ConfigureAwait(false);
            }
            catch (StoreException)
            {
                // The decider seals it, a little later.
            }
        }

        return acceptance;
    }

    // No attempt was answered. If it is there it is there; if not, an attempt may still be under way.
    private async Task<Acceptance> FindOutAsync(RequestId id, long sequence)
    {
        try
        {
            return await table.GetAsync(Keys.Request(id)).ConfigureAwait(false) is { } item && RequestItem.Read(item).Shown is var request
                ? new Acceptance(request.Sequence == sequence ? AcceptanceOutcome.Accepted : AcceptanceOutcome.Known, request)
                : new Acceptance(AcceptanceOutcome.Unknown);
        }
        catch (StoreException)
        {
            return new Acceptance(AcceptanceOutcome.Unknown);
        }
    }

    private void End(Pending pending, Acceptance acceptance)
    {
        bool isFirst;
        lock (_gate)
        {
            isFirst = _under.TryGetValue(pending.Submission.Id, out Pending? known) && known == pending && _under.Remove(pending.Submission.Id);
        }

        if (isFirst)
        {
            room.Leave(pending.Submission);
            pending.Done.TrySetResult(acceptance);
        }
    }

    [LoggerMessage(Level = LogLevel.Error, Message = "Campaign {Campaign}: a request was not written, or perhaps it was: an error of Estat. "
        + "Its user was told to send it again. Please report it")]
    private static partial void LogBroken(ILogger logger, Exception error, string campaign);

    private sealed class Pending(Submission submission)
    {
        internal Submission Submission => submission;

        internal TaskCompletionSource<Acceptance> Done { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }
}
