// A submission that waits for a commit.
using System.Threading.Tasks.Sources;
using Estat.Requests.Campaigns;
using Estat.Requests.Storing;

namespace Estat.Requests.Sqlite;

/// <summary>Completed once, by the writer. What awaits it goes on on the thread pool.</summary>
internal sealed class PendingAcceptance(Submission submission) : IValueTaskSource<Acceptance>
{
    private ManualResetValueTaskSourceCore<Acceptance> _core = new() { RunContinuationsAsynchronously = true };

    /// <summary>What was submitted.</summary>
    internal Submission Submission { get; } = submission;

    /// <summary>What came of it; to be told after the commit.</summary>
    internal Acceptance Result { get; set; }

    /// <summary>What its sender awaits.</summary>
    internal ValueTask<Acceptance> Task => new(this, _core.Version);

    /// <summary>Decides it within a transaction.</summary>
    /// <param name="transaction">The transaction.</param>
    /// <param name="isShort">Whether the disk has too little room for new ones.</param>
    internal void Apply(StoreTransaction transaction, bool isShort)
    {
        if (transaction.Find(Submission.CampaignId) is not { } campaign)
        {
            Result = new Acceptance(AcceptanceOutcome.NoCampaign);
            return;
        }

        CampaignWindow window = campaign.Current.WindowAt(DateTimeOffset.FromUnixTimeMilliseconds(transaction.Now));
        AcceptanceOutcome? refusal = window == CampaignWindow.Closed ? AcceptanceOutcome.Closed
            : window == CampaignWindow.NotYet ? AcceptanceOutcome.NotYet
            : transaction.IsHeld ? AcceptanceOutcome.Held
            : isShort ? AcceptanceOutcome.StorageFull
            : null;
        if (refusal is { } why)
        {
            Result = transaction.Requests.Find(Submission.Id) is { } known ? new Acceptance(AcceptanceOutcome.Known, known) : new Acceptance(why);
            return;
        }

        (RequestRecord request, bool isNew) = transaction.Accept(campaign, Submission.Id, Submission.User, Submission.Body.Span);
        Result = new Acceptance(isNew ? AcceptanceOutcome.Accepted : AcceptanceOutcome.Known, request);
    }

    /// <summary>Tells its sender.</summary>
    internal void Complete() => _core.SetResult(Result);

    /// <summary>Tells its sender that it is not so.</summary>
    internal void Complete(AcceptanceOutcome outcome) => _core.SetResult(new Acceptance(outcome));

    Acceptance IValueTaskSource<Acceptance>.GetResult(short token) => _core.GetResult(token);

    ValueTaskSourceStatus IValueTaskSource<Acceptance>.GetStatus(short token) => _core.GetStatus(token);

    void IValueTaskSource<Acceptance>.OnCompleted(
        Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
        _core.OnCompleted(continuation, state, token, flags);
}
