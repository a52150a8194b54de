// What must hold between what users were told, what the store has and what the lake has: docs/requests.md.
namespace Estat.Requests.Chaos;

/// <summary>Pure: reads nothing, and says what is broken.</summary>
internal static class Judge
{
    private static readonly HashSet<string> Final = ["SUCCEEDED", "REJECTED", "FAILED_FINAL"];

    /// <summary>Everything that is broken.</summary>
    /// <param name="campaigns">Each campaign's places; null: it has no bound.</param>
    /// <param name="told">What users were told.</param>
    /// <param name="withdrawn">Users whose withdrawal was confirmed, by campaign.</param>
    /// <param name="kept">What the store has, by campaign.</param>
    /// <param name="lake">What the lake has.</param>
    /// <param name="areNumbersByCampaign">Whether each campaign has outcome numbers of its own.</param>
    internal static IReadOnlyList<string> Find(
        IReadOnlyDictionary<string, long?> campaigns, IReadOnlyCollection<Told> told, IReadOnlySet<(string Campaign, string User)> withdrawn,
        IReadOnlyDictionary<string, IReadOnlyList<Kept>> kept, IReadOnlyList<LakeLine> lake, bool areNumbersByCampaign)
    {
        var faults = new List<string>();
        foreach ((string campaign, long? places) in campaigns)
        {
            IReadOnlyList<Kept> requests = kept[campaign];
            Told[] answers = [.. told.Where(answer => answer.Campaign == campaign)];
            FindLost(campaign, answers, requests, faults);
            FindInversions(campaign, answers, faults);
            FindPlaces(campaign, places, requests, faults);
            faults.AddRange(withdrawn.Where(one => one.Campaign == campaign)
                .Where(one => requests.FirstOrDefault(request => request.User == one.User)?.Reason != "withdrawn")
                .Select(one => $"{campaign}: {one.User} was told that the request is withdrawn, and it is not"));
        }

        FindOutcomes(kept, lake, faults);
        foreach (IGrouping<string, LakeLine> lines in lake.GroupBy(line => areNumbersByCampaign ? line.Campaign : "all campaigns"))
        {
            long[] numbers = [.. lines.Select(line => line.Number).Order()];
            if (!numbers.SequenceEqual(Enumerable.Range(1, numbers.Length).Select(number => (long)number)))
            {
                faults.Add($"the lake's numbers of {lines.Key} have gaps: {numbers.Length} lines up to {numbers.LastOrDefault()}");
            }
        }

        return faults;
    }

    private static void FindLost(string campaign, Told[] told, IReadOnlyList<Kept> requests, List<string> faults)
    {
        var byId = requests.ToDictionary(request => request.RequestId);
        faults.AddRange(requests.GroupBy(request => request.User).Where(group => group.Count() > 1)
            .Select(group => $"{campaign}: {group.Key} has {group.Count()} requests"));
        faults.AddRange(requests.GroupBy(request => request.Sequence).Where(group => group.Count() > 1)
            .Select(group => $"{campaign}: sequence {group.Key} was given {group.Count()} times"));
        faults.AddRange(requests.Where(request => !Final.Contains(request.Status))
            .Select(request => $"{campaign}: {request.RequestId} is {request.Status} in the end"));
        foreach (IGrouping<string, Told> answers in told.GroupBy(answer => answer.User))
        {
            if (answers.Select(answer => (answer.RequestId, answer.Sequence)).Distinct().Count() > 1)
            {
                faults.Add($"{campaign}: {answers.Key} was told of several requests");
            }

            Told first = answers.First();
            if (!byId.TryGetValue(first.RequestId, out Kept? request))
            {
                faults.Add($"{campaign}: the 202 of {first.User} is lost");
            }
            else if (request.User != first.User || request.Sequence != first.Sequence)
            {
                faults.Add($"{campaign}: {first.User} was told sequence {first.Sequence}, and the store has {request.User} with {request.Sequence}");
            }
        }
    }

    // If A's 202 had arrived before B's request was sent, A has the lower sequence.
    private static void FindInversions(string campaign, Told[] answers, List<string> faults)
    {
        Told[] told = [.. answers.GroupBy(answer => answer.User).Select(group => group.MinBy(answer => answer.Answered)!)];
        Told[] byAnswer = [.. told.OrderBy(answer => answer.Answered)];
        Told? highest = null;
        int answered = 0;
        foreach (Told later in told.OrderBy(answer => answer.Sent))
        {
            for (; answered < byAnswer.Length && byAnswer[answered].Answered < later.Sent; answered++)
            {
                highest = highest is null || byAnswer[answered].Sequence > highest.Sequence ? byAnswer[answered] : highest;
            }

            if (highest is not null && highest.User != later.User && highest.Sequence > later.Sequence)
            {
                faults.Add($"{campaign}: {later.User} ({later.Sequence}) asked after {highest.User} ({highest.Sequence}) had an answer");
            }
        }
    }

    private static void FindPlaces(string campaign, long? places, IReadOnlyList<Kept> requests, List<string> faults)
    {
        if (places is not { } most)
        {
            return;
        }

        int succeeded = requests.Count(request => request.Status == "SUCCEEDED");
        int eligible = requests.Count(request => request.Status == "SUCCEEDED" || request.Reason is "full" or "not-drawn");
        if (succeeded != Math.Min(most, eligible))
        {
            faults.Add($"{campaign}: {succeeded} got one of {most} places, and {eligible} were eligible");
        }

        // Those of the first generation alone: a redrive takes what is free.
        long lastWinner = requests.Where(request => request is { Status: "SUCCEEDED", Generation: 1 })
            .Select(request => request.Sequence).DefaultIfEmpty(0).Max();
        faults.AddRange(requests
            .Where(request => request is { Reason: "full", Generation: 1 } && request.Sequence < lastWinner)
            .Select(request => $"{campaign}: sequence {request.Sequence} was turned away, and {lastWinner} got a place"));
    }

    private static void FindOutcomes(
        IReadOnlyDictionary<string, IReadOnlyList<Kept>> kept, IReadOnlyList<LakeLine> lake, List<string> faults)
    {
        var lines = lake.ToLookup(line => (line.Campaign, line.RequestId));
        faults.AddRange(lake.GroupBy(line => (line.RequestId, line.Generation)).Where(group => group.Count() > 1)
            .Select(group => $"the lake has {group.Count()} outcomes of {group.Key.RequestId}, generation {group.Key.Generation}"));
        foreach ((string campaign, IReadOnlyList<Kept> requests) in kept)
        {
            foreach (Kept request in requests)
            {
                LakeLine? last = lines[(campaign, request.RequestId)].MaxBy(line => line.Generation);
                if (last is null)
                {
                    faults.Add($"{campaign}: the lake has no outcome of {request.RequestId}");
                }
                else if (last.Generation != request.Generation || last.State != request.Status || (last.Reason ?? "") != request.Reason
                    || last.Sequence != request.Sequence)
                {
                    faults.Add($"{campaign}: the lake has {last}, and the store {request}");
                }
            }
        }
    }
}
