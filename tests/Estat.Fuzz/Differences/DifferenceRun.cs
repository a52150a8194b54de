// The proof of the fast door: two servers, one with it and one without, and nothing that a client could tell them apart by.
using System.Diagnostics;
using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;
using Estat.Fuzz.Wire;
using Estat.Testing;

namespace Estat.Fuzz.Differences;

/// <summary>
/// Sends the same bytes, cut alike, to both servers, and compares the answers byte for byte but <c>Date</c>, object keys and times; at the end, what
/// both have stored, and how they counted it. Waits that end by a timeout, and connections that a client breaks off, are not played: what then comes
/// depends on who was faster. So it may with a body in chunks that is both too long and broken: an answer that a third server, without the door,
/// gives as well when it is sent the same again is no difference.
/// </summary>
internal sealed partial class DifferenceRun(FuzzOptions options, TextWriter output) : IAsyncDisposable
{
    private const int ShownFaults = 4;
    private const int WarmUpRequests = 100;
    private const int Repetitions = 50;
    private static readonly TimeSpan BetweenWords = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan DrainLimit = TimeSpan.FromMinutes(3);

    private readonly TempFolder _folder = new();
    private readonly List<string> _faults = [];
    private readonly CancellationTokenSource _failed = new();
    private ServerProcess _with = null!;
    private ServerProcess _without = null!;
    private int _next;
    private int _cases;
    private int _answers;
    private int _raced;
    private Task<ServerProcess>? _third;

    /// <summary>Runs to the end; whether there was no difference.</summary>
    internal static async Task<bool> RunAsync(FuzzOptions options, TextWriter output)
    {
        await using var run = new DifferenceRun(options, output);
        run._with = await run.StartAsync("with", "true");
        run._without = await run.StartAsync("without", "false");
        await Task.WhenAll(WarmUpAsync(run._with), WarmUpAsync(run._without));
        await (options.Case is { } number ? run.ReplayAsync(number) : run.PlayAsync());
        foreach (string fault in run._faults.Take(ShownFaults))
        {
            await output.WriteLineAsync($"DIFFERENCE: {fault}");
        }

        string verdict = run.IsSame ? "no difference" : "DIFFERENT";
        await output.WriteLineAsync(string.Create(
            CultureInfo.InvariantCulture,
            $"{run._cases} connections, {run._answers} answers, {run._raced} that depend on who was faster: {verdict}"));
        return run.IsSame;
    }

    public async ValueTask DisposeAsync()
    {
        foreach (ServerProcess? server in (ServerProcess?[])[_with, _without, _third is null ? null : await _third])
        {
            if (server is not null)
            {
                await server.DisposeAsync();
            }
        }

        _failed.Dispose();
        _folder.Dispose();
    }

    private bool IsSame => _faults.Count == 0;

    /// <summary>A case: half of them the fuzzer's.</summary>
    internal static FuzzCase Make(ulong seed, int number)
    {
        if (number % 2 == 0)
        {
            return Undisturbed(CaseGenerator.Make(seed, number));
        }

        Dice dice = Dice.Of(seed, number);
        byte[] bytes = PlainRequests.Connection(dice);
        bytes = dice.OneIn(4) ? Mutator.Mutate(dice, bytes) : bytes;
        // Mostly whole, as clients send; cut as networks do.
        int[] cuts = dice.OneIn(4) ? [.. Enumerable.Range(0, dice.Size(8)).Select(_ => dice.Below(bytes.Length)).Order()] : [];
        return new FuzzCase(number, "plain", bytes, null, new Delivery(cuts, dice.Of(0, 0, 1, 5), Ending.Quiet, bytes.Length, 0));
    }

    // What a node measures of itself is another thing at each.
    private static bool AsksForReadings(ReadOnlySpan<byte> bytes) => bytes.IndexOf("/metrics"u8) >= 0 || bytes.IndexOf("/health"u8) >= 0;

    private static FuzzCase Undisturbed(FuzzCase made) =>
        made with { Delivery = made.Delivery with { Ending = made.Delivery.Ending == Ending.Whole ? Ending.Whole : Ending.Quiet } };

    private Task<ServerProcess> StartAsync(string name, string door) => ServerProcess.StartAsync(new Dictionary<string, string>
    {
        ["STORAGE_DIR"] = _folder[$"{name}/data"],
        ["DLQ_DIR"] = _folder[$"{name}/dlq"],
        ["SPOOL_DIR"] = _folder[$"{name}/spool"],
        ["SPOOL_VOLATILE"] = "true",
        ["FLUSH_INTERVAL"] = "1s",
        ["CHANNEL_SIZE"] = "200000",
        ["CHANNEL_BYTES"] = "67108864",
        ["CAPTURE_COOKIE"] = "true",
        // So that many a plain request is refused with the connection's end.
        ["MAX_BODY_SIZE"] = "1000",
        ["WRITE_KEYS"] = "difference=" + PlainRequests.Key,
        ["OPEN_INGEST"] = "true",
        ["LOG_LEVEL"] = "error",
        ["HTTP_FAST_DOOR"] = door,
    });

