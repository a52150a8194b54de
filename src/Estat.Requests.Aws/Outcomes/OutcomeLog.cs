// Outcomes in the table until they are in the lake.
using Estat.Requests.Aws.Campaigns;
using Estat.Requests.Aws.Dynamo;
using Estat.Requests.Aws.Items;
using Estat.Requests.Storing;

namespace Estat.Requests.Aws.Outcomes;

/// <summary>
/// Each campaign has numbers and batches of its own. Which outcomes are a batch is written down before anybody sees them, so that two nodes at once
/// put the same object. The node that decides a campaign brings its outcomes to the lake. Any thread.
/// </summary>
/// <param name="table">The table.</param>
/// <param name="book">Campaigns.</param>
/// <param name="isOwn">Whether this node decides a campaign.</param>
/// <param name="time">The clock.</param>
internal sealed class OutcomeLog(DynamoTable table, CampaignBook book, Func<string, bool> isOwn, TimeProvider time)
{
    // Writes at once.
    private const int Together = 25;

    private string? _last;

    /// <summary>Outcomes that are not in the lake.</summary>
    internal PendingOutcomes Pending
    {
        get
        {
            CampaignState[] waiting = [.. book.All.Where(state => state.OutcomesPending > 0)];
            return waiting.Length == 0 ? new PendingOutcomes(0, null) : new PendingOutcomes(
                waiting.Sum(state => state.OutcomesPending), DateTimeOffset.FromUnixTimeMilliseconds(waiting.Min(state => state.OutcomesSince)));
        }
    }

    /// <summary>The batch that is cut, or a new one; null when there is nothing.</summary>
    internal async Task<OutcomeBatch?> NextAsync(int most)
    {
        // The one that was served last comes last: a campaign whose batch cannot be stored keeps the others from nothing.
        StoreException? failed = null;
        foreach (CampaignState state in book.All.Where(state => state.OutcomesPending > 0 && isOwn(state.Id)).OrderBy(state => state.Id == _last))
        {
            try
            {
                await book.RefreshAsync(state.Id).ConfigureAwait(false);
                if (await NextAsync(state, most).ConfigureAwait(false) is { } batch)
                {
                    _last = state.Id;
                    return batch;
                }
            }
            catch (StoreException error)
            {
                failed = error;
            }
        }

        return failed is null ? null : throw failed;
    }

    /// <summary>A batch is in the lake. One that is not the last that was cut changes nothing.</summary>
    internal async Task StoredAsync(OutcomeBatch batch)
    {
        string campaign = batch.Outcomes[0].CampaignId;
        CampaignState state = book.Find(campaign) ?? throw new StoreException($"{table.Description}: campaign {campaign} is gone");
        if (await table.UpdateAsync(BatchItem.IsStored(campaign, batch.Number, time.GetUtcNow().ToUnixTimeMilliseconds())).ConfigureAwait(false)
            is not { } item)
        {
            return;
        }

        BatchItem stored = BatchItem.Read(item);
        for (long number = stored.Deleted + 1; number <= stored.Last; number += Together)
        {
            long end = Math.Min(stored.Last, number + Together - 1);
            await Task.WhenAll(Numbers(number, end).Select(one => table.DeleteAsync(Keys.Outcome(campaign, one)))).ConfigureAwait(false);
        }

        state.See(BatchItem.Read((await table.UpdateAsync(BatchItem.AreDeleted(campaign, stored.Last)).ConfigureAwait(false))!));
    }

    private async Task<OutcomeBatch?> NextAsync(CampaignState state, int most)
    {
        while (state.OutcomesPending > 0)
        {
            BatchItem batch = state.Batch;
            if (batch.CutAt != 0)
            {
                return await ReadAsync(state, batch).ConfigureAwait(false);
            }

            long last = Math.Min(state.Progress.Outcome, batch.Last + most);
            await table.UpdateAsync(batch.Cut(state.Id, last, time.GetUtcNow().ToUnixTimeMilliseconds())).ConfigureAwait(false);
            await book.RefreshAsync(state.Id).ConfigureAwait(false); // it is this one, or another node's
        }

        return null;
    }

    private async Task<OutcomeBatch> ReadAsync(CampaignState state, BatchItem batch)
    {
        var outcomes = new List<Outcome>();
        for (long next = batch.First; next <= batch.Last;)
        {
            long end = Math.Min(batch.Last, (((next / Keys.Bucket) + 1) * Keys.Bucket) - 1);
            List<Item> items = await table.QueryAsync(
                Keys.OutcomesOf(state.Id, next), Keys.Number(next), Keys.Number(end)).ConfigureAwait(false);
            outcomes.AddRange(items.Select(item => OutcomeItem.Read(state.Id, item)));
            next = end + 1;
        }

        if (outcomes.Count != batch.Last - batch.First + 1)
        {
            // Another node has stored it and deletes it, or somebody deleted items by hand.
            throw new StoreException(
                $"{table.Description}: campaign {state.Id}: outcomes {batch.First} to {batch.Last} are not all there. "
                + "If this lasts, items were deleted");
        }

        return new OutcomeBatch(
            batch.Number, $"{book.Store!.Epoch}-{state.Campaign.Ordinal}", DateTimeOffset.FromUnixTimeMilliseconds(batch.CutAt), outcomes);
    }

    private static IEnumerable<long> Numbers(long from, long to)
    {
        for (long number = from; number <= to; number++)
        {
            yield return number;
        }
    }
}
