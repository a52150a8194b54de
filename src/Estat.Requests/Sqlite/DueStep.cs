// What the clock does to requests and campaigns: leases end, campaigns close.
using Estat.Requests.Campaigns;
using Estat.Requests.Deciding;

namespace Estat.Requests.Sqlite;

/// <summary>A part of the writer's transactions. Clocks only trigger: what was closed stays closed, whatever the clock says later.</summary>
/// <param name="mostAttempts">REQUESTS_MAX_ATTEMPTS.</param>
internal sealed class DueStep(int mostAttempts)
{
    private const int Most = 1_000;
    private const long BetweenLooks = 100; // milliseconds: what waits is read through
    private readonly List<RequestRecord> _due = [];
    private long _lookedAt;

    /// <summary>Closes what is due, and takes requests back from attempts that have not ended in time.</summary>
    internal void Run(StoreTransaction transaction)
    {
        var now = DateTimeOffset.FromUnixTimeMilliseconds(transaction.Now);
        foreach (CampaignEntry campaign in transaction.Campaigns)
        {
            if (campaign.Current.ClosedAt is null && campaign.Current.Settings.ClosesAt <= now)
            {
                campaign.Change(closed => closed with { ClosedAt = closed.Settings.ClosesAt });
            }
        }

        if (transaction.Waiting == 0 || Math.Abs(transaction.Now - _lookedAt) < BetweenLooks)
        {
            return;
        }

        _lookedAt = transaction.Now;
        _due.Clear();
        transaction.Requests.ReadLeases(transaction.Now, Most, _due);
        foreach (RequestRecord request in _due)
        {
            transaction.Move(request, RequestMachine.LoseLease(request, mostAttempts, Backoffs.After(request.Attempts + 1), transaction.Now));
        }
    }
}
