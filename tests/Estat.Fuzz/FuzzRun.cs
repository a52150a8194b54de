// A run: the server, the connections, the watchers, and the reckoning at the end.
using System.Diagnostics;
using System.Globalization;
using Estat.Fuzz.Judging;
using Estat.Fuzz.Wire;
using Estat.Testing;

namespace Estat.Fuzz;

/// <summary>
/// Fuzzes a server of its own. The first part of the time warms it up; then, and at the end, everything is let come to rest, and what the process
/// holds is compared. The first fault ends the run.
/// </summary>
internal sealed class FuzzRun : IAsyncDisposable
{
    // Files that come and go by themselves: an object being written, the runtime's own.
    private const int FilesAllowed = 16;

    private const int ShownFaults = 4;

    private static readonly TimeSpan LongestWarmUp = TimeSpan.FromSeconds(20);
    private static readonly TimeSpan BetweenSweeps = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan BetweenWords = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan DrainLimit = TimeSpan.FromMinutes(3);

    private readonly FuzzOptions _options;
    private readonly TextWriter _output;
    private readonly TempFolder _folder = new();
    private readonly FuzzReport _report = new();
    private readonly Obligations _obligations = new();
    private readonly CancellationTokenSource _failed = new();
    private readonly Lock _gate = new();
    private ServerProcess _server = null!;
    private ServerWatch? _watch;
    private int _next;
    private readonly List<string> _faults = [];

    private FuzzRun(FuzzOptions options, TextWriter output)
    {
        _options = options;
        _output = output;
    }

    /// <summary>Runs to the end; whether nothing was wrong.</summary>
    internal static async Task<bool> RunAsync(FuzzOptions options, TextWriter output)
    {
        await using var run = new FuzzRun(options, output);
        await run.StartAsync();
        try
        {
            await (options.Case is { } number ? run.ReplayAsync(number) : run.FuzzAsync());
        }
        catch (TimeoutException error)
        {
            run.Fail(error.Message);
        }

        if (!run.IsSound)
        {
            // What was under way when the first one ended the run may show more of it, or its consequences.
            foreach (string fault in run._faults.Take(ShownFaults))
            {
                await output.WriteLineAsync($"FAULT: {fault}");
            }

            foreach (string line in run._server.Output.TakeLast(10))
            {
                await output.WriteLineAsync($"server: {line}");
            }
        }

        return run.IsSound;
    }

    public async ValueTask DisposeAsync()
    {
        if (_server is not null)
        {
            _watch?.Dispose();
            await _server.DisposeAsync();
        }

        _failed.Dispose();
        _folder.Dispose();
    }

    private async Task StartAsync()
    {
        _server = await ServerProcess.StartAsync(new Dictionary<string, string>
        {
            ["STORAGE_DIR"] = _folder["data"],
            ["DLQ_DIR"] = _folder["dlq"],
            ["SPOOL_DIR"] = _folder["spool"],
            ["SPOOL_VOLATILE"] = "true",
            ["FLUSH_INTERVAL"] = "1s",
            ["HEADER_TIMEOUT"] = "2s",
            ["BODY_TIMEOUT"] = "2s",
            ["KEEPALIVE_TIMEOUT"] = "3s",
            // 503 is right when the queue is full, and says little: room for the largest batches.
            ["CHANNEL_SIZE"] = "200000",
            ["CHANNEL_BYTES"] = "67108864",
            ["CAPTURE_COOKIE"] = "true",
            ["LOG_LEVEL"] = "warning",
        });
        _watch = new ServerWatch(_server, _options.Limit);
    }

