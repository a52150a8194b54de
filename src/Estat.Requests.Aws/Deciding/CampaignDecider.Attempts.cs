// The same decider: attempts of webhooks, which begin, end and lose their leases in its turns.
using System.Text;
using Estat.Requests.Aws.Items;
using Estat.Requests.Campaigns;
using Estat.Requests.Deciding;
using Estat.Requests.Storing;

namespace Estat.Requests.Aws.Deciding;

internal sealed partial class CampaignDecider
{
    private void AddEndings(DecidingTurn turn, List<Action> after)
    {
        int waiting = _endings.Count;
        while (waiting-- > 0 && turn.HasRoom && _endings.TryDequeue(out Ending? ending))
        {
            RequestRecord begun = ending.Attempt.Request;
            bool isThere = _open.TryGetValue(begun.Sequence, out StoredRequest? request) && request.Record.Id == begun.Id
                && !turn.Moved.Exists(moved => moved.Id == begun.Id);
            RequestRecord? next = isThere ? RequestMachine.EndAttempt(
                request!.Record, begun.Generation, begun.Fence, Fitting(ending.Result, request.BodyLength), _options.MaxAttempts, Now) : null;
            if (next is not null)
            {
                turn.Move(request!, next, _inbox.Contains(begun.Id));
            }

            after.Add(() => Answer(ending, next));
        }
    }

    // An item has 400 KB. What was decided counts; what the endpoint said besides is left out if there is no room for it.
    private static AttemptResult Fitting(AttemptResult result, int bodyLength) =>
        result.Result is { } text && bodyLength + Encoding.UTF8.GetByteCount(text) > MostInItem
            ? result with { Result = null, Failure = "The endpoint's result is too long to be kept beside the body, so it was left out." }
            : result;

    // A step that was not taken is tried again, from what the table says then.
    private void Answer(Ending ending, RequestRecord? next)
    {
        if (next is null)
        {
            ending.Source.TrySetResult(false);
        }
        else if (_open.TryGetValue(next.Sequence, out StoredRequest? now) && now.Record.Fence == ending.Attempt.Request.Fence
            && now.Record.State == RequestState.Processing)
        {
            _endings.Enqueue(ending);
        }
        else
        {
            ending.Source.TrySetResult(true);
        }
    }

    private void AddLostLeases(DecidingTurn turn)
    {
        long now = Now;
        foreach (StoredRequest request in _open.Values)
        {
            RequestRecord record = request.Record;
            if (turn.HasRoom && record.State == RequestState.Processing && record.Due <= now && !turn.Moved.Exists(moved => moved.Id == record.Id)
                && (_begunHere.Contains(record.Id) ? RequestMachine.LoseLease(record, _options.MaxAttempts, Backoffs.After(record.Attempts + 1), now)
                    : RequestMachine.Requeue(record, now)) is { } next) // its node is gone, which is not the endpoint's fault
            {
                turn.Move(request, next, _inbox.Contains(record.Id));
            }
        }
    }

    // First those that wait for another attempt, then those that had none, in order.
    private async Task AddBeginningsAsync(DecidingTurn turn, List<Action> after, CancellationToken cancellationToken)
    {
        int waiting = _beginnings.Count;
        while (waiting-- > 0 && turn.HasRoom && _beginnings.TryDequeue(out Beginning? beginning))
        {
            var begun = new List<Attempt>();
            after.Add(() => AnswerBegun(beginning, begun));
            long now = Now;
            RequestId[] again = [.. _open.Values.Where(request => request.Record.State == RequestState.Queued && request.Record.Due <= now)
                .Select(request => request.Record.Id).Except(turn.Moved.Select(moved => moved.Id)).Take(beginning.Most)];
            LogEntry[] first = [.. _ahead.Behind(turn.Next.Decided).Take(beginning.Most - again.Length)];
            List<StoredRequest> requests = await ReadAsync(
                [.. again, .. first.Select(entry => entry.Id)], cancellationToken, withBodies: true).ConfigureAwait(false);
            foreach (StoredRequest request in requests)
            {
                if (!turn.HasRoom)
                {
                    break;
                }

                RequestRecord record = request.Record;
                turn.Next = turn.Next with { Decided = Math.Max(turn.Next.Decided, record.Sequence) };
                if (turn.Moved.Exists(moved => moved.Id == record.Id))
                {
                    continue; // taken back, which the inbox said
                }

                if (request.WithdrawnAt > 0 && RequestMachine.Withdraw(record, request.WithdrawnAt) is { } withdrawn)
                {
                    turn.Move(request, withdrawn, isInInbox: true);
                }
                else if (RequestMachine.Begin(record, beginning.Lease, now) is { } next)
                {
                    turn.Move(request, next, _inbox.Contains(record.Id));
                    _begunHere.Add(record.Id);
                    begun.Add(new Attempt(next, request.Body));
                }
                else if (!record.State.IsFinal())
                {
                    _open[record.Sequence] = request; // of a table that was restored: it waits for its time, or for its lease
                }
            }
        }
    }

    private void AnswerBegun(Beginning beginning, List<Attempt> begun) => beginning.Source.TrySetResult(
        [.. begun.Where(attempt => _open.TryGetValue(attempt.Request.Sequence, out StoredRequest? request)
            && request.Record.Fence == attempt.Request.Fence && request.Record.State == RequestState.Processing)]);

    private void AnswerBeginnings()
    {
        while (_beginnings.TryDequeue(out Beginning? beginning))
        {
            beginning.Source.TrySetResult([]);
        }
    }

    private void FailAll()
    {
        AnswerBeginnings();
        while (_endings.TryDequeue(out Ending? ending))
        {
            ending.Source.TrySetResult(false);
        }
    }

    // What was asked for while it ended.
    private Task<T> IsStillOn<T>(Task<T> done)
    {
        if (_isOver)
        {
            FailAll();
        }

        return done;
    }

    private sealed class Beginning(int most, TimeSpan lease)
    {
        internal int Most => most;

        internal TimeSpan Lease => lease;

        internal TaskCompletionSource<IReadOnlyList<Attempt>> Source { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        internal Task<IReadOnlyList<Attempt>> Done => Source.Task;
    }

    private sealed class Ending(Attempt attempt, AttemptResult result)
    {
        internal Attempt Attempt => attempt;

        internal AttemptResult Result => result;

        internal TaskCompletionSource<bool> Source { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        internal Task<bool> Done => Source.Task;
    }
}
