// What must hold between what users were told, a backup that was brought back, and what came after it: docs/requests.md, "Backup".
namespace Estat.Requests.Chaos;

/// <summary>A request that was accepted before the store was lost.</summary>
/// <param name="Told">What its user was told.</param>
/// <param name="State">The final state that its user was told; null while it had none.</param>
internal sealed record Taken(Told Told, string? State);

/// <summary>Pure: reads nothing, and says what is broken.</summary>
internal static class BackupJudge
{
    /// <summary>What is wrong with the store as it was restored.</summary>
    /// <param name="taken">What was accepted before the loss.</param>
    /// <param name="perhaps">Users who got no answer.</param>
    /// <param name="began">When the backup was asked for.</param>
    /// <param name="restored">All requests of the restored store, by campaign.</param>
    internal static IReadOnlyList<string> FindRestored(
        IReadOnlyCollection<Taken> taken, IReadOnlyCollection<string> perhaps, long began, IReadOnlyDictionary<string, IReadOnlyList<Kept>> restored)
    {
        var faults = new List<string>();
        foreach ((string campaign, IReadOnlyList<Kept> requests) in restored)
        {
            FindDoubled(campaign, requests, faults);
            ILookup<string, Kept> byUser = requests.ToLookup(request => request.User);
            long last = requests.Select(request => request.Sequence).DefaultIfEmpty(0).Max();
            Taken[] ours = [.. taken.Where(request => request.Told.Campaign == campaign)];
            foreach (Taken request in ours)
            {
                Told told = request.Told;
                Kept? kept = byUser[told.User].FirstOrDefault();
                bool isBefore = told.Answered < began;
                if (kept is null && (isBefore || told.Sequence <= last))
                {
                    faults.Add(isBefore ? $"{campaign}: {told.User} was accepted before the backup, and is not in it"
                        : $"{campaign}: the backup has sequence {last}, and lacks {told.Sequence} of {told.User}");
                }
                else if (kept is not null && (kept.RequestId != told.RequestId || kept.Sequence != told.Sequence))
                {
                    faults.Add($"{campaign}: {told.User} was told {told.Sequence}, and the backup has {kept.Sequence}");
                }
                else if (kept is not null && isBefore && request.State is { } state && kept.Status != state)
                {
                    faults.Add($"{campaign}: {told.User} was told {state} before the backup, and it has {kept.Status}");
                }
            }

            HashSet<string> known = [.. ours.Select(request => request.Told.User), .. perhaps];
            faults.AddRange(requests.Where(request => !known.Contains(request.User))
                .Select(request => $"{campaign}: {request.User} was never accepted, and is in the backup"));
        }

        return faults;
    }

