// How many connections may be open, and which one goes when there is no room for the next.
using System.Diagnostics;
using Estat.Base.Logging;
using Estat.Base.Threading;
using Estat.Http.Metrics;
using Microsoft.AspNetCore.Connections;

namespace Estat.Http.Connections;

/// <summary>
/// Never more than <see cref="Most"/> connections hold a descriptor, those that shake hands included. When all places are taken, the connection that
/// has been idle for longest is closed for the next one; only where all are busy, the next one is. So a client that opens connections and says
/// nothing keeps nobody else out. What this costs is paid when there is no room, never by a request.
/// </summary>
/// <param name="places">How many connections there may be.</param>
/// <param name="counters">Where it is counted.</param>
/// <param name="logger">Where a full room is told, at most once a minute.</param>
internal sealed partial class ConnectionRoom(int places, ConnectionCounters counters, ILogger logger)
{
    // An answer leaves just after its request has ended. One that has been idle for so long has sent it.
    private static readonly TimeSpan LeastIdle = TimeSpan.FromMilliseconds(20);

    // Milliseconds.
    private const long BetweenLooks = 5;

    // Descriptors left free where they ran out although there were places: somebody else in the process needs more than was kept.
    private const int Spare = 8;
    private const int LeastPlaces = 8;
    private static readonly TimeSpan ShrunkFor = TimeSpan.FromMinutes(1);

    // Of a room, as many as are chosen by one look at all: so a place costs the sight of some sixteen connections, not of all.
    private const int Parts = 16;
    private static readonly TimeSpan LongestClose = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan BetweenLogs = TimeSpan.FromMinutes(1);

    private readonly Lock _gate = new();
    private readonly List<OpenConnection> _open = [];
    private readonly Queue<(OpenConnection Connection, long IdleSince)> _oldest = [];
    private readonly TellLimit _lines = new(BetweenLogs, TimeProvider.System);
    private readonly int _places = places;
    private int _most = places;
    private int _taken;
    private long _entered;
    private long _noneBefore;
    private long? _shrunkAt;
    private long _closed;
    private long _refused;

    /// <summary>Places: those of the options, or for a minute fewer.</summary>
    internal int Most => Volatile.Read(ref _most);

    /// <summary>Takes a place, if need be that of an idle connection. One caller at a time.</summary>
    /// <returns>False: there is none, and the connection has to be closed.</returns>
    internal async ValueTask<bool> TryTakeAsync()
    {
        while (!TryTake())
        {
            await PoolThread.Switch(); // a look at all of them is nothing for a thread that polls sockets
            if (await ClaimOldestAsync().ConfigureAwait(false) is not { } oldest)
            {
                counters.Refused.Increment();
                Tell(closed: 0, refused: 1);
                return false;
            }

            counters.ClosedIdle.Increment();
            Tell(closed: 1, refused: 0);
            await CloseAsync(oldest).ConfigureAwait(false);
        }

        return true;
    }

    /// <summary>
    /// Descriptors ran out though there are places: so there are fewer for a minute, and the oldest idle connections are closed. As
    /// <see cref="TryTakeAsync"/>.
    /// </summary>
    internal async ValueTask ShrinkAsync()
    {
        await PoolThread.Switch();
        lock (_gate)
        {
            _most = Math.Min(_most, Math.Max(LeastPlaces, Math.Min(_most, _taken) - Spare));
            _shrunkAt = Stopwatch.GetTimestamp();
        }

        for (int i = 0; i < Spare && ClaimOldest(out _) is { } oldest; i++)
        {
            counters.ClosedIdle.Increment();
            await CloseAsync(oldest).ConfigureAwait(false);
        }
    }

    /// <summary>Gives a place back that no connection came to use.</summary>
    internal void GiveBack()
    {
        lock (_gate)
        {
            _taken--;
        }

        counters.Closed.Increment();
    }

    /// <summary>A connection uses the place that was taken for it.</summary>
    internal void Enter(OpenConnection connection)
    {
        lock (_gate)
        {
            connection.Index = _open.Count;
            connection.Number = ++_entered;
            _open.Add(connection);
        }
    }

