// Load whose every event can be told from every other, and an exact memory of what the server promised about each.

using System.Diagnostics;

namespace Estat.Testing;

/// <summary>
/// Sends events by <c>POST</c> over kept-alive connections, one at a time on each, and remembers how each was answered. Events are
/// numbered from 1 and on across calls; no event is ever sent twice.
/// </summary>
/// <param name="target">The server; <c>/collect</c>, and <c>/collect/batch</c> for requests of several events, unless a path is given.</param>
/// <param name="connections">How many events may be on their way at a time.</param>
/// <param name="perSecond">The rate of all connections together, by the clock: what is late is caught up. Null: as fast as answers come.</param>
public sealed class EventSender(Uri target, int connections, int? perSecond = null)
{
    private const int ShapeCount = 64;
    private const int Reached = 200;
    private const int StoredLater = 202;
    private const int Unavailable = 503;
    private static readonly TimeSpan BetweenConnects = TimeSpan.FromMilliseconds(20);
    private long _last;

    /// <summary>What the ids of this sender's events begin with.</summary>
    public string Run { get; } = Guid.NewGuid().ToString("n")[..8];

    /// <summary>Sent with every event.</summary>
    public IReadOnlyDictionary<string, string> Headers { get; init; } = new Dictionary<string, string>();

    /// <summary>What the connections' requests are like; dealt out to the connections in turn.</summary>
    public IReadOnlyList<RequestKind> Kinds { get; init; } = [new()];

    /// <summary>Other servers that take the same events, as behind a load balancer: the connections are dealt out to all in turn.</summary>
    public IReadOnlyList<Uri> OtherTargets { get; init; } = [];

    /// <summary>Whether the report tells when each request was sent and how long its answer took.</summary>
    public bool Timed { get; init; }

