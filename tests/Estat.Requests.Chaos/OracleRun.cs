// One run: users ask, the server dies and comes back, and in the end everything is read.
using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using System.Text.Json;

namespace Estat.Requests.Chaos;

/// <summary>Real processes, a real disk, SIGKILL.</summary>
internal sealed class OracleRun(OracleOptions options, TextWriter output) : IAsyncDisposable
{
    private const string FirstCome = "sale";
    private const string Draw = "prize";
    private const string Webhook = "hook";
    private const int Places = 1_000;
    private const int Winners = 100;
    private const string Rush = "rush";
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(5);

    private readonly TempFolder _folder = new();
    private readonly ConcurrentQueue<Told> _told = new();
    private readonly ConcurrentDictionary<(string Campaign, string User), bool> _withdrawn = new();
    private readonly ConcurrentDictionary<(string Campaign, string User), long> _sent = new();
    private readonly DecidingShop _shop = new();
    private Nodes? _nodes;
    private long _answers;

    /// <summary>Runs it.</summary>
    /// <returns>What is broken.</returns>
    internal async Task<IReadOnlyList<string>> RunAsync()
    {
        await _shop.StartAsync();
        output.WriteLine($"{options.Users} users in {options.Campaigns.Count} campaigns, a disturbance every {options.Every.TotalSeconds} s, "
            + $"seed {options.Seed}");
        await using Nodes nodes = options.Store == "dynamodb" ? await DynamoNodes.StartAsync(_folder) : await OneNode.StartAsync(_folder);
        _nodes = nodes;
        await MakeAsync(nodes.Client);
        await LoadAsync(nodes);
        output.WriteLine($"{_told.Count} answers to {_answers} HTTP requests, {nodes.Disturbances}, {_withdrawn.Count} withdrawals");
        if (options.Campaigns.Contains(Draw))
        {
            await Readings.PostAsync(nodes.Client, $"/admin/campaigns/{Draw}/close");
        }

        await UntilDecidedAsync(nodes);
        if (options.Campaigns.Contains(Webhook))
        {
            await RedriveAsync(nodes);
        }

        await nodes.UntilAsync(
            metrics => metrics["estat_requests_outcomes_pending"], pending => pending == 0, Patience, "all outcomes to be in the lake");
        Dictionary<string, IReadOnlyList<Kept>> kept = [];
        foreach (string campaign in options.Campaigns)
        {
            kept[campaign] = await Readings.KeptAsync(nodes.Client, campaign);
        }

        List<string> faults = [.. await CheckConservationAsync(nodes, kept.Sum(campaign => campaign.Value.Count))];
        await nodes.StopAsync();
        Sabotage(kept);
        faults.AddRange(Judge.Find(
            options.Campaigns.ToDictionary(campaign => campaign, PlacesOf), [.. _told],
            _withdrawn.Keys.ToHashSet(), kept, [.. Readings.Lake(_folder["data"]).Select(line => line.Line)], nodes.HaveNumbersByCampaign));
        return faults;
    }

    public async ValueTask DisposeAsync()
    {
        await _shop.DisposeAsync();
        _folder.Dispose();
    }

    private static long? PlacesOf(string campaign) => campaign switch
    {
        FirstCome or Rush => Places,
        Draw => Winners,
        _ => null,
    };

