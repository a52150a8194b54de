// How many submissions may wait or be under way: one rule for all stores.
namespace Estat.Requests.Storing;

/// <summary>So many submissions and so many bytes, of which one campaign may hold half. One alone always has room, however large.</summary>
/// <param name="Most">REQUESTS_QUEUE.</param>
/// <param name="MostBytes">REQUESTS_QUEUE_BYTES.</param>
internal readonly record struct SubmissionBounds(int Most, long MostBytes)
{
    /// <summary>Whether there is room for one more.</summary>
    /// <param name="all">How many there are, and their bytes.</param>
    /// <param name="own">How many of them are of its campaign, and their bytes.</param>
    /// <param name="size">Its own bytes.</param>
    internal bool HasRoom((int Count, long Bytes) all, (int Count, long Bytes) own, int size) =>
        all.Count < Most && own.Count < Math.Max(1, Most / 2)
        && (all.Count == 0 || (all.Bytes + size <= MostBytes && (own.Count == 0 || own.Bytes + size <= MostBytes / 2)));
}