    // The first requests of a process take so long that a client would give up.
    private static async Task WarmUpAsync(ServerProcess server)
    {
        for (int i = 0; i < WarmUpRequests; i++)
        {
            using var content = new StringContent("warm");
            using HttpResponseMessage answer = await server.Client.PostAsync(new Uri("/collect", UriKind.Relative), content);
            answer.EnsureSuccessStatusCode();
        }
    }

    private async Task PlayAsync()
    {
        await output.WriteLineAsync(string.Create(
            CultureInfo.InvariantCulture, $"seed {options.Seed}, {options.Duration.TotalSeconds:0} s, {options.Connections} connections at once"));
        long started = Stopwatch.GetTimestamp();
        using var over = new CancellationTokenSource();
        Task speaking = SpeakAsync(started, over.Token);
        await Task.WhenAll(Enumerable.Range(0, options.Connections).Select(_ => Task.Run(async () =>
        {
            while (Stopwatch.GetElapsedTime(started) < options.Duration && !_failed.IsCancellationRequested)
            {
                int number = Interlocked.Increment(ref _next) - 1;
                if (number >= CaseAddress.Cases)
                {
                    return;
                }

                FuzzCase made = Make(options.Seed, number);
                if (!AsksForReadings(made.Bytes))
                {
                    await PlayOneAsync(made);
                }
            }
        })));
        await over.CancelAsync();
        await speaking;
        await CompareStoredAsync();
    }

    private async Task ReplayAsync(int number)
    {
        FuzzCase made = Make(options.Seed, number);
        await output.WriteLineAsync(FuzzReport.Text(made.Bytes.AsSpan(0, made.Delivery.End), int.MaxValue));
        await PlayOneAsync(made);
        await CompareStoredAsync();
    }

    private async Task PlayOneAsync(FuzzCase made)
    {
        Exchange[] exchanges;
        try
        {
            string[] said = ["", ""];
            exchanges = await Task.WhenAll(PlayAsync(0, _with), PlayAsync(1, _without));

            Task<Exchange> PlayAsync(int index, ServerProcess server) => Exchange.PlayAsync(made, server.BaseAddress.Port, options.Limit, bytes =>
            {
                Volatile.Write(ref said[index], Plain(bytes));
                return Volatile.Read(ref said[1 - index]) == said[index];
            });
        }
        catch (Exception error) when (error is System.Net.Sockets.SocketException or TimeoutException)
        {
            Fail($"no connection: {error.Message}");
            return;
        }

        Interlocked.Increment(ref _cases);
        (string Text, ExchangeEnd End) with = (Plain(exchanges[0].Received), exchanges[0].End);
        (string Text, ExchangeEnd End) without = (Plain(exchanges[1].Received), exchanges[1].End);
        Interlocked.Add(ref _answers, StatusLine().Count(with.Text));
        // A reset takes what was on its way: how much, nobody says.
        bool isReset = with.End == ExchangeEnd.Reset || without.End == ExchangeEnd.Reset;
        if (isReset ? IsBeginning(with.Text, without.Text) : with == without)
        {
            return;
        }

        if (await IsGivenByThirdAsync(made, with.Text))
        {
            Interlocked.Increment(ref _raced);
        }
        else
        {
            Fail(string.Create(CultureInfo.InvariantCulture, $"""
                {FuzzReport.Describe(options.Seed, made)}
                with the door ({with.End}):
                {with.Text}
                without ({without.End}):
                {without.Text}
                here: make difference SEED={options.Seed} CASE={made.Number}
                """));
        }
    }

    // The door's answer, from a server that has none.
    private async Task<bool> IsGivenByThirdAsync(FuzzCase made, string answer)
    {
        lock (_faults)
        {
            _third ??= StartAsync("third", "false");
        }

        ServerProcess server = await _third;
        for (int i = 0; i < Repetitions; i++)
        {
            Exchange exchange = await Exchange.PlayAsync(made, server.BaseAddress.Port, options.Limit);
            if (Plain(exchange.Received) == answer)
            {
                return true;
            }
        }

        return false;
    }

    private static bool IsBeginning(string one, string other) =>
        one.StartsWith(other, StringComparison.Ordinal) || other.StartsWith(one, StringComparison.Ordinal);

