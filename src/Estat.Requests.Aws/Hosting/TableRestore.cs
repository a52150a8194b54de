// What makes a table that came out of a backup fit to be used.
using Estat.Requests.Aws.Campaigns;
using Estat.Requests.Aws.Dynamo;
using Estat.Requests.Aws.Items;
using Estat.Requests.Options;
using Estat.Requests.Storing;

namespace Estat.Requests.Aws.Hosting;

/// <summary>
/// DynamoDB restores into a new table. What came after the restored moment is lost, though users and the lake may know of it. So the table begins a
/// new epoch, skips sequences, and takes nothing before the operator has looked.
/// </summary>
internal static class TableRestore
{
    /// <summary>More than a campaign can have given between the restored moment and the loss.</summary>
    internal const long Skip = 1_000_000_000;

    /// <summary>Prepares a restored table, which no node uses yet. Doing it again skips sequences again, and harms nothing.</summary>
    /// <returns>How many campaigns it has.</returns>
    /// <exception cref="StoreException">The table cannot be used, or holds no requests.</exception>
    internal static async Task<int> PrepareAsync(RequestsOptions options, string region)
    {
        using var table = new DynamoTable(options, region, new StoreClock(TimeProvider.System));
        await LookAsync(table).ConfigureAwait(false);

        // Held first: a node that is started too early takes nothing.
        string epoch = Guid.NewGuid().ToString("N")[..12];
        await table.UpdateAsync(Change.Update(Keys.Store).Set(CampaignBook.HeldName, 1).Set(CampaignBook.EpochName, epoch)
            .Add(CampaignBook.RevisionName, 1)).ConfigureAwait(false);
        var book = new CampaignBook(table);
        await book.LookAsync(CancellationToken.None).ConfigureAwait(false);
        await TableRepair.RunAsync(table, book.All).ConfigureAwait(false);
        foreach (CampaignState state in book.All)
        {
            await book.RefreshAsync(state.Id).ConfigureAwait(false);
            long last = state.Sequence.Last;
            bool isDone = await table.TransactAsync(
            [
                Change.Update(Keys.Sequence(state.Id)).IfIs(SequenceItem.LastName, last).Add(SequenceItem.LastName, Skip),
                Change.Update(Keys.Progress(state.Id)).Remove(ProgressItem.OwnerName).Add(ProgressItem.FenceName, 1)
                    .Set(ProgressItem.SkippedName, state.Progress.Skipped.With(last + 1, last + Skip).ToString()),
            ]).ConfigureAwait(false) is null;
            if (!isDone)
            {
                throw new StoreException($"{table.Description}: a node takes requests from this table. Stop all nodes that use it, and try again");
            }
        }

        return book.All.Count();
    }

    /// <summary>Lets nodes take requests again.</summary>
    internal static async Task ResumeAsync(RequestsOptions options, string region)
    {
        using var table = new DynamoTable(options, region, new StoreClock(TimeProvider.System));
        await LookAsync(table).ConfigureAwait(false);
        await table.UpdateAsync(Change.Update(Keys.Store).Set(CampaignBook.HeldName, 0)).ConfigureAwait(false);
    }

    private static async Task LookAsync(DynamoTable table) => _ = await table.GetAsync(Keys.Store).ConfigureAwait(false)
        ?? throw new StoreException($"{table.Description} holds no requests: check REQUESTS_TABLE");
}
