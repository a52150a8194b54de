// A network that misbehaves on request, between a client and a server on this machine.

using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Estat.Testing;

/// <summary>
/// Forwards TCP connections to a port of 127.0.0.1 and does to them what <see cref="Fault"/> says. A connection keeps the fault under
/// which it was accepted; setting the fault closes all connections, so that no kept-alive one escapes it.
/// </summary>
public sealed class FaultProxy : IDisposable
{
    private const int BufferBytes = 65536;
    private const string PortalPage = "<!DOCTYPE html><html><body>Please sign in<br></body></html>\n";
    private static readonly string PortalHead =
        $"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: {PortalPage.Length}\r\nConnection: close\r\n\r\n";
    private readonly Lock _lock = new();
    private readonly CancellationTokenSource _stopping = new();
    private readonly ConcurrentDictionary<Socket, byte> _open = new();
    private readonly TcpListener _listener = new(IPAddress.Loopback, FreePort.Next());
    private readonly int _targetPort;
    private Fault _fault = Fault.None;
    private int _faultsLeft;
    private int _connections;
    private int _struck;

    private FaultProxy(int targetPort)
    {
        _targetPort = targetPort;
        _listener.Start(512);
        Port = ((IPEndPoint)_listener.LocalEndpoint).Port;
    }

    /// <summary>Where the proxy listens, as a port of 127.0.0.1.</summary>
    public int Port { get; }

    /// <summary>Where the proxy listens, as a URL.</summary>
    public string Endpoint => $"http://127.0.0.1:{Port}";

    /// <summary>Connections accepted since the start.</summary>
    public int Connections => Volatile.Read(ref _connections);

    /// <summary>How often a fault has struck since the start: a connection was refused, swallowed, slowed or cut, or an answer was dropped.</summary>
    public int Struck => Volatile.Read(ref _struck);

    /// <summary>What is done to connections from now on. Setting it closes all open ones, also when it is set to what it was.</summary>
    public Fault Fault
    {
        get
        {
            lock (_lock)
            {
                return _fault;
            }
        }

        set
        {
            ArgumentNullException.ThrowIfNull(value);
            lock (_lock)
            {
                _fault = value;
                _faultsLeft = value.Connections ?? int.MaxValue;
                foreach (var socket in _open.Keys)
                {
                    Reset(socket);
                }
            }
        }
    }

    /// <summary>Starts a proxy in front of a port of 127.0.0.1.</summary>
    public static FaultProxy Start(int targetPort)
    {
        var proxy = new FaultProxy(targetPort);
        _ = proxy.AcceptAsync();
        return proxy;
    }

    public void Dispose()
    {
        _stopping.Cancel();
        _listener.Dispose();
        Fault = Fault.None;
        _stopping.Dispose();
    }

    /// <summary>Closes with a reset: what the other side still sends or awaits fails at once, no orderly end of stream.</summary>
    private static void Reset(Socket socket)
    {
        try
        {
            socket.LingerState = new LingerOption(true, 0);
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
        }

        socket.Dispose();
    }

    private async Task AcceptAsync()
    {
        var stopping = _stopping.Token;
        while (!stopping.IsCancellationRequested)
        {
            try
            {
                _ = ServeAsync(await _listener.AcceptSocketAsync(stopping));
            }
            catch (Exception e) when (e is OperationCanceledException or SocketException or ObjectDisposedException)
            {
                // Stopping, or a client that left before it was accepted.
            }
        }
    }

    private async Task ServeAsync(Socket client)
    {
        Interlocked.Increment(ref _connections);
        using var server = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        Fault fault;
        lock (_lock)
        {
            fault = _faultsLeft > 0 ? _fault : Fault.None;
            _faultsLeft -= fault.Connections is null ? 0 : 1;
            _open[client] = 0;
            _open[server] = 0;
        }

        try
        {
            client.NoDelay = server.NoDelay = true;
            await ServeAsync(fault, client, server);
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException or OperationCanceledException)
        {
            // Either side broke the connection; the other one shall see the same.
        }
        finally
        {
            Reset(client);
            Reset(server);
            _open.TryRemove(client, out _);
            _open.TryRemove(server, out _);
        }
    }

    private async Task ServeAsync(Fault fault, Socket client, Socket server)
    {
        switch (fault.Kind)
        {
            case FaultKind.Refuse:
                Strike();
                return;
            case FaultKind.Hang:
                Strike();
                await SwallowAsync(client);
                return;
            case FaultKind.Portal:
                Strike();
                await GreetAsync(client);
                return;
        }

        await server.ConnectAsync(IPAddress.Loopback, _targetPort);
        if (fault.Kind == FaultKind.LoseAnswer)
        {
            await new AnswerLoss(Encoding.ASCII.GetBytes(fault.Text), fault.Amount).ServeAsync(client, server);
            Strike();
            return;
        }

        var perSecond = fault.Kind == FaultKind.Slow ? fault.Amount : long.MaxValue;
        var up = UploadAsync(client, server, fault.Kind == FaultKind.CutUpload ? fault.Amount : long.MaxValue, perSecond);
        var down = fault.Kind == FaultKind.DropResponse ? DropAsync(server, client) : DownloadAsync(server, client, perSecond);
        if (fault.Kind == FaultKind.Slow)
        {
            Strike();
        }

        var first = await Task.WhenAny(up, down);
        // The first to fail, to be cut or to drop ends the connection; an orderly end of one direction leaves the other open.
        if (await first)
        {
            await (first == up ? down : up);
        }
        else
        {
            Strike();
        }
    }

