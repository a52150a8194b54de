// One connection at the fast door, until it ends or Kestrel takes it over.
using System.Buffers;
using System.Diagnostics;
using System.IO.Pipelines;
using Estat.Base.Threading;
using Estat.Http.Answering;
using Estat.Http.ClientAddress;
using Estat.Http.Connections;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;

namespace Estat.Http.FastDoor;

/// <summary>
/// Reads requests that are wholly there and has them answered. The first that is not, or that is not for this door, is left where it is for Kestrel,
/// with all that follows. What waits, a part of a request included, waits in Kestrel with its timeouts; only an idle connection waits here.
/// </summary>
internal sealed class FastConnection
{
    private readonly FastDoorMiddleware _door;
    private readonly PipeReader _input;
    private readonly ConnectionSeat? _seat;
    private readonly Peer _peer;
    private readonly RequestHead _head = new();
    private readonly AnswerQueue _answers;
    private volatile bool _isEnding;

    /// <param name="door">Where it came in.</param>
    /// <param name="connection">The connection.</param>
    internal FastConnection(FastDoorMiddleware door, ConnectionContext connection)
    {
        _door = door;
        _input = connection.Transport.Input;
        _seat = connection.Features.Get<ConnectionSeat>();
        _peer = connection.Features.Get<Peer>()!;
        _answers = new AnswerQueue(door.Texts, connection.Transport.Output, StraightSend.Of(connection), _seat, Wake, door.OnFault);
    }

    private enum Next
    {
        /// <summary>All that came was taken.</summary>
        Read,

        /// <summary>Others have their turn on this thread.</summary>
        Switch,

        /// <summary>Answers have to leave first.</summary>
        Drain,

        /// <summary>Kestrel reads on.</summary>
        HandOver,

        /// <summary>The connection ends.</summary>
        End,
    }

    // Only a connection that was idle has waited for it.
    private bool IsIdleTooLong =>
        _seat is { IsIdle: true } seat && Environment.TickCount64 - seat.IdleSince > _door.KeepAlive.TotalMilliseconds;

    /// <summary>Serves it.</summary>
    /// <returns>Whether Kestrel takes over; else the connection is over.</returns>
    internal async Task<bool> ServeAsync(ConnectionContext connection)
    {
        using var watch = new IdleWatch(this, connection);
        var next = Next.End;
        try
        {
            next = await ReadAsync().ConfigureAwait(false);
        }
        catch (Exception error) when (error is IOException or ConnectionAbortedException or OperationCanceledException)
        {
            // The client has left.
        }
        finally
        {
            // Whoever writes the answers must not meet pipes that are closed, or Kestrel's answers.
            await _answers.DrainedAsync().ConfigureAwait(false);
        }

        return next == Next.HandOver && !_answers.Closes; // which an answer may have said that had to be waited for
    }

    private async Task<Next> ReadAsync()
    {
        while (true)
        {
            ReadResult result = await _input.ReadAsync().ConfigureAwait(false);
            ReadOnlySequence<byte> received = result.Buffer;
            int taken = 0;
            Next next = Decide(result) ?? TakeAll(received.First, out taken);
            SequencePosition read = received.GetPosition(taken);
            _head.Release();
            _input.AdvanceTo(read, read);
            switch (next)
            {
                case Next.Switch:
                    await PoolThread.Switch();
                    break;
                case Next.Drain:
                    await _answers.DrainedAsync().ConfigureAwait(false);
                    break;
                case Next.HandOver or Next.End:
                    return next;
            }
        }
    }

    // What needs no look at what came; null for all else.
    private Next? Decide(in ReadResult result) =>
        _answers.Closes ? Next.End
        : result.Buffer.IsEmpty ? result.IsCompleted || _isEnding || (result.IsCanceled && IsIdleTooLong) ? Next.End : Next.Read
        : _answers.IsStuck ? Next.Drain
        : null;

    private Next TakeAll(ReadOnlyMemory<byte> received, out int taken)
    {
        taken = 0;
        bool owns = false;
        Next next = Next.Read;
        try
        {
            while (next == Next.Read && taken < received.Length)
            {
                next = TryTake(received[taken..], ref owns, out int length);
                taken += length;
            }
        }
        finally
        {
            if (owns)
            {
                _answers.Flush();
            }
        }

        return next == Next.Read && _isEnding ? Next.End : next;
    }

    private Next TryTake(ReadOnlyMemory<byte> received, ref bool owns, out int length)
    {
        length = 0;
        if (_door.Find(_head, received) is not { } route)
        {
            return Next.HandOver;
        }

        int whole = _head.Length + _head.ContentLength;
        var request = new FastRequestView(_head, _peer);
        if (received.Length < whole || !route.Takes(request))
        {
            return Next.HandOver;
        }

        if (!ThreadTurns.MayStay(this))
        {
            return Next.Switch;
        }

        if (_answers.IsFull)
        {
            return Next.Drain;
        }

        if (_seat?.TryBegin() == false)
        {
            return Next.End; // it was just taken for idle: nobody has read the request, and its client may send it again
        }

        Activity? span = _door.BeginSpan(request, route);
        PendingAnswer? pending = route.Take(request, received.Span.Slice(_head.Length, _head.ContentLength), out DoorAnswer answer);
        if (span is not null)
        {
            Activity.Current = null;
        }

        length = whole;
        if (pending is null && (owns || _answers.TryOwn()))
        {
            owns = true;
            _answers.Write(answer, span);
        }
        else
        {
            if (owns)
            {
                _answers.Flush();
                owns = false;
            }

            pending ??= new KnownAnswer(answer);
            pending.Span = span;
            _answers.Add(pending);
        }

        // What comes behind an answer that closes is not read, as by Kestrel, even if that answer waits for those before it.
        return answer.Closes || _answers.Closes ? Next.End : Next.Read;
    }

    // Ends a read that waits.
    private void Wake() => _input.CancelPendingRead();

    /// <summary>Looks once a second whether the connection has been idle for too long, and hears when the server ends.</summary>
    private sealed class IdleWatch : IDisposable
    {
        private readonly CancellationTokenRegistration _ending;
        private volatile FastConnection? _watched; // the feature keeps who it calls for as long as the connection lives

        internal IdleWatch(FastConnection watched, ConnectionContext connection)
        {
            _watched = watched;
            connection.Features.Get<IConnectionHeartbeatFeature>()?.OnHeartbeat(static watch => ((IdleWatch)watch).Look(), this);
            _ending = connection.Features.Get<IConnectionLifetimeNotificationFeature>()?.ConnectionClosedRequested
                .UnsafeRegister(static watch => ((IdleWatch)watch!).End(), this) ?? default;
        }

        public void Dispose()
        {
            _watched = null;
            _ending.Dispose();
        }

        private void Look()
        {
            if (_watched is { IsIdleTooLong: true } watched)
            {
                watched.Wake();
            }
        }

        private void End()
        {
            if (_watched is { } watched)
            {
                watched._isEnding = true;
                watched.Wake();
            }
        }
    }
}
