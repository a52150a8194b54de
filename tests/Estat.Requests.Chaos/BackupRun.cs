// A store of many requests is copied while more pour in, lost by kill -9, and restored from the copy; then users go on.
using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Text.Json;

namespace Estat.Requests.Chaos;

/// <summary>
/// The store is filled by its own code in this process, which takes seconds where HTTP takes minutes; everything after that is a server, the command
/// line and HTTP.
/// </summary>
internal sealed class BackupRun(OracleOptions options, TextWriter output) : IAsyncDisposable
{
    private const string Sale = "sale";
    private const string Prize = "prize";
    private const string Rush = "rush";
    private const int Winners = 100;
    private const int PlacesLeft = 500;
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(5);
    private static readonly TimeSpan Around = TimeSpan.FromSeconds(2);
    private static readonly string[] Campaigns = [Sale, Prize, Rush];

    private readonly TempFolder _folder = new();
    private readonly int _port = FreePort.Next();
    private readonly List<string> _faults = [];
    private readonly ConcurrentQueue<string> _perhaps = [];
    private ConcurrentQueue<Taken> _taken = [];

    /// <summary>Runs it.</summary>
    /// <returns>What is broken.</returns>
    internal async Task<IReadOnlyList<string>> RunAsync()
    {
        Dictionary<string, long> places = await FillAsync();
        (long began, HashSet<string> lost) = await LoseAsync();
        await EstatAsync("restore", _folder["backup.db"], "--dir", _folder["restored"]);
        Dictionary<string, IReadOnlyList<Kept>> restored = await LookAsync(began, lost);
        await EstatAsync("restore", "--resume", "--dir", _folder["restored"]);
        await GoOnAsync(places, restored, lost);
        return _faults;
    }

    public ValueTask DisposeAsync()
    {
        _folder.Dispose();
        return ValueTask.CompletedTask;
    }

    private async Task<Dictionary<string, long>> FillAsync()
    {
        var clock = Stopwatch.StartNew();
        await using var fill = new Filling(_folder["requests"]);
        int part = options.Backup!.Value / 10;
        var places = new Dictionary<string, long> { [Sale] = part, [Prize] = Winners, [Rush] = part + PlacesLeft };
        await fill.MakeAsync(Sale, places[Sale], closesAt: null);
        await fill.MakeAsync(Prize, places[Prize], DateTimeOffset.UtcNow.AddDays(1));
        await fill.MakeAsync(Rush, places[Rush], closesAt: null);
        _taken = new ConcurrentQueue<Taken>(
        [
            .. await fill.AcceptAsync(Sale, 8 * part), .. await fill.AcceptAsync(Prize, part), .. await fill.AcceptAsync(Rush, part),
        ]);
        Tell($"{_taken.Count:N0} requests accepted and decided in {clock.Elapsed.TotalSeconds:0.0} s "
            + $"({_taken.Count / clock.Elapsed.TotalSeconds:N0}/s), {Megabytes(_folder["requests"])}");
        return places;
    }

    // The backup is taken while users come; some seconds later the server is gone, and the disk with it.
    private async Task<(long Began, HashSet<string> Lost)> LoseAsync()
    {
        var clock = Stopwatch.StartNew();
        await using ServerProcess server = await StartAsync("requests");
        Tell($"the server was ready after {clock.Elapsed.TotalSeconds:0.0} s");
        using var gone = new CancellationTokenSource();
        Task[] sending = [.. Enumerable.Range(0, options.Senders).Select(sender => Task.Run(() => PourAsync(sender, gone.Token)))];
        await Task.Delay(Around);
        long began = Stopwatch.GetTimestamp();
        await EstatAsync("backup", _folder["backup.db"], "--dir", _folder["requests"]);
        long ended = Stopwatch.GetTimestamp();
        await Task.Delay(Around);
        server.Kill();
        await gone.CancelAsync();
        await Task.WhenAll(sending);
        Tell($"before the backup: {Pace(began - (long)(Around.TotalSeconds * Stopwatch.Frequency), began)}");
        Tell($"while it was taken: {Pace(began, ended)}; it has {Megabytes(_folder["backup.db"])}");
        return (began, [.. _taken.Where(taken => taken.Told.Sent > ended).Select(taken => taken.Told.User)]);
    }

