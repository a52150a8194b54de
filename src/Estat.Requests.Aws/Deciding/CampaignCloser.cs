// Closes campaigns: after it nothing is accepted.
using Estat.Requests.Aws.Campaigns;
using Estat.Requests.Aws.Dynamo;
using Estat.Requests.Aws.Items;
using Estat.Requests.Campaigns;
using Estat.Requests.Storing;

namespace Estat.Requests.Aws.Deciding;

/// <summary>
/// First no sequence is given any more. Then every sequence that has no request yet is given up, so that none that was on its way comes in. Then the
/// campaign says that it has closed. A node that ends in between leaves the rest to the campaign's decider. Any node, any thread.
/// </summary>
/// <param name="table">The table.</param>
/// <param name="book">Campaigns.</param>
/// <param name="clock">How far this node's clock is from the store's: a close cannot be taken back.</param>
/// <param name="time">The clock.</param>
internal sealed class CampaignCloser(DynamoTable table, CampaignBook book, StoreClock clock, TimeProvider time)
{
    /// <summary>Closes a campaign whose time has come, or whose close was not finished.</summary>
    /// <param name="state">The campaign.</param>
    /// <param name="onStep">Called as it goes along, which may take minutes.</param>
    /// <param name="cancellationToken">Ends it.</param>
    internal async Task CloseIfDueAsync(CampaignState state, Func<Task> onStep, CancellationToken cancellationToken)
    {
        Campaign campaign = state.Campaign;
        DateTimeOffset now = time.GetUtcNow() + clock.Difference;
        if (campaign.ClosedAt is null && (campaign.Settings.ClosesAt <= now || !state.Sequence.IsOpen))
        {
            DateTimeOffset closedAt = campaign.Settings.ClosesAt is { } due && due <= now ? due : now;
            await CloseAsync(state, closedAt, isByOperator: false, onStep, cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>Closes it. Closing twice changes nothing.</summary>
    internal async Task CloseAsync(
        CampaignState state, DateTimeOffset closedAt, bool isByOperator, Func<Task>? onStep = null, CancellationToken cancellationToken = default)
    {
        string id = state.Id;
        await table.UpdateAsync(SequenceItem.Close(id), cancellationToken).ConfigureAwait(false);
        while (true)
        {
            await book.RefreshAsync(id, cancellationToken).ConfigureAwait(false);
            DirectoryItem directory = state.Directory;
            if (directory.Campaign.ClosedAt is not null)
            {
                return;
            }

            if (state.Sequence.IsOpen)
            {
                throw new StoreException($"{table.Description}: campaign {id} did not close. Try again");
            }

            await new OrderLog(table, state).SealAllAsync(state.Progress.Sealed + 1, state.Sequence.Last, onStep, cancellationToken)
                .ConfigureAwait(false);
            Campaign closed = directory.Campaign with
            {
                ClosedAt = DateTimeOffset.FromUnixTimeMilliseconds(closedAt.ToUnixTimeMilliseconds()),
                Version = directory.Campaign.Version + (isByOperator ? 1 : 0),
            };
            await table.TransactAsync(
                [directory.To(closed), state.Progress.Renew(id, closed.Version), CampaignChanges.Tell()], cancellationToken).ConfigureAwait(false);
        }
    }
}
