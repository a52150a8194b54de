// A campaign's sequences in order: whose each is.
using System.Globalization;
using Estat.Requests.Aws.Campaigns;
using Estat.Requests.Aws.Dynamo;
using Estat.Requests.Aws.Items;
using Estat.Requests.Campaigns;

namespace Estat.Requests.Aws.Deciding;

/// <summary>A sequence that a request was stored under.</summary>
/// <param name="Sequence">The sequence.</param>
/// <param name="Id">The request.</param>
internal readonly record struct LogEntry(long Sequence, RequestId Id);

/// <summary>
/// A sequence is given before its request is stored, so the log may have gaps. A gap that lasts is sealed: its entry then says that it is nobody's,
/// and the request that comes for it after all takes another sequence. An entry never changes. Any thread.
/// </summary>
/// <param name="table">The table.</param>
/// <param name="state">Whose log.</param>
internal sealed class OrderLog(DynamoTable table, CampaignState state)
{
    private readonly string _campaign = state.Id;

    // Writes at once.
    private const int Together = 25;

    private const string Request = "r";
    private const string Nobody = "x";

    /// <summary>A request's entry, which must be new.</summary>
    internal static Change Enter(string campaign, long sequence, RequestId id) =>
        Change.Put(new Item(Keys.Entry(campaign, sequence)).With(Request, id.ToString())).IfNew();

    /// <summary>Reads entries.</summary>
    /// <param name="from">The first sequence.</param>
    /// <param name="to">The last one; at most to the end of the first one's bucket is read.</param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <returns>The entries, in order; the sequences that have none yet; and the last sequence that was looked for.</returns>
    internal async Task<(List<LogEntry> Entries, List<long> Gaps, long Last)> ReadAsync(long from, long to, CancellationToken cancellationToken)
    {
        long last = EndOfPart(from, to);
        if (state.Progress.Skipped.EndOf(from) is not null)
        {
            return ([], [], last);
        }

        List<Item> items = await table.QueryAsync(
            Keys.LogOf(_campaign, from), Keys.Number(from), Keys.Number(last), cancellationToken: cancellationToken).ConfigureAwait(false);
        var entries = new List<LogEntry>();
        var gaps = new List<long>();
        long next = from;
        foreach (Item item in items)
        {
            long sequence = long.Parse(item.Key.Sk, CultureInfo.InvariantCulture);
            for (; next < sequence; next++)
            {
                gaps.Add(next);
            }

            next = sequence + 1;
            if (item.Text(Request) is { } id)
            {
                entries.Add(new LogEntry(sequence, RequestId.Parse(id)!.Value));
            }
        }

        for (; next <= last; next++)
        {
            gaps.Add(next);
        }

        return (entries, gaps, last);
    }

    /// <summary>The last sequence that one reading from a sequence looks for.</summary>
    internal long EndOfPart(long from, long to)
    {
        SkippedSequences skipped = state.Progress.Skipped;
        return skipped.EndOf(from) is { } end ? Math.Min(end, to)
            : skipped.Before(from, Math.Min(to, (((from / Keys.Bucket) + 1) * Keys.Bucket) - 1));
    }

    /// <summary>Gives sequences up, unless requests were stored under them meanwhile.</summary>
    internal async Task SealAsync(IReadOnlyCollection<long> gaps, CancellationToken cancellationToken = default)
    {
        foreach (long[] some in gaps.Chunk(Together))
        {
            await Task.WhenAll(some.Select(sequence => table.PutAsync(
                Change.Put(new Item(Keys.Entry(_campaign, sequence)).With(Nobody, 1)).IfNew(), cancellationToken))).ConfigureAwait(false);
        }
    }

    /// <summary>Gives up every sequence that has no entry.</summary>
    internal async Task SealAllAsync(long from, long to, Func<Task>? onStep = null, CancellationToken cancellationToken = default)
    {
        for (long next = from; next <= to;)
        {
            (_, List<long> gaps, long last) = await ReadAsync(next, to, cancellationToken).ConfigureAwait(false);
            await SealAsync(gaps, cancellationToken).ConfigureAwait(false);
            await (onStep?.Invoke() ?? Task.CompletedTask).ConfigureAwait(false);
            next = last + 1;
        }
    }
}