    private async Task<Dictionary<string, IReadOnlyList<Kept>>> LookAsync(long began, HashSet<string> lost)
    {
        await using ServerProcess server = await StartAsync("restored");
        Dictionary<string, IReadOnlyList<Kept>> restored = await ReadAsync(server);
        if (options.Sabotage == "lose")
        {
            restored[Sale] = [.. restored[Sale].Skip(1)];
        }

        _faults.AddRange(BackupJudge.FindRestored([.. _taken], [.. _perhaps], began, restored));
        using HttpClient client = Nodes.NewClient();
        foreach (string campaign in Campaigns)
        {
            (HttpStatusCode status, _, _) = await AskAsync(client, campaign, "a new user", wait: false);
            if (status != HttpStatusCode.ServiceUnavailable)
            {
                _faults.Add($"{campaign}: the restored store answered a new user with {(int)status} before it was resumed");
            }
        }

        Taken[] known = [.. _taken.Where(taken => taken.Told.Answered < began)];
        foreach (Taken taken in Random.Shared.GetItems(known, 200))
        {
            (HttpStatusCode status, Told? told, _) = await AskAsync(client, taken.Told.Campaign, taken.Told.User, wait: false);
            if (told is null || told.RequestId != taken.Told.RequestId || told.Sequence != taken.Told.Sequence)
            {
                _faults.Add($"{taken.Told.Campaign}: {taken.Told.User} asked the held store again, and got {(int)status}");
            }
        }

        HashSet<(string, string)> there = [.. restored.SelectMany(campaign => campaign.Value.Select(kept => (campaign.Key, kept.User)))];
        Tell($"restored: {there.Count:N0} requests; {_taken.Count(taken => !there.Contains((taken.Told.Campaign, taken.Told.User))):N0} that came "
            + $"later are lost, as the docs say ({lost.Count:N0} of them were sent after the backup had ended)");
        server.Terminate();
        await server.WaitForExitAsync(Patience);
        return restored;
    }

    // Those who lost theirs ask again, and others come; the draw is held, and everything is read.
    private async Task GoOnAsync(Dictionary<string, long> places, Dictionary<string, IReadOnlyList<Kept>> restored, HashSet<string> lost)
    {
        var clock = Stopwatch.StartNew();
        await using ServerProcess server = await StartAsync("restored");
        var after = new ConcurrentQueue<Told>();
        (string, string)[] users = [.. from user in lost.Concat(Enumerable.Range(0, 1_000).Select(number => $"late{number}"))
                                       from campaign in Campaigns select (campaign, user)];
        using HttpClient client = Nodes.NewClient();
        await Parallel.ForEachAsync(users, new ParallelOptions { MaxDegreeOfParallelism = options.Senders }, async (next, ended) =>
        {
            (HttpStatusCode status, Told? told, string? state) = await AskAsync(client, next.Item1, next.Item2, wait: false);
            after.Enqueue(told ?? throw new InvalidOperationException($"{next} got {(int)status}"));
        });
        await Readings.PostAsync(server.Client, $"/admin/campaigns/{Prize}/close");
        await Wait.UntilAsync(
            async () => await OpenAsync(server) == 0 && (await server.MetricsAsync())["estat_requests_outcomes_pending"] == 0, Patience,
            "every request to be decided, and every outcome to be in the lake");
        Dictionary<string, IReadOnlyList<Kept>> kept = await ReadAsync(server);
        if (options.Sabotage == "double")
        {
            kept[Rush] = [.. kept[Rush], kept[Rush][0] with { Sequence = 1L << 39, RequestId = Guid.NewGuid().ToString() }];
        }

        server.Terminate();
        await server.WaitForExitAsync(Patience);
        List<(string Epoch, LakeLine Line)> lake = [.. Readings.Lake(_folder["data"])];
        if (options.Sabotage == "outcome")
        {
            lake.RemoveAll(line => line.Line.RequestId == kept[Rush][0].RequestId);
        }

        _faults.AddRange(BackupJudge.FindInTheEnd(places, [.. _taken], restored, [.. after], kept));
        _faults.AddRange(BackupJudge.FindInTheLake(lake, kept));
        Tell($"{after.Count:N0} came after it was resumed; everything was decided, uploaded and read after {clock.Elapsed.TotalSeconds:0.0} s. "
            + $"The lake has {lake.Count:N0} lines of {lake.Select(line => line.Epoch).Distinct().Count()} lives, for "
            + $"{kept.Sum(campaign => campaign.Value.Count):N0} requests");
    }

    private async Task PourAsync(int sender, CancellationToken gone)
    {
        using HttpClient client = Nodes.NewClient();
        for (int i = 0; !gone.IsCancellationRequested; i++)
        {
            string user = string.Create(CultureInfo.InvariantCulture, $"pour{sender}-{i}");
            try
            {
                (_, Told? told, string? state) = await AskAsync(client, Campaigns[i % Campaigns.Length], user, wait: i % 8 == 0);
                if (told is not null)
                {
                    _taken.Enqueue(new Taken(told, state is "SUCCEEDED" or "REJECTED" ? state : null));
                }
            }
            catch (Exception error) when (error is HttpRequestException or IOException or TaskCanceledException)
            {
                _perhaps.Enqueue(user); // the server was killed
                return;
            }
        }
    }

