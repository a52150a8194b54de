// Makes a table add up again whose last transactions were restored by halves.
using Estat.Requests.Aws.Campaigns;
using Estat.Requests.Aws.Dynamo;
using Estat.Requests.Aws.Items;
using Estat.Requests.Campaigns;
using Estat.Requests.Storing;

namespace Estat.Requests.Aws.Hosting;

/// <summary>
/// DynamoDB's backups may hold some and not all writes of the last transactions before their moment. Requests are the truth: order log, counts, dead
/// letters and outcomes are made to follow from them. A request without its entry gets it; an entry without its request becomes nobody's. Doing it
/// again changes nothing. No node may use the table meanwhile.
/// </summary>
internal sealed class TableRepair
{
    // Writes at once.
    private const int Together = 25;

    // Outcomes of requests that became final so shortly before the last one may be missing; to write one again is allowed after a restore.
    private static readonly TimeSpan Edge = TimeSpan.FromMinutes(10);

    private readonly DynamoTable _table;
    private readonly Dictionary<int, List<StoredRequest>> _requests = [];
    private readonly Dictionary<string, Dictionary<long, string?>> _entries = [];
    private readonly Dictionary<string, SortedDictionary<long, Outcome>> _outcomes = [];
    private readonly Dictionary<string, List<Item>> _letters = [];
    private readonly List<Change> _puts = [];

    private TableRepair(DynamoTable table) => _table = table;

    /// <summary>Reads the whole table, and repairs these campaigns.</summary>
    internal static async Task RunAsync(DynamoTable table, IEnumerable<CampaignState> campaigns)
    {
        var repair = new TableRepair(table);
        await foreach (Item item in table.ScanAsync().ConfigureAwait(false))
        {
            repair.See(item);
        }

        foreach (CampaignState state in campaigns)
        {
            await repair.RepairAsync(state).ConfigureAwait(false);
        }
    }

    private void See(Item item)
    {
        string[] names = item.Key.Pk.Split('#');
        switch (names[0])
        {
            case "R":
                StoredRequest request = RequestItem.Read(item) with { Body = default };
                Of(_requests, request.Record.CampaignOrdinal).Add(request);
                break;
            case "E":
                Of(_entries, names[1])[Number(item.Key.Sk)] = item.Text("r");
                break;
            case "O":
                Of(_outcomes, names[1])[Number(item.Key.Sk)] = OutcomeItem.Read(names[1], item);
                break;
            case "F":
                Of(_letters, names[1]).Add(item);
                break;
            default:
                break;
        }
    }

    private async Task RepairAsync(CampaignState state)
    {
        string id = state.Id;
        RequestRecord[] requests = [.. Of(_requests, state.Campaign.Ordinal).OrderBy(one => one.Record.Sequence).Select(one => one.Record)];
        long last = Math.Max(state.Sequence.Last, requests.LastOrDefault()?.Sequence ?? 0);
        AddEntries(state, requests, last);
        AddLetters(id, requests);
        foreach (StoredRequest open in Of(_requests, state.Campaign.Ordinal).Where(one => !one.Record.State.IsFinal()))
        {
            _puts.Add(Change.Put(new Item(Keys.Inbox(id, open.Record.Id))));
        }

        long outcome = AddOutcomes(state, requests);
        foreach (Change[] some in _puts.Chunk(Together))
        {
            await Task.WhenAll(some.Select(put => _table.PutAsync(put))).ConfigureAwait(false);
        }

        _puts.Clear();
        ProgressItem progress = state.Progress;
        long settled = (requests.FirstOrDefault(request => !request.State.IsFinal())?.Sequence ?? (last + 1)) - 1;
        int Count(RequestState wanted) => requests.Count(request => request.State == wanted);
        ProgressItem next = progress with
        {
            Sealed = last,
            Settled = settled,
            Decided = state.Campaign.Settings.Policy == CampaignPolicy.Webhook ? Math.Max(settled, Math.Min(progress.Decided, last)) : settled,
            Accepted = requests.Length,
            Processing = Count(RequestState.Processing),
            Succeeded = Count(RequestState.Succeeded),
            Rejected = Count(RequestState.Rejected),
            Failed = Count(RequestState.FailedFinal),
            Outcome = outcome,
            HasTurnedAway = progress.HasTurnedAway || requests.Any(request => request.Reason == Reasons.Full),
        };
        if (await _table.UpdateAsync(progress.To(id, next)).ConfigureAwait(false) is not { } item
            || await _table.UpdateAsync(BatchItem.StartsAfter(id, state.Batch.Stored)).ConfigureAwait(false) is null
            || await _table.UpdateAsync(SequenceItem.AtLeast(id, last - state.Sequence.Last)).ConfigureAwait(false) is null)
        {
            throw new StoreException($"{_table.Description}: campaign {id} is written to. Stop all nodes that use this table, and try again");
        }

        state.See(ProgressItem.Read(item));
    }

