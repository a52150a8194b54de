// The decider of first-come and draw: a part of the writer's transactions.
using System.Diagnostics;
using Estat.Requests.Campaigns;
using Estat.Requests.Deciding;
using Estat.Requests.Drawing;

namespace Estat.Requests.Sqlite;

/// <summary>
/// Goes round the campaigns, some requests of each at a time, in the order of their sequences. It sees only what an earlier commit made durable, as
/// it runs before a transaction's submissions. While submissions wait it gets at most a quarter of the writer's time. The writer thread's.
/// </summary>
/// <param name="rule">What decides.</param>
/// <param name="mostAttempts">REQUESTS_MAX_ATTEMPTS.</param>
internal sealed class DecidingStep(IDecisionRule rule, int mostAttempts)
{
    // Requests of one campaign before it is the next one's turn: half a millisecond's worth.
    private const int Turn = 64;

    // While nobody waits, so that who comes then does not wait long for the transaction's end.
    private static readonly TimeSpan Longest = TimeSpan.FromMilliseconds(25);

    private readonly List<RequestRecord> _candidates = [];
    private long _credit;
    private int _next;

    /// <summary>Whether the last run left requests that could be decided at once.</summary>
    internal bool HasMore { get; private set; }

    /// <summary>The writer committed something else, which may be there to decide.</summary>
    /// <param name="ticks">How long it took.</param>
    internal void OnWorked(long ticks)
    {
        HasMore = true;
        _credit = Math.Min(_credit + (ticks / 3), (long)(Longest.TotalSeconds * Stopwatch.Frequency));
    }

    /// <summary>Decides.</summary>
    /// <param name="transaction">The running transaction.</param>
    /// <param name="areOthersWaiting">Whether submissions wait.</param>
    internal void Run(StoreTransaction transaction, bool areOthersWaiting)
    {
        long began = Stopwatch.GetTimestamp();
        long allowed = areOthersWaiting ? _credit : (long)(Longest.TotalSeconds * Stopwatch.Frequency);
        int idle = 0;
        HasMore = false;
        while (idle < transaction.Campaigns.Count)
        {
            if (Stopwatch.GetTimestamp() - began > allowed)
            {
                HasMore = true; // perhaps: the next run finds out
                break;
            }

            CampaignEntry campaign = transaction.Campaigns[_next++ % transaction.Campaigns.Count];
            idle = TryDecide(transaction, campaign) ? 0 : idle + 1;
        }

        _next %= Math.Max(1, transaction.Campaigns.Count);
        _credit = Math.Max(0, _credit - (Stopwatch.GetTimestamp() - began));
    }

    private bool TryDecide(StoreTransaction transaction, CampaignEntry campaign)
    {
        if (campaign.Current.IsPaused || campaign.Current.Settings.Policy is var policy && (policy == CampaignPolicy.Webhook
            || (policy == CampaignPolicy.Draw && campaign.Current.Draw is null)))
        {
            return false;
        }

        // Redriven ones first: they have waited longest.
        return TryDecideAgain(transaction, campaign) || TryDecideNext(transaction, campaign);
    }

    private bool TryDecideAgain(StoreTransaction transaction, CampaignEntry campaign)
    {
        if (transaction.Waiting == 0)
        {
            return false;
        }

        _candidates.Clear();
        transaction.Requests.ReadDue(campaign.Ordinal, transaction.Now, Turn, _candidates);
        _candidates.RemoveAll(request => request.Sequence > campaign.Decided); // its turn comes by its sequence
        foreach (RequestRecord request in _candidates)
        {
            Decide(transaction, campaign, request);
        }

        return _candidates.Count > 0;
    }

    private bool TryDecideNext(StoreTransaction transaction, CampaignEntry campaign)
    {
        if (campaign.Decided >= campaign.LastCommitted)
        {
            return false;
        }

        _candidates.Clear();
        transaction.Requests.Read(
            Schema.Key(campaign.Ordinal, campaign.Decided), Schema.Key(campaign.Ordinal, campaign.LastCommitted), Turn, _candidates);
        long before = campaign.Decided;
        foreach (RequestRecord request in _candidates)
        {
            // One that has failed keeps its place in the order until its attempts are used up: nobody behind it may pass.
            if (request.Due > transaction.Now || !Decide(transaction, campaign, request).State.IsFinal())
            {
                return campaign.Decided > before;
            }

            campaign.Decided = request.Sequence;
        }

        if (_candidates.Count < Turn)
        {
            campaign.Decided = campaign.LastCommitted; // sequences that a restore skipped
        }

        return campaign.Decided > before;
    }

    private RequestRecord Decide(StoreTransaction transaction, CampaignEntry campaign, RequestRecord request)
    {
        if (request.State.IsFinal())
        {
            return request; // withdrawn
        }

        Decision decision;
        try
        {
            bool isWinner = campaign.Current.Draw is { } draw && Lot.Wins(request.Id, draw, campaign.Current.Seed.Span);
            decision = rule.Decide(campaign.Current.Settings, campaign.Succeeded, isWinner, request);
        }
        catch (Exception error) when (error is not Storing.StoreException)
        {
            TimeSpan backoff = Backoffs.After(request.Attempts + 1);
            return transaction.Move(request, RequestMachine.Fail(request, error.Message, mostAttempts, backoff, transaction.Now));
        }

        if (decision.Reason == Reasons.Full && !campaign.Current.HasTurnedAway)
        {
            campaign.Change(changed => changed with { HasTurnedAway = true });
        }

        return transaction.Move(request, RequestMachine.Decide(request, decision.State, decision.Reason, transaction.Now));
    }
}