    private async Task<(HttpStatusCode Status, Told? Told, string? State)> AskAsync(HttpClient client, string campaign, string user, bool wait)
    {
        using var request = new HttpRequestMessage(
            HttpMethod.Post, string.Create(CultureInfo.InvariantCulture, $"http://127.0.0.1:{_port}/campaigns/{campaign}/requests"));
        request.Headers.Add("X-User-Id", user);
        if (wait && campaign != Prize)
        {
            request.Headers.Add("Prefer", "wait=5");
        }

        long sent = Stopwatch.GetTimestamp();
        using HttpResponseMessage answer = await client.SendAsync(request);
        byte[] body = await answer.Content.ReadAsByteArrayAsync();
        long answered = Stopwatch.GetTimestamp();
        if (answer.StatusCode is not (HttpStatusCode.OK or HttpStatusCode.Accepted))
        {
            return (answer.StatusCode, null, null);
        }

        using JsonDocument json = JsonDocument.Parse(body);
        JsonElement root = json.RootElement;
        var told = new Told(
            campaign, user, root.GetProperty("requestId").GetString()!, root.GetProperty("sequence").GetInt64(), sent, answered);
        return (answer.StatusCode, told, root.GetProperty("status").GetString());
    }

    private async Task<Dictionary<string, IReadOnlyList<Kept>>> ReadAsync(ServerProcess server)
    {
        await Wait.UntilAsync(
            async () => (await server.MetricsAsync())["estat_requests_current{state=\"queued\"}"] == await QueuedOfPrizeAsync(server), Patience,
            "what is due to be decided");
        Dictionary<string, IReadOnlyList<Kept>> kept = [];
        foreach (string campaign in Campaigns)
        {
            kept[campaign] = await Readings.KeptAsync(server.Client, campaign);
        }

        IReadOnlyDictionary<string, double> metrics = await server.MetricsAsync();
        double sum = metrics.Where(metric => metric.Key.StartsWith("estat_requests_current", StringComparison.Ordinal)).Sum(metric => metric.Value);
        double accepted = metrics["estat_requests_accepted"];
        int read = kept.Sum(campaign => campaign.Value.Count);
        if (sum != accepted || read != accepted)
        {
            _faults.Add($"{accepted} were accepted, {sum} are somewhere, and {read} can be read");
        }

        return kept;
    }

    // Until the draw, all of its requests wait.
    private static async Task<double> QueuedOfPrizeAsync(ServerProcess server)
    {
        using JsonDocument campaign = JsonDocument.Parse(await server.Client.GetStringAsync(new Uri($"/campaigns/{Prize}", UriKind.Relative)));
        return campaign.RootElement.GetProperty("counts").GetProperty("queued").GetDouble();
    }

    private static async Task<double> OpenAsync(ServerProcess server)
    {
        IReadOnlyDictionary<string, double> metrics = await server.MetricsAsync();
        return metrics["estat_requests_current{state=\"queued\"}"] + metrics["estat_requests_current{state=\"received\"}"];
    }

    private Task<ServerProcess> StartAsync(string folder) => ServerProcess.StartAsync(new Dictionary<string, string>
    {
        ["SERVE"] = "requests",
        ["HTTP_ADDR"] = string.Create(CultureInfo.InvariantCulture, $"127.0.0.1:{_port}"),
        ["REQUESTS_DIR"] = _folder[folder],
        ["STORAGE_DIR"] = _folder["data"],
        ["REQUESTS_OUTCOME_INTERVAL"] = "1s",
        ["REQUESTS_USER_RATE"] = "1000000",
        ["LOG_LEVEL"] = "warning",
    });

    private async Task EstatAsync(params string[] args)
    {
        var clock = Stopwatch.StartNew();
        await Command.SucceedAsync(Patience, "dotnet", [Repository.Assembly("Estat.Cli"), "requests", .. args]);
        Tell($"estat requests {args[0]}{(args[1] == "--resume" ? " --resume" : "")} took {clock.Elapsed.TotalSeconds:0.0} s");
    }

    private string Pace(long from, long to)
    {
        double[] waits =
        [
            .. _taken.Where(taken => taken.State is null && taken.Told.Sent >= from && taken.Told.Answered <= to)
                .Select(taken => Stopwatch.GetElapsedTime(taken.Told.Sent, taken.Told.Answered).TotalMilliseconds).Order(),
        ];
        int all = _taken.Count(taken => taken.Told.Sent > 0 && taken.Told.Answered >= from && taken.Told.Answered <= to);
        return waits.Length == 0 ? "no 202"
            : $"{all / Stopwatch.GetElapsedTime(from, to).TotalSeconds:N0} requests/s by HTTP, 202 after {waits[waits.Length / 2]:0} ms (median), "
                + $"{waits[waits.Length * 99 / 100]:0} ms (p99), {waits[^1]:0} ms (longest)";
    }

    private static string Megabytes(string path) => string.Create(
        CultureInfo.InvariantCulture,
        $"{(File.Exists(path) ? [path] : Directory.GetFiles(path)).Sum(file => new FileInfo(file).Length) / 1e6:N0} MB");

    private void Tell(FormattableString line) => output.WriteLine(line.ToString(CultureInfo.InvariantCulture));

    private void Tell(string line) => output.WriteLine(line);
}
