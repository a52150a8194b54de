// Rows of requests, as records.
using Estat.Requests.Campaigns;

namespace Estat.Requests.Sqlite;

/// <summary>What every statement that reads requests selects, in one order.</summary>
internal static class RequestRows
{
    /// <summary>The columns.</summary>
    internal const string Columns =
        "key, id, user, state, generation, fence, attempts, received, queued, processing, final, due, reason, result, failure";

    /// <summary>The row that a statement stands on.</summary>
    internal static RequestRecord Read(Statement row)
    {
        long key = row.Long(0);
        return new RequestRecord(
            RequestId.FromBytes(row.Bytes(1)), Schema.CampaignOf(key), Schema.SequenceOf(key), (RequestState)row.Int(3), row.Int(4), row.Int(5),
            row.Int(6), new RequestTimes(row.Long(7), row.Long(8), row.Long(9), row.Long(10)))
        {
            User = UserId.Of(row.Bytes(2)),
            Due = row.Long(11),
            Reason = row.Text(12),
            Result = row.Text(13),
            Failure = row.Text(14),
        };
    }

    /// <summary>The key of a request.</summary>
    internal static long KeyOf(RequestRecord request) => Schema.Key(request.CampaignOrdinal, request.Sequence);
}