    private async Task FuzzAsync()
    {
        await _output.WriteLineAsync(string.Create(
            CultureInfo.InvariantCulture, $"seed {_options.Seed}, {_options.Duration.TotalSeconds:0} s, {_options.Connections} connections at once, "
                + $"server on port {_server.BaseAddress.Port}"));
        using var over = new CancellationTokenSource();
        Task watching = Task.WhenAll(
            FailByAsync(_watch!.WatchHealthAsync(over.Token)), FailByAsync(_watch!.WatchMetricsAsync(over.Token)), SweepAsync(over.Token),
            SpeakAsync(over.Token));
        long started = Stopwatch.GetTimestamp();
        TimeSpan warmUp = _options.Duration / 4 < LongestWarmUp ? _options.Duration / 4 : LongestWarmUp;
        await PlayAsync(warmUp);
        Holdings before = IsSound ? await _watch!.WhenIdleAsync() : default;
        TimeSpan warmedUp = Stopwatch.GetElapsedTime(started);
        await PlayAsync(_options.Duration - warmUp);
        TimeSpan elapsed = Stopwatch.GetElapsedTime(started);
        Holdings after = IsSound ? await _watch!.WhenIdleAsync() : default;
        await over.CancelAsync();
        await watching;
        if (IsSound)
        {
            await _output.WriteLineAsync(
                string.Create(CultureInfo.InvariantCulture, $"idle after {warmedUp.TotalSeconds:0} s: {before}; at the end: {after}"));
            Compare(before, after);
            await SettleAsync();
        }

        await _output.WriteAsync(_report.Summary(elapsed, _obligations, _watch!));
        await _output.WriteLineAsync(IsSound ? "nothing wrong" : "WRONG, see below");
    }

    private async Task ReplayAsync(int number)
    {
        FuzzCase fuzzCase = CaseGenerator.Make(_options.Seed, number);
        await _output.WriteLineAsync(FuzzReport.Describe(_options.Seed, fuzzCase));
        Exchange exchange = await Exchange.PlayAsync(fuzzCase, _server.BaseAddress.Port, _options.Limit);
        await _output.WriteLineAsync(
            string.Create(CultureInfo.InvariantCulture, $"{exchange.End} after {exchange.Took.TotalSeconds:0.000} s; received:"));
        await _output.WriteLineAsync(FuzzReport.Text(exchange.Received));
        Verdict verdict = AnswerJudge.Judge(fuzzCase, exchange);
        for (int i = 0; i < (fuzzCase.Plan?.Count ?? 0); i++)
        {
            string answer = i < verdict.Answers.Count ? verdict.Answers[i].Status.ToString(CultureInfo.InvariantCulture) : "nothing";
            await _output.WriteLineAsync($"--- request {i}, answered by {answer}, expects "
                + $"{string.Join(" or ", fuzzCase.Plan![i].Expects.Statuses)}\n{FuzzReport.Text(fuzzCase.Plan[i].Bytes, 800)}");
        }

        _obligations.Owe(fuzzCase, verdict);
        if (verdict.Fault is { } fault)
        {
            Fail(fault);
        }

        await _watch!.WhenIdleAsync();
        await SettleAsync();
        await _output.WriteLineAsync(IsSound ? "nothing wrong" : "WRONG, see below");
    }

    // Plays cases for a while, many at once, each followed by a canary.
    private Task PlayAsync(TimeSpan duration)
    {
        long started = Stopwatch.GetTimestamp();
        return Task.WhenAll(Enumerable.Range(0, _options.Connections).Select(_ => Task.Run(async () =>
        {
            using var canary = new Canary(_server.BaseAddress.Port, _options.Limit);
            while (Stopwatch.GetElapsedTime(started) < duration && !_failed.IsCancellationRequested)
            {
                int number = Interlocked.Increment(ref _next) - 1;
                if (number >= CaseAddress.Cases)
                {
                    return;
                }

                await PlayOneAsync(CaseGenerator.Make(_options.Seed, number), canary);
            }
        })));
    }

    private async Task PlayOneAsync(FuzzCase fuzzCase, Canary canary)
    {
        Exchange exchange;
        try
        {
            exchange = await Exchange.PlayAsync(fuzzCase, _server.BaseAddress.Port, _options.Limit);
        }
        catch (Exception error) when (error is System.Net.Sockets.SocketException or TimeoutException)
        {
            Fail($"no connection: {error.Message}\n{FuzzReport.Describe(_options.Seed, fuzzCase)}");
            return;
        }

        Verdict verdict = AnswerJudge.Judge(fuzzCase, exchange);
        _obligations.Owe(fuzzCase, verdict);
        (int refusals, string? fault) = await canary.SendAsync(fuzzCase.Number);
        if (fault is null)
        {
            _obligations.OweCanary(fuzzCase.Number);
        }

        _report.Count(fuzzCase, exchange, verdict, refusals);
        fault = verdict.Fault ?? fault ?? (_server.HasExited ? "the server has ended" : null);
        if (fault is not null)
        {
            Fail($"{fault}\n{FuzzReport.Describe(_options.Seed, fuzzCase)}\nreceived ({exchange.End} after {exchange.Took.TotalSeconds:0.0} "
                + $"s):\n{FuzzReport.Text(exchange.Received)}");
        }
    }

