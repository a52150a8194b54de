// Users who take requests back, and operators who put them back, from any node.
using Estat.Requests.Aws.Campaigns;
using Estat.Requests.Aws.Dynamo;
using Estat.Requests.Aws.Items;
using Estat.Requests.Campaigns;
using Estat.Requests.Storing;

namespace Estat.Requests.Aws.Accepting;

/// <summary>
/// What they say is written to the request, with a note in the inbox of the campaign's decider, which alone makes requests final and counts them. Any
/// thread.
/// </summary>
/// <param name="table">The table.</param>
/// <param name="book">Campaigns.</param>
/// <param name="time">The clock.</param>
internal sealed class RequestChanges(DynamoTable table, CampaignBook book, TimeProvider time)
{
    // The decider may be about to decide it: then it is looked at again.
    private const int Tries = 10;

    /// <summary>Requests of one redrive: three writes each, one for the progress, and 4 MB of bodies of 256 KB at most.</summary>
    internal const int RedrivesAtOnce = 14;

    private long Now => time.GetUtcNow().ToUnixTimeMilliseconds();

    /// <summary>A request that its user takes back.</summary>
    internal async Task<Withdrawal> WithdrawAsync(RequestId id)
    {
        for (int i = 0; i < Tries; i++)
        {
            if (await FindAsync(id).ConfigureAwait(false) is not ({ } stored, { } state))
            {
                return new Withdrawal(null, null);
            }

            RequestRecord request = stored.Shown;
            if (request.Reason == Reasons.Withdrawn)
            {
                return new Withdrawal(request, null);
            }

            if (state.Campaign.WindowAt(time.GetUtcNow()) == CampaignWindow.Closed || !state.Sequence.IsOpen)
            {
                return new Withdrawal(request, CampaignRules.ClosedForWithdrawal);
            }

            long now = Now;
            if (RequestMachine.Withdraw(request, now) is not { } withdrawn)
            {
                return new Withdrawal(request, CampaignRules.WhyNotWithdrawn(request.State));
            }

            IReadOnlyList<bool>? held = await table.TransactAsync(
            [
                RequestItem.Withdraw(request, now),
                Change.Put(new Item(Keys.Inbox(state.Id, id))),
                Change.Check(Keys.Sequence(state.Id)).IfIs(SequenceItem.Open, 1),
            ]).ConfigureAwait(false);
            if (held is null)
            {
                return new Withdrawal(withdrawn, null);
            }

            if (!held[2])
            {
                await book.RefreshAsync(state.Id).ConfigureAwait(false);
            }
        }

        throw new StoreException($"{table.Description}: request {id} changes all the time. Try again");
    }

    /// <summary>Puts FAILED_FINAL requests back into the queue.</summary>
    /// <param name="ids">Different ones, at most <see cref="RedrivesAtOnce"/>.</param>
    /// <param name="isDryRun">Whether nothing is written.</param>
    /// <returns>Those that were, or would be.</returns>
    internal async Task<IReadOnlyList<RequestId>> RedriveAsync(IReadOnlyList<RequestId> ids, bool isDryRun)
    {
        var redriven = new List<RequestId>();
        List<RequestRecord> open = await FailedAsync(ids).ConfigureAwait(false);
        if (isDryRun)
        {
            return [.. open.Select(request => request.Id)];
        }

        // One transaction for the requests of a campaign, as all of them change its progress. Who was redriven meanwhile is left out the next time.
        for (int i = 0; open.Count > 0 && i < Tries; i++)
        {
            foreach (IGrouping<int, RequestRecord> group in open.GroupBy(request => request.CampaignOrdinal))
            {
                if (book.Find(group.Key) is { } state && await TryRedriveAsync(state, [.. group]).ConfigureAwait(false))
                {
                    redriven.AddRange(group.Select(request => request.Id));
                }
            }

            open = await FailedAsync([.. ids.Except(redriven)]).ConfigureAwait(false);
        }

        return redriven;
    }

    /// <summary>Takes a user's id and body out of a request.</summary>
    /// <returns>Whether they were there.</returns>
    internal async Task<bool> EraseAsync(RequestId id) =>
        await table.UpdateAsync(RequestItem.Erase(id)).ConfigureAwait(false) is not null;

    private async Task<List<RequestRecord>> FailedAsync(IReadOnlyList<RequestId> ids)
    {
        if (ids.Count == 0)
        {
            return [];
        }

        Dictionary<ItemKey, Item> items = await table.GetManyAsync(ids.Select(Keys.Request), RequestItem.WithoutBody).ConfigureAwait(false);
        List<RequestRecord> failed =
            [.. items.Values.Select(item => RequestItem.Read(item).Record).Where(request => request.State == RequestState.FailedFinal)];
        if (failed.Exists(request => book.Find(request.CampaignOrdinal) is null))
        {
            await book.LookAsync(CancellationToken.None).ConfigureAwait(false);
        }

        return failed;
    }

    private async Task<bool> TryRedriveAsync(CampaignState state, IReadOnlyList<RequestRecord> requests)
    {
        List<Change> changes = [ProgressItem.Redrives(state.Id, requests.Count)];
        foreach (RequestRecord request in requests)
        {
            changes.Add(RequestItem.Step(request, RequestMachine.Redrive(request, Now)!));
            changes.Add(Change.Put(new Item(Keys.Inbox(state.Id, request.Id))));
            changes.Add(Change.Delete(Keys.DeadLetter(state.Id, request.Sequence)));
        }

        return await table.TransactAsync(changes).ConfigureAwait(false) is null;
    }

    private async Task<(StoredRequest? Request, CampaignState? State)> FindAsync(RequestId id)
    {
        if (await table.GetAsync(Keys.Request(id)).ConfigureAwait(false) is not { } item)
        {
            return default;
        }

        StoredRequest stored = RequestItem.Read(item);
        if (book.Find(stored.Record.CampaignOrdinal) is null)
        {
            await book.LookAsync(CancellationToken.None).ConfigureAwait(false);
        }

        return (stored, book.Find(stored.Record.CampaignOrdinal));
    }
}