    // What may differ: the time, the batch's key, and a wait that a clock counts.
    private static string Plain(byte[] received)
    {
        string text = Encoding.Latin1.GetString(received);
        text = DateLine().Replace(text, "Date: …");
        text = KeyLine().Replace(text, "X-Estat-Key: …");
        return text.Replace("HTTP/1.1 100 Continue\r\n\r\n", "", StringComparison.Ordinal); // left out where the body was faster
    }

    private async Task CompareStoredAsync()
    {
        (string[] Lines, string[] Counts)[] both = await Task.WhenAll(StoredAsync(_with, "with"), StoredAsync(_without, "without"));
        await output.WriteLineAsync($"{both[0].Lines.Length} events stored with the door, {both[1].Lines.Length} without");
        string[] more = [.. Difference(both[0].Lines, both[1].Lines).Take(3)];
        string[] less = [.. Difference(both[1].Lines, both[0].Lines).Take(3)];
        if (more.Length + less.Length > 0)
        {
            Fail($"only with the door are stored: {string.Join("\n", more)}\nonly without: {string.Join("\n", less)}");
        }

        // Where the answer depended on who was faster, so did the counter of the refusal.
        string[][] counts = [.. both.Select(one => one.Counts.Where(count => _raced == 0 || !IsOfRefusals(count)).ToArray())];
        if (!counts[0].SequenceEqual(counts[1]))
        {
            Fail($"counted with the door:\n{string.Join("\n", both[0].Counts)}\nwithout:\n{string.Join("\n", both[1].Counts)}");
        }
    }

    private static IEnumerable<string> Difference(string[] these, string[] those)
    {
        var left = those.GroupBy(line => line, StringComparer.Ordinal).ToDictionary(same => same.Key, same => same.Count(), StringComparer.Ordinal);
        foreach (string line in these)
        {
            if (left.TryGetValue(line, out int count) && count > 0)
            {
                left[line] = count - 1;
            }
            else
            {
                yield return line;
            }
        }
    }

    private async Task<(string[] Lines, string[] Counts)> StoredAsync(ServerProcess server, string name)
    {
        IReadOnlyDictionary<string, double> metrics = await server.MetricsAsync();
        server.Terminate();
        int code = await server.WaitForExitAsync(DrainLimit);
        if (code != 0)
        {
            Fail($"the server {name} the door ended with {code}");
        }

        if (server.Output is { Count: > 0 } said)
        {
            Fail($"the server {name} the door logged {said.Count} lines; the first: {said[0]}");
        }

        // Which address sent it is part of a line, and each connection has its own.
        string[] lines = [.. StoredEvents.FromFolder(_folder[$"{name}/data"]).Select(stored => TimeField().Replace(stored.RawLine, ""))];
        string[] counts = [.. metrics.Where(metric => IsCount(metric.Key))
            .OrderBy(metric => metric.Key, StringComparer.Ordinal)
            .Select(metric => string.Create(CultureInfo.InvariantCulture, $"{metric.Key} {metric.Value}"))];
        return (lines, counts);
    }

    private static bool IsOfRefusals(string count) =>
        count.Contains("rejected_invalid", StringComparison.Ordinal) || count.Contains("too_large", StringComparison.Ordinal);

    // Not how far events have come since, which is another moment at each.
    private static bool IsCount(string metric) =>
        metric.Contains("http_requests", StringComparison.Ordinal) || metric.Contains("write_key", StringComparison.Ordinal)
        || metric == "estat_events{place=\"accepted\"}";

    private async Task SpeakAsync(long started, CancellationToken over)
    {
        while (true)
        {
            await Task.WhenAny(Task.Delay(BetweenWords, over));
            if (over.IsCancellationRequested)
            {
                return;
            }

            await output.WriteLineAsync(string.Create(
                CultureInfo.InvariantCulture, $"{Stopwatch.GetElapsedTime(started).TotalSeconds,5:0} s  {_cases} connections  {_answers} answers"));
        }
    }

    private void Fail(string fault)
    {
        lock (_faults)
        {
            _faults.Add(fault);
        }

        _failed.Cancel();
    }

    [GeneratedRegex("^HTTP/1\\.1 [0-9]{3} ", RegexOptions.Multiline)]
    private static partial Regex StatusLine();

    [GeneratedRegex("Date: [A-Z][a-z]{2}, [0-9]{2} [A-Z][a-z]{2} [0-9]{4} [0-9:]{8} GMT")]
    private static partial Regex DateLine();

    [GeneratedRegex("X-Estat-Key: [^\r]+")]
    private static partial Regex KeyLine();

    [GeneratedRegex("\"ts\":[0-9]+,")]
    private static partial Regex TimeField();
}