    private void AddEntries(CampaignState state, RequestRecord[] requests, long last)
    {
        Dictionary<long, string?> entries = Of(_entries, state.Id);
        Dictionary<long, string> wanted = requests.ToDictionary(request => request.Sequence, request => request.Id.ToString());
        for (long sequence = 1; sequence <= last; sequence++)
        {
            if (state.Progress.Skipped.EndOf(sequence) is { } end)
            {
                sequence = end;
                continue;
            }

            string? whose = wanted.GetValueOrDefault(sequence);
            if (!entries.TryGetValue(sequence, out string? said) || said != whose)
            {
                Item entry = new(Keys.Entry(state.Id, sequence));
                _puts.Add(Change.Put(whose is null ? entry.With("x", 1) : entry.With("r", whose)));
            }
        }
    }

    private void AddLetters(string id, RequestRecord[] requests)
    {
        HashSet<string> known = [.. Of(_letters, id).Select(item => item.Text("id")!)];
        _puts.AddRange(requests.Where(request => request.State == RequestState.FailedFinal && !known.Contains(request.Id.ToString()))
            .Select(request => DeadLetterItem.New(id, request)));
    }

    // Those that are there, and those that may have been lost, under numbers without gaps.
    private long AddOutcomes(CampaignState state, RequestRecord[] requests)
    {
        long stored = state.Batch.Stored;
        Dictionary<RequestId, RequestRecord> byId = requests.ToDictionary(request => request.Id);
        Outcome[] there = [.. Of(_outcomes, state.Id).Where(one => one.Key > stored).Select(one => one.Value)
            .Where(outcome => byId.GetValueOrDefault(outcome.Id) is { } request
                && (request.Generation > outcome.Generation || request.State.IsFinal()))];
        HashSet<(RequestId, int)> known = [.. there.Select(outcome => (outcome.Id, outcome.Generation))];
        long edge = requests.Select(request => request.Times.Final).DefaultIfEmpty(0).Max() - (long)Edge.TotalMilliseconds;
        long number = stored;
        foreach (Outcome outcome in there)
        {
            _puts.Add(OutcomeItem.New(state.Id, ++number, outcome));
        }

        foreach (RequestRecord request in requests.Where(request => request.State.IsFinal() && request.Times.Final >= edge
            && !known.Contains((request.Id, request.Generation))))
        {
            _puts.Add(OutcomeItem.New(state.Id, ++number, request));
        }

        return number;
    }

    private static long Number(string text) => long.Parse(text, System.Globalization.CultureInfo.InvariantCulture);

    private static TValue Of<TKey, TValue>(Dictionary<TKey, TValue> all, TKey key)
        where TKey : notnull
        where TValue : new()
    {
        if (!all.TryGetValue(key, out TValue? value))
        {
            all.Add(key, value = new TValue());
        }

        return value;
    }
}
