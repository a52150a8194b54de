// What an earlier run of the node left in REQUESTS_DIR: requests whose every attempt failed.
using Estat.Requests.Campaigns;
using Estat.Requests.Deciding;
using Estat.Requests.Options;
using Estat.Requests.Sqlite;
using Estat.Requests.Storing;
using Estat.Testing;
using Microsoft.Extensions.Logging.Abstractions;

namespace Estat.Tests.Support;

/// <summary>Written by the store itself, with a rule that decides nothing.</summary>
internal static class EarlierRequests
{
    /// <summary>Leaves a first-come campaign whose requests are all FAILED_FINAL.</summary>
    internal static async Task FailAsync(string dir, string campaign, long capacity, params string[] users)
    {
        var options = new RequestsOptions { Dir = dir, MaxAttempts = 1 };
        await using var store = new SqliteRequestStore(options, new FailingRule(), new Nobody(), TimeProvider.System, NullLogger.Instance);
        store.Start();
        var settings = new CampaignSettings
        {
            Policy = CampaignPolicy.FirstCome, OpensAt = DateTimeOffset.UtcNow.AddMinutes(-1), Capacity = capacity,
        };
        CampaignChange made = await store.PutCampaignAsync(campaign, settings, expected: 0);
        foreach (UserId user in users.Select(user => UserId.Of(user)!.Value))
        {
            var id = RequestId.Of(made.Campaign!.Secret.Span, campaign, user);
            Acceptance acceptance = await store.AcceptAsync(new Submission(campaign, id, user, default));
            Assert.Equal(AcceptanceOutcome.Accepted, acceptance.Outcome);
        }

        await Wait.UntilAsync(
            () => store.FindCampaign(campaign)!.Counts.Failed == users.Length, TimeSpan.FromSeconds(30), "every request to fail",
            () => store.FindCampaign(campaign)!.Counts.ToString());
    }

    private sealed class FailingRule : IDecisionRule
    {
        public Decision Decide(CampaignSettings settings, long succeeded, bool isWinner, RequestRecord request) =>
            throw new InvalidOperationException($"no answer about {request.User}");
    }

    private sealed class Nobody : IStoreObserver
    {
        public void OnChanged(IReadOnlyList<RequestRecord> requests)
        {
        }
    }
}
