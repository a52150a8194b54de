// The port of stores: what Requests needs of the place that keeps campaigns and requests. StoreComplianceTests hold every adapter to it.
using Estat.Requests.Campaigns;

namespace Estat.Requests.Storing;

/// <summary>
/// A completed task means that what it says is durable. Any thread. A task that fails with <see cref="StoreException"/> changed nothing, unless the
/// exception says that nobody knows.
/// </summary>
internal interface IRequestStore : IAsyncDisposable
{
    /// <summary>Where requests lie, for the log.</summary>
    string Description { get; }

    /// <summary>Whether other nodes write to the same requests: then what this node committed last may have changed since.</summary>
    bool IsShared { get; }

    /// <summary>Submissions that wait to be written.</summary>
    int QueueLength { get; }

    /// <summary>Campaigns that this node decides.</summary>
    int Deciding { get; }

    /// <summary>Whether this node decides a campaign.</summary>
    bool Decides(Campaign campaign);

    /// <summary>What came of this node's attempts at the store's server, by outcome; none where the store is in this process.</summary>
    IEnumerable<(string Outcome, long Count)> Attempts { get; }

    /// <summary>All campaigns, as of the last commit, by id.</summary>
    IReadOnlyCollection<Campaign> Campaigns { get; }

    /// <summary>Why the store takes nothing; null while it does.</summary>
    string? Fault { get; }

    /// <summary>Whether it was restored from a backup, and accepts nothing before the operator resumes it.</summary>
    bool IsHeld { get; }

    /// <summary>Begins to write and to decide.</summary>
    void Start();

    /// <summary>No more submissions; those that wait are still taken.</summary>
    void BeginDrain();

    /// <summary>A campaign as of the last commit; null when there is none.</summary>
    Campaign? FindCampaign(string id);

    /// <summary>A campaign that this node may not know yet; null: it is certain that there is none.</summary>
    /// <exception cref="StoreException">Nobody can tell.</exception>
    ValueTask<Campaign?> FindCampaignAsync(string id);

    /// <summary>A campaign with all that was done to it before the call, at whatever node; null when there is none.</summary>
    ValueTask<Campaign?> ReadCampaignAsync(string id);

    /// <summary>The campaign of a number in this store; null when there is none.</summary>
    Campaign? FindCampaign(int ordinal);

    /// <summary>Makes or changes a campaign.</summary>
    /// <param name="id">A valid id.</param>
    /// <param name="settings">Valid settings.</param>
    /// <param name="expected">The version that it must have: 0: it must not be there; null: any.</param>
    Task<CampaignChange> PutCampaignAsync(string id, CampaignSettings settings, long? expected);

    /// <summary>Closes a campaign now: nothing is accepted after the task completes. Closing twice changes nothing.</summary>
    Task<CampaignChange> CloseAsync(string id);

    /// <summary>Stops or continues its decisions.</summary>
    Task<CampaignChange> PauseAsync(string id, bool isPaused);

    /// <summary>Accepts a request, or finds the one that the user has.</summary>
    ValueTask<Acceptance> AcceptAsync(Submission submission);

    /// <summary>A request; null when there is none.</summary>
    ValueTask<RequestRecord?> FindAsync(RequestId id);

    /// <summary>A request that its user takes back.</summary>
    Task<Withdrawal> WithdrawAsync(RequestId id);

    /// <summary>Requests that fit, in the order of campaign and sequence.</summary>
    Task<RequestPage> SearchAsync(RequestFilter filter, string? cursor, int limit, CancellationToken cancellationToken);

    /// <summary>Puts FAILED_FINAL requests back into the queue; others are left as they are.</summary>
    /// <returns>Those that were, or would be.</returns>
    Task<IReadOnlyList<RequestId>> RedriveAsync(IReadOnlyList<RequestId> ids, bool isDryRun);

    /// <summary>Takes a user's id and bodies out of all requests. What else is known of them stays.</summary>
    /// <returns>How many requests had them.</returns>
    Task<int> EraseUserAsync(UserId user);

    /// <summary>Deletes bodies of requests that have been final since before a moment.</summary>
    /// <returns>How many went.</returns>
    Task<int> DropBodiesAsync(DateTimeOffset finalBefore, int most);

    /// <summary>The ids that take part in a draw, sorted: everybody who was in at the close and was not withdrawn.</summary>
    Task<IReadOnlyList<RequestId>> ListForDrawAsync(Campaign campaign, CancellationToken cancellationToken);

    /// <summary>Fixes a draw; the decider then decides all of its requests by it.</summary>
    /// <param name="campaignId">A campaign that has closed.</param>
    /// <param name="result">What was drawn.</param>
    /// <returns>The campaign with its draw: this one, or the one that was there.</returns>
    Task<Campaign> FixDrawAsync(string campaignId, DrawResult result);

    /// <summary>Begins attempts at requests of webhook campaigns that are due, in the order of their sequences.</summary>
    /// <param name="campaignId">The campaign.</param>
    /// <param name="most">How many.</param>
    /// <param name="lease">How long each may take.</param>
    Task<IReadOnlyList<Attempt>> BeginAttemptsAsync(string campaignId, int most, TimeSpan lease);

    /// <summary>Writes how an attempt ended, unless its fence is old.</summary>
    /// <returns>False when it was: another attempt has begun, or it was decided.</returns>
    Task<bool> EndAttemptAsync(Attempt attempt, AttemptResult result);

    /// <summary>The next outcomes for the lake, as a batch with a number that is fixed before anything is written there. The same batch again until
    /// <see cref="OutcomesStoredAsync"/>.</summary>
    /// <param name="most">Lines.</param>
    /// <returns>Null when there are none.</returns>
    Task<OutcomeBatch?> NextOutcomesAsync(int most);

    /// <summary>A batch is in the lake.</summary>
    Task OutcomesStoredAsync(OutcomeBatch batch);

    /// <summary>Outcomes that are not in the lake.</summary>
    PendingOutcomes PendingOutcomes { get; }
}
