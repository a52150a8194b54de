// The requests that take part in a draw.
using Estat.Requests.Aws.Campaigns;
using Estat.Requests.Aws.Deciding;
using Estat.Requests.Aws.Dynamo;
using Estat.Requests.Campaigns;
using Estat.Requests.Storing;

namespace Estat.Requests.Aws.Searching;

/// <summary>All of a campaign that has closed, but for those that were withdrawn, by their ids. Any thread.</summary>
/// <param name="table">The table.</param>
/// <param name="book">The campaigns.</param>
/// <param name="search">Reads requests.</param>
internal sealed class TableDraw(DynamoTable table, CampaignBook book, TableSearch search)
{
    private const int PartsAtOnce = 16;

    /// <summary>Reads it.</summary>
    /// <exception cref="StoreException">The campaign has not closed, or an item is missing.</exception>
    internal async Task<IReadOnlyList<RequestId>> ReadAsync(Campaign campaign, CancellationToken cancellationToken)
    {
        CampaignState state = await book.RefreshAsync(campaign.Id, cancellationToken).ConfigureAwait(false)
            ?? throw new StoreException($"{table.Description}: there is no campaign {campaign.Id}");
        if (state.Campaign.ClosedAt is null)
        {
            throw new StoreException($"{table.Description}: campaign {campaign.Id} has not closed to its end yet. Try again");
        }

        // Some parts at once: a list of a million takes a quarter of a minute.
        var log = new OrderLog(table, state);
        var ids = new List<RequestId>();
        for (long next = 1; next <= state.Sequence.Last;)
        {
            var parts = new List<Task<IReadOnlyList<RequestId>>>();
            while (parts.Count < PartsAtOnce && next <= state.Sequence.Last)
            {
                long last = log.EndOfPart(next, state.Sequence.Last);
                parts.Add(ReadAsync(log, next, last, cancellationToken));
                next = last + 1;
            }

            ids.AddRange((await Task.WhenAll(parts).ConfigureAwait(false)).SelectMany(part => part));
        }

        ids.Sort();
        return ids;
    }

    private async Task<IReadOnlyList<RequestId>> ReadAsync(OrderLog log, long from, long to, CancellationToken cancellationToken)
    {
        (List<LogEntry> entries, List<long> gaps, _) = await log.ReadAsync(from, to, cancellationToken).ConfigureAwait(false);
        if (gaps.Count > 0)
        {
            throw new StoreException($"{table.Description}: sequence {gaps[0]} is open in a campaign that has closed. Was an item deleted by hand?");
        }

        List<RequestRecord> requests = await search.ReadAsync([.. entries.Select(entry => entry.Id)], cancellationToken).ConfigureAwait(false);
        return requests.Count == entries.Count
            ? [.. requests.Where(request => request.Reason != Reasons.Withdrawn).Select(request => request.Id)]
            : throw new StoreException($"{table.Description}: a request between {from} and {to} is in the order log and not in the table. "
                + "Was an item deleted by hand?");
    }
}