    /// <summary>An answer that has not come by then counts as unknown, and its connection is given up.</summary>
    public TimeSpan AnswerTimeout { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>How long one connection may try to get through before sending a given number of events fails.</summary>
    public TimeSpan ConnectTimeout { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>The number of the latest event; may be read while events are sent.</summary>
    public long LastNumber => Volatile.Read(ref _last);

    /// <summary>Sends this many events.</summary>
    /// <exception cref="TimeoutException">No connection could be had for <see cref="ConnectTimeout"/>.</exception>
    public Task<SendReport> SendAsync(long count, CancellationToken until = default) => SendAsync(LastNumber + count, ConnectTimeout, until);

    /// <summary>Sends events until it is told to stop, through any outage; answers that are due then are still awaited.</summary>
    public Task<SendReport> SendAsync(CancellationToken until) => SendAsync(long.MaxValue, Timeout.InfiniteTimeSpan, until);

    /// <summary>The number of a stored event; null if its body is none of an EventSender's.</summary>
    public static long? NumberOf(string body) => EventBody.NumberOf(body);

    private async Task<SendReport> SendAsync(long end, TimeSpan connectTimeout, CancellationToken until)
    {
        var shapes = EventBody.Shapes(Run, ShapeCount);
        var senders = Enumerable.Range(0, connections).Select(index => NewSender(index)).ToList();
        var pace = new Pace(LastNumber, perSecond);
        await using var watch = new Timer(
            _ => senders.ForEach(sender => sender.Connection.BreakIfSilentSince(Environment.TickCount64 - (long)AnswerTimeout.TotalMilliseconds)),
            null,
            TimeSpan.FromMilliseconds(100),
            TimeSpan.FromMilliseconds(100));
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(until);
        try
        {
            await Task.WhenAll(senders.Select(
            sender => Task.Run(() => RunAsync(sender, shapes, pace, end, connectTimeout, stop), CancellationToken.None)));
        }
        finally
        {
            senders.ForEach(sender => sender.Connection.Dispose());
        }

        return Report(senders, pace.Elapsed);
    }

    private async Task RunAsync(Sender sender, EventBody[] shapes, Pace pace, long end, TimeSpan connectTimeout, CancellationTokenSource stop)
    {
        try
        {
            while (!stop.IsCancellationRequested)
            {
                // Connected first, numbered then: an outage costs no numbers.
                await ConnectAsync(sender.Connection, connectTimeout, stop.Token);
                var events = sender.Kind.Events;
                var number = Interlocked.Add(ref _last, events) - events + 1;
                if (number + events - 1 > end)
                {
                    Interlocked.Add(ref _last, -events);
                    return;
                }

                if (await pace.UntilDueAsync(number, stop.Token))
                {
                    sender.Connection.CheckIdle();
                    await ConnectAsync(sender.Connection, connectTimeout, stop.Token);
                }

                var time = DateTimeOffset.UtcNow.ToUnixTimeMilliseconds();
                var sent = Stopwatch.GetTimestamp();
                var answer = await sender.Connection.SendAsync(shapes, number, events, time);
                sender.Remember(number, answer);
                if (Timed)
                {
                    sender.Times.Add(new RequestTime(sent, Stopwatch.GetElapsedTime(sent), pace.LateBy(number, sent), answer?.Status ?? 0, events));
                }
            }
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
        }
        catch
        {
            // One sender's failure is the whole run's: the others need not go on.
            await stop.CancelAsync();
            throw;
        }
    }

    private async Task ConnectAsync(EventConnection connection, TimeSpan limit, CancellationToken stop)
    {
        var started = Stopwatch.GetTimestamp();
        while (!connection.Connected && await connection.TryConnectAsync(stop) is { } complaint)
        {
            if (limit != Timeout.InfiniteTimeSpan && Stopwatch.GetElapsedTime(started) > limit)
            {
                throw new TimeoutException($"waited {limit.TotalSeconds:0.###} s for a connection to {target.Authority}; last seen: {complaint}");
            }

            await Task.Delay(BetweenConnects, stop);
        }
    }

    private Sender NewSender(int index)
    {
        var kind = Kinds[index % Kinds.Count];
        // Every target gets every kind.
        var place = (index / Kinds.Count) % (OtherTargets.Count + 1);
        var server = place == 0 ? target : OtherTargets[place - 1];
        var path = server.AbsolutePath != "/" ? server : new Uri(server, kind.Events == 1 ? "/collect" : "/collect/batch");
        var headers = kind.Named ? Headers.Append(new(AckNames.Header, kind.Level)).ToDictionary() : Headers;
        return new Sender(kind, new EventConnection(path, headers, UserAgent(index), kind.Events));
    }

    private static string UserAgent(int index) =>
        $"Mozilla/5.0 (Linux; Android {12 + (index % 4)}; SM-S9{index % 90:00}N) AppleWebKit/537.36 (KHTML, like Gecko) "
        + $"Chrome/{120 + (index % 20)}.0.0.0 Mobile Safari/537.36";

    private static SendReport Report(List<Sender> senders, TimeSpan elapsed)
    {
        var statuses = new Dictionary<int, long>();
        var levels = new Dictionary<string, LevelReport>();
        var diskFailures = 0L;
        foreach (var sender in senders)
        {
            foreach (var (first, answer) in sender.Answers)
            {
                if (answer is { } known)
                {
                    statuses[known.Status] = statuses.GetValueOrDefault(known.Status) + sender.Kind.Events;
                    diskFailures += known.MayBeStored ? sender.Kind.Events : 0;
                }

                for (var number = first; number < first + sender.Kind.Events; number++)
                {
                    Enter(levels, sender.Kind, number, answer);
                }
            }
        }

        return new SendReport(
            levels.Values.SelectMany(level => level.Acknowledged.Keys).ToHashSet(),
            statuses.GetValueOrDefault(Unavailable),
            [.. levels.Values.SelectMany(level => level.Unknown).Order()],
            statuses,
            elapsed)
        {
            Levels = levels,
            DiskFailures = diskFailures,
            Times = [.. senders.SelectMany(sender => sender.Times).OrderBy(time => time.Sent)],
        };
    }

    private static void Enter(Dictionary<string, LevelReport> levels, RequestKind kind, long number, Answer? answer)
    {
        switch (answer)
        {
            case null or { MayBeStored: true }:
                Level(kind.Level).Unknown.Add(number);
                break;
            case { Status: Reached or StoredLater } known:
                var reached = Level(known.Level);
                reached.Acknowledged[number] = known.Key;
                var asMuch = AckNames.IsAtLeast(known.Level, kind.Level);
                if (known.Status == Reached ? !asMuch : kind.Level != AckNames.Stored || known.Level != AckNames.Disk)
                {
                    reached.Weaker.Add(number);
                }

                break;
            default:
                Level(kind.Level).Refused.Add(number);
                break;
        }

        LevelReport Level(string name) => levels.TryGetValue(name, out var level) ? level : levels[name] = new LevelReport();
    }

    /// <summary>One connection's loop and its memory; no other loop touches it.</summary>
    private sealed class Sender(RequestKind kind, EventConnection connection)
    {
        public RequestKind Kind { get; } = kind;

        public EventConnection Connection { get; } = connection;

        /// <summary>The first number of each request with its answer; null if none came.</summary>
        public List<(long First, Answer? Answer)> Answers { get; } = [];

        /// <summary>Empty unless the sender is <see cref="Timed"/>.</summary>
        public List<RequestTime> Times { get; } = [];

        public void Remember(long first, Answer? answer) => Answers.Add((first, answer));
    }

    /// <summary>Says when an event is due, counted from the first of the call.</summary>
    private sealed class Pace(long before, int? perSecond)
    {
        private readonly long _started = Stopwatch.GetTimestamp();

        public TimeSpan Elapsed => Stopwatch.GetElapsedTime(_started);

        /// <summary>Waits until the event is due; false if it already was.</summary>
        public async ValueTask<bool> UntilDueAsync(long number, CancellationToken stop)
        {
            if (perSecond is not { } rate)
            {
                return false;
            }

            var early = DueAfter(number, rate) - Elapsed;
            if (early < TimeSpan.FromMilliseconds(1))
            {
                return false;
            }

            await Task.Delay(early, stop);
            return true;
        }

        /// <summary>How long after it was due the event was sent, for want of a free connection.</summary>
        public TimeSpan LateBy(long number, long sent) =>
            perSecond is { } rate && Stopwatch.GetElapsedTime(_started, sent) - DueAfter(number, rate) is { Ticks: > 0 } late ? late : TimeSpan.Zero;

        private TimeSpan DueAfter(long number, int rate) => TimeSpan.FromSeconds((double)(number - before - 1) / rate);
    }
}
