// Fills a store by its own code: as durable and as ordered as over HTTP, without the HTTP.
using System.Globalization;
using System.Text;
using Estat.Requests.Campaigns;
using Estat.Requests.Deciding;
using Estat.Requests.Options;
using Estat.Requests.Sqlite;
using Estat.Requests.Storing;
using Microsoft.Extensions.Logging.Abstractions;

namespace Estat.Requests.Chaos;

/// <summary>Owns the folder until it is disposed of.</summary>
internal sealed class Filling : IAsyncDisposable
{
    private const int AtOnce = 4_000;
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(5);
    private readonly SqliteRequestStore _store;

    internal Filling(string dir)
    {
        _store = new SqliteRequestStore(
            new RequestsOptions { Dir = dir }, new DecisionRule(), new Nobody(), TimeProvider.System, NullLogger.Instance);
        _store.Start();
    }

    /// <summary>Makes a campaign: a draw if it closes.</summary>
    internal async Task MakeAsync(string campaign, long places, DateTimeOffset? closesAt)
    {
        CampaignChange made = await _store.PutCampaignAsync(
            campaign,
            new CampaignSettings
            {
                Policy = closesAt is null ? CampaignPolicy.FirstCome : CampaignPolicy.Draw, OpensAt = DateTimeOffset.UtcNow.AddMinutes(-1),
                ClosesAt = closesAt, Capacity = places,
            },
            expected: 0);
        if (made.Outcome != CampaignChangeOutcome.Created)
        {
            throw new InvalidOperationException($"{campaign}: {made.Outcome} {made.Refusal}");
        }
    }

    /// <summary>Has requests accepted and, unless it is a draw, decided.</summary>
    /// <returns>What their users were told, with what was decided.</returns>
    internal async Task<Taken[]> AcceptAsync(string campaign, int count)
    {
        var taken = new Taken[count];
        Campaign made = _store.FindCampaign(campaign)!;
        byte[] body = Encoding.UTF8.GetBytes("""{"size":"M"}""");
        await Parallel.ForEachAsync(Enumerable.Range(0, count), new ParallelOptions { MaxDegreeOfParallelism = AtOnce }, async (number, _) =>
        {
            string name = string.Create(CultureInfo.InvariantCulture, $"fill{number}");
            UserId user = UserId.Of(name)!.Value;
            Acceptance acceptance = await _store.AcceptAsync(
                new Submission(campaign, RequestId.Of(made.Secret.Span, campaign, user), user, body));
            RequestRecord request = acceptance.Outcome == AcceptanceOutcome.Accepted ? acceptance.Request!
                : throw new InvalidOperationException($"{campaign}, {name}: {acceptance.Outcome}");
            taken[number] = new Taken(
                new Told(campaign, name, request.Id.ToString(), request.Sequence, Sent: 0, Answered: 0),
                made.Settings.Policy == CampaignPolicy.Draw ? null : request.Sequence <= made.Settings.Capacity ? "SUCCEEDED" : "REJECTED");
        });
        await Wait.UntilAsync(
            () => made.Settings.Policy == CampaignPolicy.Draw || _store.FindCampaign(campaign)!.Counts.Open == 0, Patience,
            $"everything of {campaign} to be decided");
        return taken;
    }

    public ValueTask DisposeAsync() => _store.DisposeAsync();

    private sealed class Nobody : IStoreObserver
    {
        public void OnChanged(IReadOnlyList<RequestRecord> requests)
        {
        }
    }
}
