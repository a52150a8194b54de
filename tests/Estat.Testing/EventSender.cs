// Load whose every event can be told from every other, and an exact memory of what the server promised about each.

using System.Diagnostics;

namespace Estat.Testing;

/// <summary>
/// Sends events by <c>POST</c> over kept-alive connections, one at a time on each, and remembers how each was answered. Events are
/// numbered from 1 and on across calls; no event is ever sent twice.
/// </summary>
/// <param name="target">The server; <c>/collect</c> unless a path is given.</param>
/// <param name="connections">How many events may be on their way at a time.</param>
/// <param name="perSecond">The rate of all connections together, by the clock: what is late is caught up. Null: as fast as answers come.</param>
public sealed class EventSender(Uri target, int connections, int? perSecond = null)
{
    private const int ShapeCount = 64;
    private const int Accepted = 200;
    private const int Unavailable = 503;
    private static readonly TimeSpan BetweenConnects = TimeSpan.FromMilliseconds(20);
    private readonly Uri _target = target.AbsolutePath == "/" ? new Uri(target, "/collect") : target;
    private long _last;

    /// <summary>What the ids of this sender's events begin with.</summary>
    public string Run { get; } = Guid.NewGuid().ToString("n")[..8];

    /// <summary>Sent with every event.</summary>
    public IReadOnlyDictionary<string, string> Headers { get; init; } = new Dictionary<string, string>();

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
        var lanes = Enumerable.Range(0, connections).Select(index => new Lane(new EventConnection(_target, Headers, UserAgent(index)))).ToList();
        var pace = new Pace(LastNumber, perSecond);
        await using var watch = new Timer(
            _ => lanes.ForEach(lane => lane.Connection.BreakIfSilentSince(Environment.TickCount64 - (long)AnswerTimeout.TotalMilliseconds)),
            null,
            TimeSpan.FromMilliseconds(100),
            TimeSpan.FromMilliseconds(100));
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(until);
        try
        {
            await Task.WhenAll(lanes.Select(lane => Task.Run(() => RunAsync(lane, shapes, pace, end, connectTimeout, stop), CancellationToken.None)));
        }
        finally
        {
            lanes.ForEach(lane => lane.Connection.Dispose());
        }

        return Report(lanes, pace.Elapsed);
    }

    private async Task RunAsync(Lane lane, EventBody[] shapes, Pace pace, long end, TimeSpan connectTimeout, CancellationTokenSource stop)
    {
        try
        {
            while (!stop.IsCancellationRequested)
            {
                // Connected first, numbered then: an outage costs no numbers.
                await ConnectAsync(lane.Connection, connectTimeout, stop.Token);
                var number = Interlocked.Increment(ref _last);
                if (number > end)
                {
                    Interlocked.Decrement(ref _last);
                    return;
                }

                if (await pace.UntilDueAsync(number, stop.Token))
                {
                    lane.Connection.CheckIdle();
                    await ConnectAsync(lane.Connection, connectTimeout, stop.Token);
                }

                var time = DateTimeOffset.UtcNow.ToUnixTimeMilliseconds();
                lane.Remember(number, await lane.Connection.SendAsync(shapes[number % shapes.Length], number, time));
            }
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
        }
        catch
        {
            // One lane's failure is the whole run's: the others need not go on.
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
                throw new TimeoutException($"waited {limit.TotalSeconds:0.###} s for a connection to {_target.Authority}; last seen: {complaint}");
            }

            await Task.Delay(BetweenConnects, stop);
        }
    }

    private static string UserAgent(int index) =>
        $"Mozilla/5.0 (Linux; Android {12 + (index % 4)}; SM-S9{index % 90:00}N) AppleWebKit/537.36 (KHTML, like Gecko) "
        + $"Chrome/{120 + (index % 20)}.0.0.0 Mobile Safari/537.36";

    private static SendReport Report(List<Lane> lanes, TimeSpan elapsed)
    {
        var statuses = lanes.SelectMany(lane => lane.Statuses)
            .GroupBy(entry => entry.Key)
            .ToDictionary(group => group.Key, group => group.Sum(entry => entry.Value));
        return new SendReport(
            lanes.SelectMany(lane => lane.Acknowledged).ToHashSet(),
            statuses.GetValueOrDefault(Unavailable),
            [.. lanes.SelectMany(lane => lane.Unknown).Order()],
            statuses,
            elapsed);
    }

    /// <summary>One connection's loop and its memory; no other loop touches it.</summary>
    private sealed class Lane(EventConnection connection)
    {
        public EventConnection Connection { get; } = connection;

        public List<long> Acknowledged { get; } = [];

        public List<long> Unknown { get; } = [];

        public Dictionary<int, long> Statuses { get; } = [];

        public void Remember(long number, int? status)
        {
            if (status is not { } known)
            {
                Unknown.Add(number);
                return;
            }

            Statuses[known] = Statuses.GetValueOrDefault(known) + 1;
            if (known == Accepted)
            {
                Acknowledged.Add(number);
            }
        }
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

            var early = TimeSpan.FromSeconds((double)(number - before - 1) / rate) - Elapsed;
            if (early < TimeSpan.FromMilliseconds(1))
            {
                return false;
            }

            await Task.Delay(early, stop);
            return true;
        }
    }
}
