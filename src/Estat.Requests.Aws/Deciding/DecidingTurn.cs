// One transaction of a campaign's decider, while it is put together.
using System.Text;
using Estat.Requests.Aws.Dynamo;
using Estat.Requests.Aws.Items;
using Estat.Requests.Campaigns;

namespace Estat.Requests.Aws.Deciding;

/// <summary>Steps of requests and the decider's progress: all of it, or nothing, becomes true.</summary>
/// <param name="campaign">The campaign's id.</param>
/// <param name="before">The progress that it begins from.</param>
/// <param name="pendingBefore">Whether outcomes waited for the lake before it.</param>
internal sealed class DecidingTurn(string campaign, ProgressItem before, bool pendingBefore)
{
    private readonly ProgressItem _before = before;
    // The progress, and at most four writes for a request.
    private const int ForOne = 4;

    // DynamoDB takes 4 MB in a transaction, counts items as they are and as they become, and a request's item has 400 KB at most.
    private const long MostBytes = 3_000_000;
    private const int Besides = 1_500;

    private readonly List<Change> _changes = [];
    private long _bytes;

    /// <summary>The progress as it will be.</summary>
    internal ProgressItem Next { get; set; } = before;

    /// <summary>The requests as they will be.</summary>
    internal List<RequestRecord> Moved { get; } = [];

    /// <summary>Whether another request's step has room.</summary>
    internal bool HasRoom => 1 + _changes.Count + ForOne <= DynamoTable.MostWrites && _bytes < MostBytes;

    /// <summary>How long the bodies of moved requests are.</summary>
    internal Dictionary<RequestId, int> BodyLengths { get; } = [];

    /// <summary>Whether it would change anything.</summary>
    internal bool IsEmpty => _changes.Count == 0 && Next == _before;

    /// <summary>A request takes a step.</summary>
    /// <param name="request">As it is.</param>
    /// <param name="next">As it becomes.</param>
    /// <param name="isInInbox">Whether the inbox names it.</param>
    internal void Move(StoredRequest request, RequestRecord next, bool isInInbox)
    {
        Change step = RequestItem.Step(request.Record, next);
        _changes.Add(request.WithdrawnAt > 0 ? step : step.IfWithout(RequestItem.Withdrawn));
        Next = With(With(Next, request.Record.State, -1), next.State, 1);
        Moved.Add(next);
        BodyLengths[next.Id] = request.BodyLength;
        _bytes += Besides + request.BodyLength + Encoding.UTF8.GetByteCount(next.Result ?? "")
            + Encoding.UTF8.GetByteCount(request.Record.Result ?? "");
        if (!next.State.IsFinal())
        {
            return;
        }

        Next = Next with
        {
            Outcome = Next.Outcome + 1,
            OutcomeAt = pendingBefore || Next.Outcome > _before.Outcome ? Next.OutcomeAt : next.Times.Final,
        };
        _changes.Add(OutcomeItem.New(campaign, Next.Outcome, next));
        if (next.State == RequestState.FailedFinal)
        {
            _changes.Add(DeadLetterItem.New(campaign, next));
        }

        if (isInInbox)
        {
            _changes.Add(Change.Delete(Keys.Inbox(campaign, next.Id)));
        }
    }

    /// <summary>A request in the inbox needs nothing more.</summary>
    internal void Leave(RequestRecord request)
    {
        // Unless the operator redrives it just now.
        _changes.Add(RequestItem.Still(request));
        _changes.Add(Change.Delete(Keys.Inbox(campaign, request.Id)));
    }

    /// <summary>Writes it.</summary>
    /// <returns>False: nothing was written, as the progress or a request was not where the turn begins.</returns>
    internal async Task<bool> CommitAsync(DynamoTable table, CancellationToken cancellationToken)
    {
        Change progress = _before.To(campaign, Next);
        return _changes.Count == 0 ? await table.UpdateAsync(progress, cancellationToken).ConfigureAwait(false) is not null
            : await table.TransactAsync([progress, .. _changes], cancellationToken).ConfigureAwait(false) is null;
    }

    private static ProgressItem With(ProgressItem progress, RequestState state, int by) => state switch
    {
        RequestState.Processing => progress with { Processing = progress.Processing + by },
        RequestState.Succeeded => progress with { Succeeded = progress.Succeeded + by },
        RequestState.Rejected => progress with { Rejected = progress.Rejected + by },
        RequestState.FailedFinal => progress with { Failed = progress.Failed + by },
        _ => progress, // the rest of what was accepted
    };
}
