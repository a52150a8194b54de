// Attempts of the webhook: begun and ended by the writer.
using Estat.Requests.Campaigns;
using Estat.Requests.Storing;

namespace Estat.Requests.Sqlite;

/// <summary>Steps of a transaction.</summary>
internal static class AttemptStep
{
    /// <summary>Begins attempts: first at requests that wait for another one, then at those that had none, in order.</summary>
    internal static IReadOnlyList<Attempt> Begin(StoreTransaction transaction, string campaignId, int most, TimeSpan lease)
    {
        if (transaction.Find(campaignId) is not { Current: { IsPaused: false, Settings.Policy: CampaignPolicy.Webhook } } campaign)
        {
            return [];
        }

        var attempts = new List<Attempt>();
        var candidates = new List<RequestRecord>();
        if (transaction.Waiting > 0)
        {
            transaction.Requests.ReadDue(campaign.Ordinal, transaction.Now, most, candidates);
            candidates.ForEach(request => TryBegin(transaction, request, lease, attempts));
        }

        while (attempts.Count < most && campaign.Decided < campaign.LastCommitted)
        {
            candidates.Clear();
            transaction.Requests.Read(
                Schema.Key(campaign.Ordinal, campaign.Decided), Schema.Key(campaign.Ordinal, campaign.LastCommitted), most - attempts.Count,
                candidates);
            campaign.Decided = candidates.Count == 0 ? campaign.LastCommitted : candidates[^1].Sequence;
            candidates.ForEach(request => TryBegin(transaction, request, lease, attempts));
        }

        return attempts;
    }

    /// <summary>Ends an attempt, unless its fence is old.</summary>
    internal static bool End(StoreTransaction transaction, Attempt attempt, AttemptResult result, int mostAttempts)
    {
        RequestRecord begun = attempt.Request;
        if (transaction.Requests.Find(begun.Id) is not { } request
            || RequestMachine.EndAttempt(request, begun.Generation, begun.Fence, result, mostAttempts, transaction.Now) is not { } next)
        {
            return false;
        }

        transaction.Move(request, next);
        return true;
    }

    private static void TryBegin(StoreTransaction transaction, RequestRecord request, TimeSpan lease, List<Attempt> attempts)
    {
        if (RequestMachine.Begin(request, lease, transaction.Now) is { } begun)
        {
            attempts.Add(new Attempt(transaction.Move(request, begun), transaction.Requests.ReadBody(RequestRows.KeyOf(request))));
        }
    }
}