    /// <summary>What is wrong in the end.</summary>
    /// <param name="places">Each campaign's.</param>
    /// <param name="taken">What was accepted before the loss.</param>
    /// <param name="restored">All requests of the restored store, before it accepted any.</param>
    /// <param name="after">What users were told afterwards.</param>
    /// <param name="kept">All requests of the store in the end.</param>
    internal static IReadOnlyList<string> FindInTheEnd(
        IReadOnlyDictionary<string, long> places, IReadOnlyCollection<Taken> taken, IReadOnlyDictionary<string, IReadOnlyList<Kept>> restored,
        IReadOnlyCollection<Told> after, IReadOnlyDictionary<string, IReadOnlyList<Kept>> kept)
    {
        var faults = new List<string>();
        foreach ((string campaign, IReadOnlyList<Kept> requests) in kept)
        {
            FindDoubled(campaign, requests, faults);
            Dictionary<string, Kept> byUser = requests.DistinctBy(request => request.User).ToDictionary(request => request.User);
            faults.AddRange(restored[campaign]
                .Where(request => !byUser.TryGetValue(request.User, out Kept? now) || now.RequestId != request.RequestId
                    || now.Sequence != request.Sequence || (request.Status is "SUCCEEDED" or "REJECTED" && now.Status != request.Status))
                .Select(request => $"{campaign}: {request.User} was restored as {request}, and is {byUser.GetValueOrDefault(request.User)}"));
            Dictionary<long, string> before = taken.Where(request => request.Told.Campaign == campaign)
                .ToDictionary(request => request.Told.Sequence, request => request.Told.User);
            long highest = before.Keys.DefaultIfEmpty(0).Max();
            HashSet<string> wereIn = [.. restored[campaign].Select(request => request.User)];
            foreach (Told told in after.Where(told => told.Campaign == campaign))
            {
                if (!byUser.TryGetValue(told.User, out Kept? now) || now.RequestId != told.RequestId || now.Sequence != told.Sequence)
                {
                    faults.Add($"{campaign}: the 202 of {told.User} after the restore is lost");
                }
                else if (!wereIn.Contains(told.User) && told.Sequence <= highest)
                {
                    faults.Add($"{campaign}: {told.User} got sequence {told.Sequence} after the restore, and {highest} was told before the loss");
                }
            }

            int succeeded = requests.Count(request => request.Status == "SUCCEEDED");
            if (succeeded != Math.Min(places[campaign], requests.Count))
            {
                faults.Add($"{campaign}: {succeeded} of {requests.Count} got one of {places[campaign]} places");
            }

            faults.AddRange(requests.Where(request => request.Status is not ("SUCCEEDED" or "REJECTED"))
                .Select(request => $"{campaign}: {request.User} is {request.Status} in the end"));
            long lastWinner = requests.Where(request => request.Status == "SUCCEEDED").Select(request => request.Sequence).DefaultIfEmpty(0).Max();
            faults.AddRange(requests.Where(request => request.Reason == "full" && request.Sequence < lastWinner)
                .Select(request => $"{campaign}: sequence {request.Sequence} was turned away, and {lastWinner} got a place"));
        }

        return faults;
    }

    /// <summary>What is wrong in the lake, which both lives of the store wrote to.</summary>
    internal static IReadOnlyList<string> FindInTheLake(
        IReadOnlyList<(string Epoch, LakeLine Line)> lake, IReadOnlyDictionary<string, IReadOnlyList<Kept>> kept)
    {
        var faults = new List<string>();
        foreach (IGrouping<string, LakeLine> life in lake.GroupBy(line => line.Epoch, line => line.Line))
        {
            long[] numbers = [.. life.Select(line => line.Number).Order()];
            if (!numbers.SequenceEqual(Enumerable.Range(0, numbers.Length).Select(number => numbers[0] + number)))
            {
                faults.Add($"the lake's numbers of {life.Key} have gaps: {numbers.Length} lines from {numbers[0]} to {numbers[^1]}");
            }

            faults.AddRange(life.GroupBy(line => (line.RequestId, line.Generation)).Where(group => group.Count() > 1)
                .Select(group => $"{life.Key} wrote {group.Count()} outcomes of {group.Key.RequestId}"));
        }

        ILookup<string, LakeLine> lines = lake.ToLookup(line => line.Line.RequestId, line => line.Line);
        faults.AddRange(kept.SelectMany(campaign => campaign.Value)
            .Where(request => !lines[request.RequestId].Any(line => line.State == request.Status && line.Sequence == request.Sequence))
            .Select(request => $"the lake has no outcome of {request}"));
        return faults;
    }

    private static void FindDoubled(string campaign, IReadOnlyList<Kept> requests, List<string> faults)
    {
        faults.AddRange(requests.GroupBy(request => request.User).Where(group => group.Count() > 1)
            .Select(group => $"{campaign}: {group.Key} has {group.Count()} requests"));
        faults.AddRange(requests.GroupBy(request => request.Sequence).Where(group => group.Count() > 1)
            .Select(group => $"{campaign}: sequence {group.Key} was given {group.Count()} times"));
    }
}
