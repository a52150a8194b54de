// One case's connection: what went out, what came back, and how it ended.
using System.Diagnostics;
using System.Net;
using System.Net.Sockets;

namespace Estat.Fuzz.Wire;

/// <summary>Who ended a connection, and how.</summary>
internal enum ExchangeEnd
{
    /// <summary>The server closed it.</summary>
    Closed,

    /// <summary>The server reset it; answers may have been lost on the way.</summary>
    Reset,

    /// <summary>The client did, as the case says.</summary>
    ByClient,

    /// <summary>Nobody did within the limit.</summary>
    Hung,
}

/// <summary>What came of a connection.</summary>
/// <param name="Received">All bytes.</param>
/// <param name="End">How it ended.</param>
/// <param name="HalfClosed">Whether the client had said that it sends no more: Kestrel may then leave answers out.</param>
/// <param name="Took">From connecting to the end.</param>
internal sealed record Exchange(byte[] Received, ExchangeEnd End, bool HalfClosed, TimeSpan Took)
{
    private static readonly TimeSpan QuietFor = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan LongestQuiet = TimeSpan.FromSeconds(5);

    /// <summary>Plays a case.</summary>
    /// <param name="fuzzCase">The case.</param>
    /// <param name="port">Where the server listens on this machine.</param>
    /// <param name="limit">Time that the server has, from the last byte on, to answer all and close.</param>
    /// <param name="other">Whether another server, which is sent the same, has said as much as this one so far; null when there is none.</param>
    internal static async Task<Exchange> PlayAsync(FuzzCase fuzzCase, int port, TimeSpan limit, Func<byte[], bool>? other = null)
    {
        long started = Stopwatch.GetTimestamp();
        Delivery delivery = fuzzCase.Delivery;
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        // An address of its own for each case: by it the stored lines are known again.
        socket.Bind(new IPEndPoint(CaseAddress.Of(fuzzCase.Number), 0));
        await socket.ConnectAsync(IPAddress.Loopback, port);
        var incoming = new Incoming(socket);
        Task<ExchangeEnd> reading = incoming.ReadAsync(delivery.ReadsLateMilliseconds);
        bool halfClosed = false;
        try
        {
            await SendAsync(socket, fuzzCase, limit);
            switch (delivery.Ending)
            {
                case Ending.Reset:
                    socket.LingerState = new LingerOption(true, 0);
                    socket.Dispose();
                    break;
                case Ending.Abandon:
                    socket.Dispose();
                    break;
                case Ending.HalfClose:
                    halfClosed = TryFinishSending(socket);
                    break;
                case Ending.Quiet:
                    incoming.BeginQuiet();
                    while (!reading.IsCompleted && (incoming.QuietFor < QuietFor || !IsSaid(incoming, other)))
                    {
                        await Task.WhenAny(reading, Task.Delay(QuietFor / 4));
                    }

                    halfClosed = !reading.IsCompleted && TryFinishSending(socket);
                    break;
            }

            ExchangeEnd end = await AwakeClock.WithinAsync(reading, limit);
            end = delivery.Ending is Ending.Reset or Ending.Abandon ? ExchangeEnd.ByClient : end;
            return new Exchange(incoming.Bytes, end, halfClosed, Stopwatch.GetElapsedTime(started));
        }
        catch (TimeoutException)
        {
            return new Exchange(incoming.Bytes, ExchangeEnd.Hung, halfClosed, Stopwatch.GetElapsedTime(started));
        }
    }

    // Kestrel may leave answers out once a client has said that it sends no more: so nobody says it before both servers have said the same.
    private static bool IsSaid(Incoming incoming, Func<byte[], bool>? other) =>
        other is null || (other(incoming.Bytes) && (incoming.HasSaid || incoming.QuietFor > 10 * QuietFor)) || incoming.QuietFor > LongestQuiet;

    private static async Task SendAsync(Socket socket, FuzzCase fuzzCase, TimeSpan limit)
    {
        int sent = 0;
        try
        {
            foreach (int cut in fuzzCase.Delivery.Cuts.Append(fuzzCase.Delivery.End))
            {
                while (sent < cut)
                {
                    sent += await AwakeClock.WithinAsync(socket.SendAsync(fuzzCase.Bytes.AsMemory(sent..cut)).AsTask(), limit);
                }

                if (cut < fuzzCase.Delivery.End)
                {
                    await (fuzzCase.Delivery.PauseMilliseconds > 0 ? Task.Delay(fuzzCase.Delivery.PauseMilliseconds) : YieldAsync());
                }
            }
        }
        catch (SocketException)
        {
            // The server has heard enough; what it had to say is read all the same.
        }
    }

    private static async Task YieldAsync() => await Task.Yield();

    private static bool TryFinishSending(Socket socket)
    {
        try
        {
            socket.Shutdown(SocketShutdown.Send);
        }
        catch (SocketException)
        {
        }

        return true;
    }

    private sealed class Incoming(Socket socket)
    {
        private readonly Lock _gate = new();
        private readonly List<byte> _bytes = [];
        private long _last = Stopwatch.GetTimestamp();

        internal TimeSpan QuietFor => Stopwatch.GetElapsedTime(Volatile.Read(ref _last));

        internal void BeginQuiet() => Volatile.Write(ref _last, Stopwatch.GetTimestamp());

        internal bool HasSaid
        {
            get
            {
                lock (_gate)
                {
                    return _bytes.Count > 0;
                }
            }
        }

        internal byte[] Bytes
        {
            get
            {
                lock (_gate)
                {
                    return [.. _bytes];
                }
            }
        }

        internal async Task<ExchangeEnd> ReadAsync(int lateMilliseconds)
        {
            await Task.Delay(lateMilliseconds);
            var buffer = new byte[8192];
            try
            {
                while (true)
                {
                    int count = await socket.ReceiveAsync(buffer);
                    if (count == 0)
                    {
                        return ExchangeEnd.Closed;
                    }

                    Volatile.Write(ref _last, Stopwatch.GetTimestamp());
                    lock (_gate)
                    {
                        _bytes.AddRange(buffer.AsSpan(0, count));
                    }
                }
            }
            catch (Exception error) when (error is SocketException or ObjectDisposedException)
            {
                return ExchangeEnd.Reset;
            }
        }
    }
}