    private async Task MakeAsync(HttpClient client)
    {
        string opens = DateTimeOffset.UtcNow.AddMinutes(-1).ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);
        string closes = DateTimeOffset.UtcNow.AddDays(1).ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);
        await Readings.PutAsync(client, Rush, $$"""{"policy":"first-come","opensAt":"{{opens}}","capacity":{{Places}}}""");
        await Readings.PutAsync(client, FirstCome, $$"""{"policy":"first-come","opensAt":"{{opens}}","capacity":{{Places}}}""");
        await Readings.PutAsync(client, Draw, $$"""{"policy":"draw","opensAt":"{{opens}}","closesAt":"{{closes}}","winners":{{Winners}}}""");
        await Readings.PutAsync(
            client, Webhook,
            $$$"""{"policy":"webhook","opensAt":"{{{opens}}}","webhook":{"url":"{{{_shop.Url}}}","secrets":["{{{DecidingShop.Secret}}}"],"""
            + "\"concurrency\":64}}");
    }

    // The disturbances go on until every sender is done. Half-way, one campaign closes.
    private async Task LoadAsync(Nodes nodes)
    {
        var users = new ConcurrentQueue<(string User, string Campaign)>(Shuffled());
        Task[] sending =
        [
            .. Enumerable.Range(0, options.Senders).Select(sender => Task.Run(() => SendAsync(users, new Random(options.Seed + sender)))),
        ];
        Task all = Task.WhenAll(sending);
        int half = users.Count / 2;
        Task closing = options.Campaigns.Contains(Rush) ? CloseAsync(nodes, () => users.Count <= half) : Task.CompletedTask;
        var clock = Stopwatch.StartNew();
        bool isDisturbed = false;
        while (await Task.WhenAny(all, Task.Delay(options.Every)) != all || !isDisturbed) // also where all were faster
        {
            string what = await nodes.DisturbAsync();
            output.WriteLine($"{clock.Elapsed.TotalSeconds,6:0} s: {what}, {users.Count} to go, {_told.Count} answers");
            isDisturbed = true;
        }

        await nodes.CalmAsync();
        await all;
        await closing;
    }

    private static async Task CloseAsync(Nodes nodes, Func<bool> isTime)
    {
        await Wait.UntilAsync(isTime, Patience, "half of the users");
        while (true)
        {
            try
            {
                await Readings.PostAsync(nodes.Client, $"/admin/campaigns/{Rush}/close");
                return;
            }
            catch (Exception error) when (error is HttpRequestException or TaskCanceledException or InvalidOperationException)
            {
                await Task.Delay(100); // the node was killed, or its store is away: again, as an operator would
            }
        }
    }

    private (string User, string Campaign)[] Shuffled()
    {
        var dice = new Random(options.Seed);
        (string User, string Campaign)[] all =
        [
            .. from user in Enumerable.Range(0, options.Users)
               from campaign in options.Campaigns
               select (string.Create(CultureInfo.InvariantCulture, $"user{user}"), campaign),
        ];
        dice.Shuffle(all);
        return all;
    }

    private async Task SendAsync(ConcurrentQueue<(string User, string Campaign)> users, Random dice)
    {
        using var client = Nodes.NewClient();
        while (users.TryDequeue(out (string User, string Campaign) next))
        {
            // Some ask several times, also at once, as impatient people do: three copies for each first one, on the whole.
            int copies = dice.Next(8) == 0 ? 25 : 1;
            Told? told = await AskAsync(client, next.Campaign, next.User);
            if (copies > 1)
            {
                await Task.WhenAll(Enumerable.Range(1, copies - 1).Select(_ => AskAsync(client, next.Campaign, next.User)));
            }

            if (told is not null && dice.Next(50) == 0)
            {
                await WithdrawAsync(client, told);
            }
        }
    }

    // Until there is an answer that says where the request is: a user's page does the same.
    private async Task<Told?> AskAsync(HttpClient client, string campaign, string user)
    {
        while (true)
        {
            long sent = _sent.GetOrAdd((campaign, user), static _ => Stopwatch.GetTimestamp());
            try
            {
                using var request = new HttpRequestMessage(HttpMethod.Post, _nodes!.To($"/campaigns/{campaign}/requests"));
                request.Headers.Add("X-User-Id", user);
                Interlocked.Increment(ref _answers);
                using HttpResponseMessage answer = await client.SendAsync(request);
                if ((int)answer.StatusCode is 200 or 202)
                {
                    using JsonDocument body = JsonDocument.Parse(await answer.Content.ReadAsByteArrayAsync());
                    var told = new Told(
                        campaign, user, body.RootElement.GetProperty("requestId").GetString()!, body.RootElement.GetProperty("sequence").GetInt64(),
                        sent, Stopwatch.GetTimestamp());
                    _told.Enqueue(told);
                    return told;
                }

                if ((int)answer.StatusCode == 410 && campaign == Rush)
                {
                    return null; // closed, and this user was not in
                }

                if ((int)answer.StatusCode is not (503 or 429))
                {
                    throw new InvalidOperationException($"{campaign}, {user}: {(int)answer.StatusCode} {await answer.Content.ReadAsStringAsync()}");
                }
            }
            catch (Exception error) when (error is HttpRequestException or TaskCanceledException or IOException)
            {
                // It was killed: it may have been taken or not.
            }

            await Task.Delay(20);
        }
    }

    private async Task WithdrawAsync(HttpClient client, Told told)
    {
        try
        {
            using var request = new HttpRequestMessage(HttpMethod.Delete, _nodes!.To($"/requests/{told.RequestId}"));
            request.Headers.Add("X-User-Id", told.User);
            using HttpResponseMessage answer = await client.SendAsync(request);
            if (answer.IsSuccessStatusCode)
            {
                _withdrawn[(told.Campaign, told.User)] = true;
            }
        }
        catch (Exception error) when (error is HttpRequestException or TaskCanceledException or IOException)
        {
            // Nobody knows; whatever became of it is right.
        }
    }

    private static Task UntilDecidedAsync(Nodes nodes) => nodes.UntilAsync(
        metrics => metrics["estat_requests_current{state=\"received\"}"] + metrics["estat_requests_current{state=\"queued\"}"]
            + metrics["estat_requests_current{state=\"processing\"}"],
        open => open == 0, Patience, "every request to be decided");

    // What the endpoint refused for good is tried once more, now that it is well; twice, which must be the same as once.
    private async Task RedriveAsync(Nodes nodes)
    {
        _shop.IsWell = true;
        for (int i = 0; i < 2; i++)
        {
            string body = await Readings.PostAsync(nodes.Client, "/admin/requests/redrive", $$"""{"campaign":"{{Webhook}}"}""");
            output.WriteLine($"redrive: {body[..Math.Min(body.Length, 60)]}");
        }

        await UntilDecidedAsync(nodes);
    }

    private static async Task<IReadOnlyList<string>> CheckConservationAsync(Nodes nodes, int kept)
    {
        IReadOnlyDictionary<string, double> metrics = await nodes.MetricsAsync();
        double sum = metrics.Where(metric => metric.Key.StartsWith("estat_requests_current", StringComparison.Ordinal)).Sum(metric => metric.Value);
        double accepted = metrics["estat_requests_accepted"];
        return sum == accepted && kept == accepted ? [] : [$"{accepted} were accepted, {sum} are somewhere, and {kept} can be read"];
    }

    private void Sabotage(Dictionary<string, IReadOnlyList<Kept>> kept)
    {
        IReadOnlyList<Kept> sale = kept[FirstCome];
        kept[FirstCome] = options.Sabotage switch
        {
            null => sale,
            "lose" => [.. sale.Skip(1)],
            "double" => [.. sale, sale[0] with { Sequence = sale.Max(request => request.Sequence) + 1, RequestId = Guid.NewGuid().ToString() }],
            "swap" => [.. sale.Select(request => request with { Sequence = request.Sequence switch { 1 => 2, 2 => 1, var other => other } })],
            _ => throw new FormatException($"--sabotage {options.Sabotage} is unknown"),
        };
    }
}
