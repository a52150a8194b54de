// Reads a whole table, and finds what does not add up.
using Estat.Requests.Aws.Dynamo;
using Estat.Requests.Aws.Items;

namespace Estat.Requests.Tests.Dynamo;

/// <summary>Of a table whose campaigns are all decided, and that nobody writes to.</summary>
internal sealed class TableScan
{
    private readonly List<Item> _items;

    private TableScan(List<Item> items) => _items = items;

    internal IReadOnlyList<StoredRequest> Requests => [.. Of("R#").Select(RequestItem.Read)];

    internal static async Task<TableScan> ReadAsync(DynamoTable table)
    {
        var items = new List<Item>();
        await foreach (Item item in table.ScanAsync())
        {
            items.Add(item);
        }

        return new TableScan(items);
    }

    /// <summary>What is broken; nothing, if all is well.</summary>
    internal IEnumerable<string> Faults()
    {
        ILookup<int, StoredRequest> requests = Requests.ToLookup(request => request.Record.CampaignOrdinal);
        foreach (DirectoryItem directory in Of("CAMPAIGNS").Select(DirectoryItem.Read))
        {
            string id = directory.Campaign.Id;
            ProgressItem progress = ProgressItem.Read(_items.Single(item => item.Key == Keys.Progress(id)));
            SequenceItem sequence = SequenceItem.Read(_items.Single(item => item.Key == Keys.Sequence(id)));
            StoredRequest[] own = [.. requests[directory.Campaign.Ordinal]];
            string counted = string.Join(' ', Count(own, RequestState.Succeeded), Count(own, RequestState.Rejected),
                Count(own, RequestState.FailedFinal), own.Length);
            string said = $"{progress.Succeeded} {progress.Rejected} {progress.Failed} {progress.Accepted}";
            if (counted != said)
            {
                yield return $"{id}: the progress says {said}, and {counted} are there";
            }

            if (progress.Sealed != sequence.Last)
            {
                yield return $"{id}: sealed to {progress.Sealed} of {sequence.Last}";
            }

            Dictionary<long, string?> entries = Of($"E#{id}#").ToDictionary(
                item => long.Parse(item.Key.Sk, System.Globalization.CultureInfo.InvariantCulture), item => item.Text("r"));
            foreach (RequestRecord request in own.Select(one => one.Record).Where(one => entries.GetValueOrDefault(one.Sequence) != $"{one.Id}"))
            {
                yield return $"{id}: request {request.Id} has no entry under {request.Sequence}";
            }

            if (entries.Count != sequence.Last || entries.Values.Count(entry => entry is not null) != own.Length)
            {
                yield return $"{id}: {entries.Count} entries of {sequence.Last} sequences, for {own.Length} requests";
            }

            string[] letters = [.. Of($"F#{id}").Select(item => item.Text("id")!).Order()];
            string[] failed =
                [.. own.Select(one => one.Record).Where(one => one.State == RequestState.FailedFinal).Select(one => $"{one.Id}").Order()];
            if (!letters.SequenceEqual(failed))
            {
                yield return $"{id}: {letters.Length} dead letters, and {failed.Length} requests that failed";
            }

            if (_items.Exists(item => item.Key.Pk == Keys.InboxOf(id)))
            {
                yield return $"{id}: the inbox is not empty";
            }

            foreach (StoredRequest open in own.Where(request => !request.Record.State.IsFinal()))
            {
                yield return $"{id}: request {open.Record.Id} is {open.Record.State}";
            }
        }
    }

    private static int Count(StoredRequest[] requests, RequestState state) => requests.Count(request => request.Record.State == state);

    private IEnumerable<Item> Of(string partition) => _items.Where(item => item.Key.Pk.StartsWith(partition, StringComparison.Ordinal));
}
