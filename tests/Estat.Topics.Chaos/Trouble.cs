// What is done to the server, to PostgreSQL, and to the connections between them.
using System.Diagnostics;
using System.Globalization;

namespace Estat.Topics.Chaos;

/// <summary>Each kind of trouble has a task of its own, so they meet in all ways. When it ends, everything is up again.</summary>
/// <param name="options">How often, and the seed.</param>
/// <param name="node">The server.</param>
/// <param name="postgres">The database.</param>
/// <param name="database">Its name.</param>
/// <param name="proxy">What the server's connections to it go through.</param>
/// <param name="longest">How long PostgreSQL is away once, in the middle; null: it is not.</param>
/// <param name="output">Progress.</param>
internal sealed class Trouble(
    OracleOptions options, Node node, PostgresServer postgres, string database, FaultProxy proxy, TimeSpan? longest, TextWriter output)
    : IDisposable
{
    private const double BetweenDatabaseKills = 2.25;

    // Longer than a sink waits between two attempts.
    private static readonly TimeSpan SeveralAttempts = TimeSpan.FromSeconds(6);

    private readonly Stopwatch _clock = Stopwatch.StartNew();
    private readonly SemaphoreSlim _database = new(1);
    private int _kills;
    private int _drains;
    private int _stops;
    private int _outages;
    private int _cuts;
    private int _terminated;
    private int _databaseKills;
    private int _lost;
    private volatile bool _isQuiet;

    internal string Summary => $"{_kills} kills, {_drains} drains and {_stops} stops of the server; {_outages} outages of PostgreSQL, of which "
        + $"{_databaseKills} kills; {_cuts} times its connections were cut or hung, at {_lost} of them answers to COMMIT were to be lost, "
        + $"{_terminated} times its sessions terminated";

    internal List<string> Faults { get; } = [];

    /// <summary>Makes trouble until it is told to stop.</summary>
    internal Task RunAsync(CancellationToken stopping) => Task.WhenAll(
        EachAsync(1, 1.0, DisturbServerAsync, stopping),
        EachAsync(2, 1.7, SuspendServerAsync, stopping),
        EachAsync(3, BetweenDatabaseKills / 3, DisturbDatabaseAsync, stopping),
        EachAsync(4, 0.2, CutAsync, stopping),
        EachAsync(5, 0.4, TerminateAsync, stopping),
        longest is { } time ? LongOutageAsync(time, stopping) : Task.CompletedTask,
        StrangerAsync(stopping),
        ReplaceAsync(stopping));

    public void Dispose() => _database.Dispose();

    private async Task EachAsync(int number, double every, Func<Random, int, Task> act, CancellationToken stopping)
    {
        var dice = new Random(options.Seed * 31 + number);
        for (int turn = 0; ; turn++)
        {
            // Between half of the time and one and a half of it.
            await Task.Delay(options.Every * every * (0.5 + dice.NextDouble()), stopping).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (stopping.IsCancellationRequested)
            {
                return;
            }

            await act(dice, turn);
        }
    }

    private async Task DisturbServerAsync(Random dice, int turn)
    {
        if (turn % 5 == 4)
        {
            int code = await node.DrainAsync();
            Say($"drain {++_drains}, exit code {code}");
            if (code != 0)
            {
                Faults.Add($"SIGTERM ended the server with {code}");
            }

            return;
        }

        TimeSpan? again = dice.Next(4) == 0 ? TimeSpan.FromMilliseconds(dice.Next(100, 2_000)) : null;
        await node.KillAsync(TimeSpan.FromMilliseconds(dice.Next(1_000)), again);
        _kills += again is null ? 1 : 2;
        Say($"kill {_kills}{(again is null ? "" : ", also while it started")}");
    }

    private async Task SuspendServerAsync(Random dice, int turn)
    {
        TimeSpan time = Some(dice, 0.05, 0.2);
        await node.SuspendAsync(time);
        Say($"stop {++_stops} for {time.TotalSeconds:0.0} s");
    }

    private async Task DisturbDatabaseAsync(Random dice, int turn)
    {
        await _database.WaitAsync();
        try
        {
            TimeSpan time = Some(dice, 0.1, 0.4);
            var clock = Stopwatch.StartNew();
            switch (turn % 3)
            {
                case 0:
                    await postgres.KillAsync();
                    await Task.Delay(time / 4);
                    await postgres.StartAgainAsync();
                    _databaseKills++;
                    break;
                case 1:
                    postgres.Suspend();
                    await Task.Delay(time);
                    postgres.Resume();
                    break;
                default:
                    await postgres.StopAsync();
                    await Task.Delay(time);
                    await postgres.StartAgainAsync();
                    break;
            }

            string what = (turn % 3) switch { 0 => "killed", 1 => "suspended", _ => "stopped" };
            Say($"outage {++_outages}: PostgreSQL {what} for {clock.Elapsed.TotalSeconds:0.0} s");
        }
        finally
        {
            _database.Release();
        }
    }

    // Longer than messages are kept: what is not stored must not be deleted all the same.
    private async Task LongOutageAsync(TimeSpan time, CancellationToken stopping)
    {
        await Task.Delay(options.Duration * 0.4, stopping).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        if (stopping.IsCancellationRequested)
        {
            return;
        }

        await _database.WaitAsync(CancellationToken.None);
        try
        {
            await postgres.StopAsync();
            Say($"outage {++_outages}: PostgreSQL is away for {time.TotalSeconds:0} s");
            await Task.Delay(time, stopping).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            await postgres.StartAgainAsync();
            Say("PostgreSQL is back");
        }
        finally
        {
            _database.Release();
        }
    }

    // Setting a fault cuts all connections: if a COMMIT is on its way, its answer is lost.
    private async Task CutAsync(Random dice, int turn)
    {
        if (_isQuiet)
        {
            return;
        }

        Fault fault = dice.Next(10) switch
        {
            0 => Fault.Refuse,
            1 => Fault.Hang,
            2 or 3 or 4 or 5 => Fault.LoseAnswerTo("COMMIT", dice.Next(1, 4)).ForNext(4),
            6 or 7 => Fault.CutUploadAfter(dice.Next(1, 2_000_000)),
            _ => Fault.None,
        };
        proxy.Fault = fault;
        _cuts++;
        _lost += fault.Kind == FaultKind.LoseAnswer ? 1 : 0;
        if (fault.Kind is not (FaultKind.None or FaultKind.LoseAnswer))
        {
            await Task.Delay(Some(dice, 0.01, 0.05));
            proxy.Fault = Fault.None;
        }
    }

    private async Task TerminateAsync(Random dice, int turn)
    {
        if (!await _database.WaitAsync(TimeSpan.Zero))
        {
            return; // it is away
        }

        try
        {
            string ended = await postgres.QueryAsync(
                database, "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE application_name LIKE 'estat-sink/%'");
            _terminated += int.Parse(ended, CultureInfo.InvariantCulture);
        }
        finally
        {
            _database.Release();
        }
    }

    // A server with another log, the same database and the same sink: it has to refuse.
    private async Task StrangerAsync(CancellationToken stopping)
    {
        await Task.Delay(options.Duration * 0.2, stopping).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        if (stopping.IsCancellationRequested)
        {
            return;
        }

        using var folder = new TempFolder();
        await using ServerProcess stranger = ServerProcess.Launch(Node.Environment(
            postgres.ConnectionString(database), folder["topics"], "1h", 1L << 30, 1_000));
        await Wait.UntilAsync(
            () => stranger.HasExited || stranger.Output.Any(line => line.Contains("of another log", StringComparison.Ordinal)),
            TimeSpan.FromMinutes(3), "a server with another log to refuse the database", () => string.Join('\n', stranger.Output));
        if (stranger.HasExited)
        {
            Faults.Add("a server with another log ended: " + string.Join('\n', stranger.Output.TakeLast(5)));
            return;
        }

        // Its log takes the message, and its sink must not store it.
        using var content = new StringContent("""{"key":"stranger","value":{"s":-1,"n":1}}""");
        using HttpResponseMessage answer = await stranger.Client.PostAsync(
            new Uri("/api/produce/notifications", UriKind.Relative), content, CancellationToken.None);
        if ((int)answer.StatusCode != 200)
        {
            Faults.Add($"a server with another log answered {(int)answer.StatusCode} to a message");
        }

        await Task.Delay(SeveralAttempts, CancellationToken.None);
        using HttpResponseMessage ready = await stranger.Client.GetAsync(new Uri("/health/ready", UriKind.Relative), CancellationToken.None);
        if ((int)ready.StatusCode != 503)
        {
            Faults.Add($"a server with another log was ready: {(int)ready.StatusCode}");
        }

        Say("a server with another log refused the database");
    }

    // Another server takes the same log over while this one stands still; this one must store nothing more once it goes on.
    private async Task ReplaceAsync(CancellationToken stopping)
    {
        await Task.Delay(options.Duration * 0.6, stopping).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await _database.WaitAsync(CancellationToken.None);
        _isQuiet = true;
        try
        {
            await Task.Delay(TimeSpan.FromSeconds(1), CancellationToken.None); // a cut that has begun
            string? fault = await node.ReplaceAsync(
                postgres.ConnectionString(database),
                async () => await postgres.QueryAsync(
                    database, "SELECT string_agg(state, ' ') FROM pg_stat_activity WHERE application_name LIKE 'estat-sink/%'") == "idle");
            Faults.AddRange(fault is null ? [] : [fault]);
            Say("another server took the sink over while this one stood still");
        }
        finally
        {
            _isQuiet = false;
            _database.Release();
        }
    }

    private TimeSpan Some(Random dice, double least, double most) => options.Every * (least + (dice.NextDouble() * (most - least)));

    private void Say(string what) =>
        output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{_clock.Elapsed.TotalSeconds,6:0.0} s: {what}"));
}
