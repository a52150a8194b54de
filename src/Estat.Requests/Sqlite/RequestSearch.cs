// Searches beside the writer.
using System.Globalization;
using Estat.Requests.Campaigns;
using Estat.Requests.Storing;

namespace Estat.Requests.Sqlite;

/// <summary>
/// A user is found in every campaign by the ids that follow from them: no index of users has to be written with each request. FAILED_FINAL has an
/// index; other searches go through the campaigns in order, so many rows a page, and a page may be empty and have a cursor.
/// </summary>
/// <param name="readers">Connections.</param>
/// <param name="campaigns">All campaigns, as of the last commit.</param>
internal sealed class RequestSearch(ReaderPool readers, Func<IReadOnlyCollection<Campaign>> campaigns)
{
    // Rows that a page looks at: some ten milliseconds' worth.
    private const int MostLookedAt = 20_000;

    /// <summary>A part of what fits.</summary>
    /// <exception cref="FormatException">The cursor is none of this search's.</exception>
    internal async Task<RequestPage> SearchAsync(RequestFilter filter, string? cursor, int limit, CancellationToken cancellationToken)
    {
        long after = cursor is null ? 0
            : long.TryParse(cursor, NumberStyles.None, CultureInfo.InvariantCulture, out long key) ? key
            : throw new FormatException("the cursor is not one that a search gave");
        Campaign? campaign = null;
        if (filter.CampaignId is not null && (campaign = campaigns().FirstOrDefault(known => known.Id == filter.CampaignId)) is null)
        {
            return new RequestPage([], null);
        }

        return await readers.ReadAsync(
            reader => filter.Id is { } id ? OfId(reader, filter, id, campaign)
                : filter.User is { } user ? OfUser(reader, filter, user, campaign, after, limit)
                : Scan(reader, filter, campaign, after, limit),
            cancellationToken).ConfigureAwait(false);
    }

    private static RequestPage OfId(Reader reader, RequestFilter filter, RequestId id, Campaign? campaign)
    {
        RequestRecord? found = reader.Find(id);
        return new RequestPage(
            found is not null && filter.Takes(found) && (campaign is null || campaign.Ordinal == found.CampaignOrdinal) ? [found] : [], null);
    }

    private RequestPage OfUser(Reader reader, RequestFilter filter, UserId user, Campaign? only, long after, int limit)
    {
        IEnumerable<Campaign> all = only is null
            ? campaigns().Where(campaign => campaign.Ordinal >= Schema.CampaignOf(after)).OrderBy(campaign => campaign.Ordinal) : [only];
        return PageOf(
            [
                .. all.Select(campaign => reader.Find(RequestId.Of(campaign.Secret.Span, campaign.Id, user))).OfType<RequestRecord>()
                    .Where(request => RequestRows.KeyOf(request) > after && filter.Takes(request)).Take(limit + 1),
            ],
            limit);
    }

    private static RequestPage Scan(Reader reader, RequestFilter filter, Campaign? campaign, long after, int limit)
    {
        long last = Math.Max(after, campaign is null ? 0 : Schema.Key(campaign.Ordinal, 0));

        // Those have an index. Others are looked through, so many rows a page, whatever fits.
        string state = filter.State == RequestState.FailedFinal ? "AND state = 5 " : "";
        using Statement scan = reader.Prepare(
            $"SELECT {RequestRows.Columns} FROM request WHERE key > ?1 AND key < ?2 {state}ORDER BY key LIMIT {MostLookedAt}");
        scan.Bind(1, last).Bind(2, campaign is null ? long.MaxValue : Schema.End(campaign.Ordinal));
        var found = new List<RequestRecord>();
        int seen = 0;
        while (found.Count <= limit && scan.Step())
        {
            RequestRecord request = RequestRows.Read(scan);
            if (filter.Takes(request))
            {
                found.Add(request);
            }

            seen++;
            last = RequestRows.KeyOf(request);
        }

        scan.Reset();
        return found.Count > limit ? PageOf(found, limit) : new RequestPage(found, seen == MostLookedAt ? Text(last) : null);
    }

    private static RequestPage PageOf(List<RequestRecord> found, int limit)
    {
        if (found.Count <= limit)
        {
            return new RequestPage(found, null);
        }

        found.RemoveRange(limit, found.Count - limit);
        return new RequestPage(found, Text(RequestRows.KeyOf(found[^1])));
    }

    private static string Text(long key) => key.ToString(CultureInfo.InvariantCulture);
}
