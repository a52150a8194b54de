// Who is connected to one of a silo's two ports, within a bound. Orleans has none, and keeps a silent connection for ever.
using Estat.Base.Logging;
using Microsoft.AspNetCore.Connections;

namespace Estat.Silo.Ports;

/// <summary>
/// A node says who it is in its first bytes, within HEADER_TIMEOUT, or is closed. When the room is full, the connection that has been silent for
/// longest makes way for the next; when nobody is silent, the next is closed at once. So silent connections keep no node out, and all of them
/// together never take the descriptors that the spool needs. A connection that cannot be closed, and a log that nobody reads, keep nobody else
/// waiting. Any thread.
/// </summary>
/// <param name="name">Names the port in the log.</param>
/// <param name="most">Connections at once.</param>
/// <param name="patience">Time for the first bytes, TLS included.</param>
/// <param name="time">The clock of that.</param>
/// <param name="onClosed">Counts who was closed: <c>silent</c> or <c>full</c>.</param>
/// <param name="logger">Where it is told, at most once a minute.</param>
internal sealed partial class PortRoom(string name, int most, TimeSpan patience, TimeProvider time, Action<string> onClosed, ILogger logger)
{
    // Those that were told to go and have not closed yet.
    private const int Leaving = 16;
    private static readonly TimeSpan BetweenLines = TimeSpan.FromMinutes(1);

    private readonly Lock _gate = new();
    private readonly LinkedList<Visitor> _silent = [];
    private readonly TellLimit _lines = new(BetweenLines, time);
    private int _inside;

    /// <summary>Connections now.</summary>
    internal int Inside => Volatile.Read(ref _inside);

    /// <summary>Lets a connection in, unless there is no room for it.</summary>
    internal bool TryEnter(ConnectionContext connection)
    {
        var visitor = new Visitor(this, connection);
        if (!TryAdd(visitor, out Visitor? oldest))
        {
            Tell("full");
            return false;
        }

        oldest?.Close("full");
        connection.Features.Set(visitor);
        visitor.Begin(patience, time);
        return true;
    }

    /// <summary>Ends a connection; one that cannot be ended ends by itself, or with the process.</summary>
    internal static void Close(ConnectionContext connection, string reason)
    {
        try
        {
            connection.Abort(new ConnectionAbortedException($"closed by the silo: {reason}"));
        }
        catch (Exception)
        {
            // It may be gone already. What is thrown here would end the process, from a timer, or the accepting of connections.
        }
    }

    private bool TryAdd(Visitor visitor, out Visitor? oldest)
    {
        lock (_gate)
        {
            oldest = null;
            if (_inside >= most)
            {
                oldest = _silent.First?.Value;
                if (oldest is null || _inside >= most + Leaving)
                {
                    return false;
                }

                _silent.RemoveFirst();
                oldest.Place = null;
            }

            _inside++;
            visitor.Place = _silent.AddLast(visitor);
            return true;
        }
    }

    private void Tell(string reason)
    {
        onClosed(reason);
        if (_lines.IsDue())
        {
            LogClosed(logger, name, most, reason == "full" ? "there is no room" : "somebody connects and does not say who it is");
        }
    }

    [LoggerMessage(
        Level = LogLevel.Warning,
        Message = "The silo closes connections to {Port}, because {Reason} (SILO_MAX_CONNECTIONS, here {Most}; HEADER_TIMEOUT). Only nodes "
            + "of the cluster should be able to reach this port")]
    private static partial void LogClosed(ILogger logger, string port, int most, string reason);

    /// <summary>One connection, from its acceptance on.</summary>
    internal sealed class Visitor(PortRoom room, ConnectionContext connection)
    {
        private ITimer? _limit;

        /// <summary>Among those that have said nothing yet; null for others.</summary>
        internal LinkedListNode<Visitor>? Place { get; set; }

        /// <summary>It has said who it is.</summary>
        internal void Speak()
        {
            Forget();
            _limit?.Dispose();
        }

        /// <summary>Waits for its first bytes, and for its end.</summary>
        internal void Begin(TimeSpan patience, TimeProvider time)
        {
            _limit = time.CreateTimer(_ => OnSilent(), null, patience, Timeout.InfiniteTimeSpan);
            connection.ConnectionClosed.UnsafeRegister(static visitor => ((Visitor)visitor!).Leave(), this);
        }

        /// <summary>Ends it.</summary>
        internal void Close(string reason)
        {
            PortRoom.Close(connection, reason);
            room.Tell(reason);
        }

        private void OnSilent()
        {
            if (Forget())
            {
                Close("silent");
            }
        }

        private void Leave()
        {
            Speak();
            lock (room._gate)
            {
                room._inside--; // under the lock, as it is added to: a place that was lost in between would be lost for ever
            }
        }

        private bool Forget()
        {
            lock (room._gate)
            {
                if (Place is null)
                {
                    return false;
                }

                room._silent.Remove(Place);
                Place = null;
                return true;
            }
        }
    }
}
