// What the operator changes of campaigns, from any node.
using Estat.Requests.Aws.Dynamo;
using Estat.Requests.Aws.Items;
using Estat.Requests.Campaigns;
using Estat.Requests.Storing;

namespace Estat.Requests.Aws.Campaigns;

/// <summary>
/// Each change is one transaction on the condition that the campaign is as the rules saw it. The progress gets the new version in it, and decisions
/// go by a version, so that a decision by old settings is not written after the change. Any thread.
/// </summary>
/// <param name="table">The table.</param>
/// <param name="book">Campaigns.</param>
/// <param name="time">The clock.</param>
internal sealed class CampaignChanges(DynamoTable table, CampaignBook book, TimeProvider time)
{
    // Ordinals have 22 bits.
    private const int MostCampaigns = (1 << 22) - 1;

    // Two operators at once, or an operator while requests pour in: who comes too late looks again.
    private const int Tries = 20;

    /// <summary>Tells other nodes that a campaign has changed.</summary>
    internal static Change Tell() => Change.Update(Keys.Store).Add(CampaignBook.RevisionName, 1);

    /// <summary>Makes or changes a campaign.</summary>
    internal async Task<CampaignChange> PutAsync(string id, CampaignSettings settings, long? expected)
    {
        for (int i = 0; i < Tries; i++)
        {
            if (await book.RefreshAsync(id).ConfigureAwait(false) is not { } state)
            {
                if (expected is > 0)
                {
                    return new CampaignChange(CampaignChangeOutcome.NotFound, null);
                }

                if (await TryMakeAsync(id, settings).ConfigureAwait(false) is { } made)
                {
                    return made;
                }

                continue;
            }

            (Campaign campaign, DirectoryItem directory, SequenceItem sequence, ProgressItem progress) = state.Snapshot;
            if (expected is { } version && version != campaign.Version)
            {
                return new CampaignChange(CampaignChangeOutcome.OtherVersion, campaign);
            }

            if (CampaignRules.WhyNotChanged(campaign, settings, time.GetUtcNow()) is { } why)
            {
                return new CampaignChange(CampaignChangeOutcome.Refused, campaign, why);
            }

            var next = campaign with { Settings = settings, Version = campaign.Version + 1 };
            List<Change> changes = [.. Of(directory, progress, next)];
            bool isUntouched = campaign.Counts.Accepted == 0 && campaign.WindowAt(time.GetUtcNow()) == CampaignWindow.NotYet;
            if (isUntouched || settings.ClosesAt != campaign.Settings.ClosesAt)
            {
                changes.Add(sequence.Move(id, isUntouched));
            }

            if (await TryAsync(id, changes).ConfigureAwait(false))
            {
                return new CampaignChange(CampaignChangeOutcome.Changed, state.Campaign);
            }
        }

        throw Busy(id);
    }

    /// <summary>Stops or continues its decisions.</summary>
    internal async Task<CampaignChange> PauseAsync(string id, bool isPaused)
    {
        for (int i = 0; i < Tries; i++)
        {
            if (await book.RefreshAsync(id).ConfigureAwait(false) is not { } state)
            {
                return new CampaignChange(CampaignChangeOutcome.NotFound, null);
            }

            (Campaign campaign, DirectoryItem directory, _, ProgressItem progress) = state.Snapshot;
            Campaign next = campaign with { IsPaused = isPaused, Version = campaign.Version + 1 };
            if (campaign.IsPaused == isPaused || await TryAsync(id, Of(directory, progress, next)).ConfigureAwait(false))
            {
                return new CampaignChange(CampaignChangeOutcome.Changed, state.Campaign);
            }
        }

        throw Busy(id);
    }

    /// <summary>Fixes a draw, unless one is fixed.</summary>
    internal async Task<Campaign> FixDrawAsync(string id, DrawResult result)
    {
        for (int i = 0; i < Tries; i++)
        {
            CampaignState state = await book.RefreshAsync(id).ConfigureAwait(false)
                ?? throw new StoreException($"{table.Description}: there is no campaign {id}");
            (Campaign campaign, DirectoryItem directory, _, ProgressItem progress) = state.Snapshot;
            if (campaign.Draw is not null)
            {
                return campaign;
            }

            List<Change> changes = [.. Of(directory, progress, campaign with { Draw = result, Version = campaign.Version + 1 })];
            changes[0].IfWithout(DirectoryItem.DrawName); // whatever was read: a draw never changes
            if (await TryAsync(id, changes).ConfigureAwait(false))
            {
                return state.Campaign;
            }
        }

        throw Busy(id);
    }

    private async Task<CampaignChange?> TryMakeAsync(string id, CampaignSettings settings)
    {
        await book.LookAsync(CancellationToken.None).ConfigureAwait(false);
        int count = book.Store!.Campaigns;
        if (count == MostCampaigns)
        {
            return new CampaignChange(CampaignChangeOutcome.Refused, null, "The store holds as many campaigns as it can.");
        }

        Campaign made = Campaign.New(id, count + 1, settings);
        bool isMade = await TryAsync(id,
        [
            Change.Put(DirectoryItem.New(made)).IfNew(),
            Change.Put(SequenceItem.New(id)).IfNew(),
            Change.Put(ProgressItem.New(id)).IfNew(),
            Tell().IfIs(CampaignBook.CountName, count).Set(CampaignBook.CountName, count + 1),
        ]).ConfigureAwait(false);
        return isMade ? new CampaignChange(CampaignChangeOutcome.Created, book.Find(id)!.Campaign) : null;
    }

    private static IReadOnlyList<Change> Of(DirectoryItem directory, ProgressItem progress, Campaign next) =>
        [directory.To(next), progress.Renew(next.Id, next.Version), Tell()];

    private async Task<bool> TryAsync(string id, IReadOnlyList<Change> changes)
    {
        bool isDone = await table.TransactAsync(changes).ConfigureAwait(false) is null;
        await book.RefreshAsync(id).ConfigureAwait(false);
        return isDone;
    }

    private StoreException Busy(string id) => new($"{table.Description}: campaign {id} changes all the time. Try again");
}