    private void Compare(Holdings before, Holdings after)
    {
        if (after.OpenFiles > before.OpenFiles + FilesAllowed)
        {
            Fail($"open files grew from {before.OpenFiles} to {after.OpenFiles}");
        }

        if (after.ResidentBytes > before.ResidentBytes + _options.GrowthAllowed)
        {
            Fail($"resident memory grew from {before.ResidentBytes >> 20} to {after.ResidentBytes >> 20} MB, {_options.GrowthAllowed >> 20} MB are allowed");
        }
    }

    // The server drains; then all that was acknowledged has to be in the folder, and nothing may have been logged.
    private async Task SettleAsync()
    {
        IReadOnlyDictionary<string, double> metrics = await _server.MetricsAsync();
        _server.Terminate();
        int code = await _server.WaitForExitAsync(DrainLimit);
        SweepOnce();
        double accepted = ServerWatch.At(metrics, "accepted");
        if (code != 0)
        {
            Fail($"the drain ended with {code}");
        }
        else if (ServerWatch.Imbalance(metrics) is { } imbalance)
        {
            Fail(imbalance);
        }
        else if (_obligations.Settle() is { } unpaid)
        {
            Fail(unpaid.Case is { } number ? $"{unpaid.Fault}\n{FuzzReport.Describe(_options.Seed, CaseGenerator.Make(_options.Seed, number))}"
                : unpaid.Fault);
        }
        else if (accepted != _obligations.Stored)
        {
            Fail($"estat_events says that {accepted} were accepted, {_obligations.Stored} are stored");
        }
        else if (_server.Output is { Count: > 0 } lines)
        {
            Fail($"the server logged {lines.Count} lines; the first: {lines[0]}");
        }
    }

    private async Task SweepAsync(CancellationToken over)
    {
        while (!over.IsCancellationRequested)
        {
            SweepOnce();
            await Task.WhenAny(Task.Delay(BetweenSweeps, over));
        }
    }

    // Reads what has been stored and removes it: a long run must not fill the disk.
    private void SweepOnce()
    {
        string raw = _folder["data/raw"];
        foreach (string file in Directory.Exists(raw) ? Directory.EnumerateFiles(raw, "*.jsonl.gz", SearchOption.AllDirectories) : [])
        {
            try
            {
                foreach (StoredEvent stored in StoredEvents.FromFile(file).Events)
                {
                    _obligations.Find(stored);
                }
            }
            catch (InvalidDataException error)
            {
                Fail(error.Message);
            }

            File.Delete(file);
        }
    }

    private async Task SpeakAsync(CancellationToken over)
    {
        long started = Stopwatch.GetTimestamp();
        while (true)
        {
            await Task.WhenAny(Task.Delay(BetweenWords, over));
            if (over.IsCancellationRequested)
            {
                return;
            }

            double seconds = Stopwatch.GetElapsedTime(started).TotalSeconds;
            await _output.WriteLineAsync(string.Create(
                CultureInfo.InvariantCulture, $"{seconds,5:0} s  {_report.Cases} cases  {_report.Answers} answers  {_obligations.Stored} events "
                    + $"stored  {_server.ResidentBytes >> 20} MB"));
        }
    }

    private async Task FailByAsync(Task<string?> watch)
    {
        if (await watch is { } fault)
        {
            Fail(fault);
        }
    }

    private bool IsSound
    {
        get
        {
            lock (_gate)
            {
                return _faults.Count == 0;
            }
        }
    }

    private void Fail(string fault)
    {
        lock (_gate)
        {
            _faults.Add(fault);
        }

        _failed.Cancel();
    }
}
