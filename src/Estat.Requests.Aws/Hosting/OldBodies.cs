// Bodies that are kept no longer.
using Estat.Requests.Aws.Campaigns;
using Estat.Requests.Aws.Deciding;
using Estat.Requests.Aws.Dynamo;
using Estat.Requests.Aws.Items;
using Estat.Requests.Campaigns;

namespace Estat.Requests.Aws.Hosting;

/// <summary>
/// Goes along the order log of each campaign that this node decides, or that is finished, from the first request that has a body, up to the first
/// that is too young. So after its first round it reads little. One caller at a time.
/// </summary>
/// <param name="table">The table.</param>
/// <param name="book">Campaigns.</param>
/// <param name="isOwn">Whether this node decides a campaign.</param>
internal sealed class OldBodies(DynamoTable table, CampaignBook book, Func<string, bool> isOwn)
{
    // Up to which sequence no request has a body, by campaign. A restart forgets it, and reads once more.
    private readonly Dictionary<string, long> _clean = new(StringComparer.Ordinal);

    /// <summary>Deletes bodies of requests that were decided before a moment.</summary>
    /// <param name="before">Milliseconds since 1970.</param>
    /// <param name="most">How many, or a few more.</param>
    /// <returns>How many went: fewer only if there are no more.</returns>
    internal async Task<int> DropAsync(long before, int most)
    {
        int dropped = 0;
        foreach (CampaignState state in book.All.Where(state => isOwn(state.Id) || !state.IsUnfinished))
        {
            long next = _clean.GetValueOrDefault(state.Id) + 1;
            bool isClean = true;
            while (dropped < most && next <= state.Campaign.Decided)
            {
                (List<LogEntry> entries, _, long last) = await new OrderLog(table, state).ReadAsync(
                    next, state.Campaign.Decided, CancellationToken.None).ConfigureAwait(false);
                (int some, bool areClean, bool isYoung) = await DropAsync(entries, before).ConfigureAwait(false);
                dropped += some;
                isClean &= areClean;
                if (isClean)
                {
                    _clean[state.Id] = last;
                }

                if (isYoung)
                {
                    break;
                }

                next = last + 1;
            }
        }

        return dropped;
    }

    private async Task<(int Dropped, bool AreClean, bool IsYoung)> DropAsync(List<LogEntry> entries, long before)
    {
        Dictionary<ItemKey, Item> items = await table.GetManyAsync(entries.Select(entry => Keys.Request(entry.Id)), RequestItem.WithoutBody)
            .ConfigureAwait(false);
        int dropped = 0;
        bool areClean = true;
        int decided = 0;
        int young = 0;
        foreach (StoredRequest request in items.Values.Select(RequestItem.Read))
        {
            bool isDecided = request.Record.State is RequestState.Succeeded or RequestState.Rejected;
            bool isOld = isDecided && request.Record.Times.Final < before;
            if (isOld && request.BodyLength > 0
                && await table.UpdateAsync(RequestItem.DropBody(request.Record)).ConfigureAwait(false) is not null)
            {
                dropped++;
            }

            // Without a body, but not decided: nothing will ever have to go, except that the next ones are young too.
            areClean &= isOld || request.BodyLength == 0;
            decided += isDecided ? 1 : 0;
            young += isDecided && !isOld ? 1 : 0;
        }

        return (dropped, areClean, decided > 0 && young == decided);
    }
}