    private void Strike() => Interlocked.Increment(ref _struck);

    /// <summary>Answers the first request once its head is here, and hears the rest of what is sent.</summary>
    private static async Task GreetAsync(Socket client)
    {
        var buffer = new byte[BufferBytes];
        var held = 0;
        while (held < buffer.Length && buffer.AsSpan(0, held).IndexOf("\r\n\r\n"u8) < 0)
        {
            if (await client.ReceiveAsync(buffer.AsMemory(held)) is not (var count and > 0))
            {
                return;
            }

            held += count;
        }

        var isHead = buffer.AsSpan(0, held).StartsWith("HEAD "u8);
        await client.SendAllAsync(Encoding.ASCII.GetBytes(isHead ? PortalHead : PortalHead + PortalPage));
        client.Shutdown(SocketShutdown.Send);
        await SwallowAsync(client);
    }

    private static async Task SwallowAsync(Socket client)
    {
        var buffer = new byte[BufferBytes];
        while (await client.ReceiveAsync(buffer) > 0)
        {
        }
    }

    /// <summary>True at an orderly end of stream, false once the limit is reached.</summary>
    private async Task<bool> UploadAsync(Socket client, Socket server, long limit, long perSecond)
    {
        var pace = new Pace(perSecond);
        var buffer = new byte[pace.Chunk];
        while (limit > 0)
        {
            var count = await client.ReceiveAsync(buffer.AsMemory(0, (int)Math.Min(buffer.Length, limit)));
            if (count == 0)
            {
                server.Shutdown(SocketShutdown.Send);
                return true;
            }

            await server.SendAllAsync(buffer.AsMemory(0, count));
            limit -= count;
            await pace.AfterAsync(count, _stopping.Token);
        }

        return false;
    }

    private async Task<bool> DownloadAsync(Socket server, Socket client, long perSecond)
    {
        var pace = new Pace(perSecond);
        var buffer = new byte[pace.Chunk];
        while (await server.ReceiveAsync(buffer) is var count and > 0)
        {
            await client.SendAllAsync(buffer.AsMemory(0, count));
            await pace.AfterAsync(count, _stopping.Token);
        }

        client.Shutdown(SocketShutdown.Send);
        return true;
    }

    /// <summary>
    /// Passes "100 Continue" on, without which a client may not send its body, and ends the connection at the answer proper.
    /// </summary>
    private static async Task<bool> DropAsync(Socket server, Socket client)
    {
        var buffer = new byte[BufferBytes];
        while (await server.ReceiveAsync(buffer) is var count and > 0)
        {
            var seen = buffer.AsMemory(0, count);
            if (!seen.Span.StartsWith("HTTP/1.1 100 "u8))
            {
                return false;
            }

            var interim = seen.Span.IndexOf("\r\n\r\n"u8) + 4;
            await client.SendAllAsync(seen[..interim]);
            if (interim < count)
            {
                return false;
            }
        }

        return false;
    }

    /// <summary>Forwards both ways until the server answers what came with a text.</summary>
    private sealed class AnswerLoss(byte[] text, long times)
    {
        private long _left = times;

        public async Task ServeAsync(Socket client, Socket server) =>
            await await Task.WhenAny(ForwardAsync(client, server, isUp: true), ForwardAsync(server, client, isUp: false));

        private async Task ForwardAsync(Socket from, Socket to, bool isUp)
        {
            var buffer = new byte[BufferBytes];
            while (await from.ReceiveAsync(buffer) is var count and > 0)
            {
                if (isUp)
                {
                    if (buffer.AsSpan(0, count).IndexOf(text) >= 0)
                    {
                        Interlocked.Decrement(ref _left);
                    }
                }
                else if (Interlocked.Read(ref _left) <= 0)
                {
                    return;
                }

                await to.SendAllAsync(buffer.AsMemory(0, count));
            }
        }
    }

    /// <summary>Holds one direction to its rate by the clock, in about twenty small portions per second.</summary>
    private sealed class Pace(long perSecond)
    {
        private readonly long _started = TimeProvider.System.GetTimestamp();
        private long _sent;

        public int Chunk { get; } = (int)Math.Clamp(perSecond / 20, 1, BufferBytes);

        public async Task AfterAsync(int count, CancellationToken cancelled)
        {
            _sent += count;
            if (perSecond == long.MaxValue)
            {
                return;
            }

            var ahead = TimeSpan.FromSeconds((double)_sent / perSecond) - TimeProvider.System.GetElapsedTime(_started);
            if (ahead > TimeSpan.FromMilliseconds(1))
            {
                await Task.Delay(ahead, cancelled);
            }
        }
    }
}

/// <summary>What sockets lack.</summary>
internal static class SocketSending
{
    /// <summary>Sends all of it; a socket may take less than it is given.</summary>
    public static async ValueTask SendAllAsync(this Socket socket, ReadOnlyMemory<byte> bytes)
    {
        while (bytes.Length > 0)
        {
            bytes = bytes[await socket.SendAsync(bytes)..];
        }
    }
}
