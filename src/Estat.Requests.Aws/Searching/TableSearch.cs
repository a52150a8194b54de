// Searches in the table, without an index.
using System.Globalization;
using Estat.Requests.Aws.Campaigns;
using Estat.Requests.Aws.Deciding;
using Estat.Requests.Aws.Dynamo;
using Estat.Requests.Aws.Items;
using Estat.Requests.Campaigns;
using Estat.Requests.Storing;

namespace Estat.Requests.Aws.Searching;

/// <summary>
/// A user is found in every campaign by the ids that follow from them; dead letters have a partition of their own for each campaign; everything else
/// is looked through along the order logs, so many requests a page. Any thread.
/// </summary>
/// <param name="table">The table.</param>
/// <param name="book">Campaigns.</param>
internal sealed class TableSearch(DynamoTable table, CampaignBook book)
{
    // Requests that a page looks at.
    private const int MostLookedAt = 1_000;

    /// <summary>A part of what fits.</summary>
    /// <exception cref="FormatException">The cursor is none of a search's.</exception>
    internal async Task<RequestPage> SearchAsync(RequestFilter filter, string? cursor, int limit, CancellationToken cancellationToken)
    {
        Place after = Place.Parse(cursor);
        CampaignState[] campaigns = [.. book.All
            .Where(state => filter.CampaignId is null || state.Id == filter.CampaignId)
            .Where(state => state.Campaign.Ordinal >= after.Ordinal).OrderBy(state => state.Campaign.Ordinal)];
        return filter.Id is { } id ? new RequestPage(Fitting(await ReadAsync([id], cancellationToken).ConfigureAwait(false), filter, campaigns), null)
            : filter.User is { } user ? await OfUserAsync(filter, user, campaigns, after, limit, cancellationToken).ConfigureAwait(false)
            : await ScanAsync(filter, campaigns, after, limit, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>The requests of a user, whatever campaign.</summary>
    internal Task<List<RequestRecord>> OfUserAsync(UserId user, CancellationToken cancellationToken) =>
        ReadAsync([.. book.All.Select(state => IdIn(state, user))], cancellationToken);

    /// <summary>Requests, in the order of their ids here; those that are not there are missing.</summary>
    internal async Task<List<RequestRecord>> ReadAsync(IReadOnlyList<RequestId> ids, CancellationToken cancellationToken)
    {
        Dictionary<ItemKey, Item> items = await table.GetManyAsync(
            ids.Select(Keys.Request), RequestItem.WithoutBody, cancellationToken: cancellationToken).ConfigureAwait(false);
        return [.. ids.Select(id => items.GetValueOrDefault(Keys.Request(id))).OfType<Item>().Select(item => RequestItem.Read(item).Shown)];
    }

    private static RequestId IdIn(CampaignState state, UserId user) => RequestId.Of(state.Campaign.Secret.Span, state.Id, user);

    private static List<RequestRecord> Fitting(List<RequestRecord> found, RequestFilter filter, CampaignState[] campaigns) =>
        [.. found.Where(request => filter.Takes(request) && Array.Exists(campaigns, state => state.Campaign.Ordinal == request.CampaignOrdinal))];

    private async Task<RequestPage> OfUserAsync(
        RequestFilter filter, UserId user, CampaignState[] campaigns, Place after, int limit, CancellationToken cancellationToken)
    {
        List<RequestRecord> found = Fitting(
            await ReadAsync([.. campaigns.Select(state => IdIn(state, user))], cancellationToken).ConfigureAwait(false), filter, campaigns);
        return PageOf([.. found.Where(request => Place.Of(request).IsAfter(after)).Take(limit + 1)], limit, null);
    }

    private async Task<RequestPage> ScanAsync(
        RequestFilter filter, CampaignState[] campaigns, Place after, int limit, CancellationToken cancellationToken)
    {
        var found = new List<RequestRecord>();
        int seen = 0;
        Place last = after;
        foreach (CampaignState state in campaigns)
        {
            long next = state.Campaign.Ordinal == after.Ordinal ? after.Sequence + 1 : 1;
            while (true)
            {
                (IReadOnlyList<RequestId> ids, long end) = filter.State == RequestState.FailedFinal
                    ? await DeadLettersAsync(state, next, cancellationToken).ConfigureAwait(false)
                    : await EntriesAsync(state, next, cancellationToken).ConfigureAwait(false);
                List<RequestRecord> some = await ReadAsync(ids, cancellationToken).ConfigureAwait(false);
                found.AddRange(some.Where(filter.Takes));
                if (found.Count > limit)
                {
                    return PageOf(found, limit, null);
                }

                // A campaign without any costs a reading too.
                seen += Math.Max(1, ids.Count);
                last = new Place(state.Campaign.Ordinal, end == 0 ? Place.Longest : end);
                if (seen >= MostLookedAt && (end > 0 || state != campaigns[^1]))
                {
                    return PageOf(found, limit, last);
                }

                if (end == 0)
                {
                    break;
                }

                next = end + 1;
            }
        }

        return PageOf(found, limit, null);
    }

    // The last sequence that was looked for; 0 at the end.
    private async Task<(IReadOnlyList<RequestId> Ids, long End)> EntriesAsync(CampaignState state, long next, CancellationToken cancellationToken)
    {
        long to = state.Campaign.LastSequence;
        if (next > to)
        {
            return ([], 0);
        }

        (List<LogEntry> entries, _, long end) = await new OrderLog(table, state).ReadAsync(next, to, cancellationToken).ConfigureAwait(false);
        return ([.. entries.Select(entry => entry.Id)], end);
    }

    private async Task<(IReadOnlyList<RequestId> Ids, long End)> DeadLettersAsync(
        CampaignState state, long next, CancellationToken cancellationToken)
    {
        List<Item> items = await table.QueryAsync(
            Keys.DeadLettersOf(state.Id), Keys.Number(next), most: Keys.Bucket, cancellationToken: cancellationToken).ConfigureAwait(false);
        return ([.. items.Select(DeadLetterItem.IdOf)],
            items.Count < Keys.Bucket ? 0 : long.Parse(items[^1].Key.Sk, CultureInfo.InvariantCulture));
    }

    private static RequestPage PageOf(List<RequestRecord> found, int limit, Place? next)
    {
        if (found.Count <= limit)
        {
            return new RequestPage(found, next?.ToString());
        }

        found.RemoveRange(limit, found.Count - limit);
        return new RequestPage(found, Place.Of(found[^1]).ToString());
    }

    // Where a page ends.
    private readonly record struct Place(int Ordinal, long Sequence)
    {
        // More than a campaign can have: its end.
        internal const long Longest = 1L << 42;

        internal static Place Of(RequestRecord request) => new(request.CampaignOrdinal, request.Sequence);

        internal static Place Parse(string? cursor)
        {
            if (cursor is null)
            {
                return default;
            }

            string[] parts = cursor.Split('-');
            return parts.Length == 2 && int.TryParse(parts[0], NumberStyles.None, CultureInfo.InvariantCulture, out int ordinal)
                && long.TryParse(parts[1], NumberStyles.None, CultureInfo.InvariantCulture, out long sequence) && sequence <= Longest
                ? new Place(ordinal, sequence) : throw new FormatException("the cursor is not one that a search gave");
        }

        internal bool IsAfter(Place other) => (Ordinal, Sequence).CompareTo((other.Ordinal, other.Sequence)) > 0;

        public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Ordinal}-{Sequence}");
    }
}