    /// <summary>Its descriptor is free again.</summary>
    internal void Leave(OpenConnection connection)
    {
        connection.Seat.Leave();
        lock (_gate)
        {
            OpenConnection last = _open[^1];
            _open[connection.Index] = last;
            last.Index = connection.Index;
            _open.RemoveAt(_open.Count - 1);
        }

        GiveBack();
    }

    private bool TryTake()
    {
        lock (_gate)
        {
            if (_shrunkAt is { } at && Stopwatch.GetElapsedTime(at) >= ShrunkFor)
            {
                (_most, _shrunkAt) = (_places, null);
            }

            if (_taken >= _most)
            {
                return false;
            }

            _taken++;
        }

        counters.Opened.Increment();
        return true;
    }

    // One that does not end within the time keeps its place until it does.
    private static async Task CloseAsync(OpenConnection connection)
    {
        try
        {
            connection.Abort(new ConnectionAbortedException("The server needs this idle connection's place for a new one."));
            await connection.Gone.WaitAsync(LongestClose).ConfigureAwait(false);
        }
        catch (Exception)
        {
            // It takes its time, or cannot be ended: the next is asked for its place instead. What is thrown here would end the accepting of
            // connections.
        }
    }

    private async ValueTask<OpenConnection?> ClaimOldestAsync()
    {
        if (ClaimOldest(out bool isSoon) is not { } oldest)
        {
            if (!isSoon)
            {
                return null;
            }

            // many came at once, and all idle ones are fresh; the clock may be some milliseconds late
            await Task.Delay(2 * LeastIdle).ConfigureAwait(false);
            return ClaimOldest(out _);
        }

        return oldest;
    }

    private OpenConnection? ClaimOldest(out bool isSoon)
    {
        lock (_gate)
        {
            isSoon = false;
            return NextOfOldest() ?? (Find(out isSoon) ? NextOfOldest() : null);
        }
    }

    // A connection that was used since is not the oldest any more, and no younger one comes before the others: times only grow.
    private OpenConnection? NextOfOldest()
    {
        while (_oldest.TryDequeue(out (OpenConnection Connection, long IdleSince) next))
        {
            if (next.Connection.Seat.TryClaim(next.IdleSince))
            {
                return next.Connection;
            }
        }

        return null;
    }

    private bool Find(out bool isSoon)
    {
        isSoon = false;
        long now = Environment.TickCount64;
        if (now < _noneBefore)
        {
            return false;
        }

        (OpenConnection Connection, long IdleSince)[] idle = [.. _open.Where(one => one.Seat.IsIdle).Select(one => (one, one.Seat.IdleSince))];
        Array.Sort(idle, static (a, b) => (a.IdleSince, a.Connection.Number).CompareTo((b.IdleSince, b.Connection.Number)));
        long latest = now - (long)LeastIdle.TotalMilliseconds;
        foreach ((OpenConnection Connection, long IdleSince) one in idle.TakeWhile(one => one.IdleSince <= latest)
            .Take(Math.Max(1, _open.Count / Parts)))
        {
            _oldest.Enqueue(one);
        }

        isSoon = _oldest.Count == 0 && idle.Length > 0;
        if (idle.Length == 0)
        {
            _noneBefore = now + BetweenLooks; // where all are busy, new connections must not cost a look at all of them each
        }

        return _oldest.Count > 0;
    }

    private void Tell(int closed, int refused)
    {
        _closed += closed;
        _refused += refused;
        if (_lines.IsDue())
        {
            LogConnectionsFull(logger, _most, _closed, _refused);
            (_closed, _refused) = (0, 0);
        }
    }

    [LoggerMessage(
        Level = LogLevel.Warning,
        Message = "All {Most} connections are in use. Since the last such line the server closed {Closed} idle ones to make room, and {Refused} new "
            + "ones because none was idle. It logs this at most once a minute. Raise MAX_CONNECTIONS, or find out who opens so many")]
    private static partial void LogConnectionsFull(ILogger logger, int most, long closed, long refused);
}
