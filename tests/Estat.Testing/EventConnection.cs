// One kept-alive HTTP/1.1 connection that costs little: the sender shares its cores with the server that it measures.

using System.Buffers.Text;
using System.Net.Sockets;
using System.Text;

namespace Estat.Testing;

/// <summary>
/// Sends one request at a time and reads its answer's status. Used by one loop; only <see cref="BreakIfSilentSince"/> may be called
/// from elsewhere.
/// </summary>
internal sealed class EventConnection : IDisposable
{
    private const int BufferBytes = 16384;
    private readonly string _host;
    private readonly int _port;
    private readonly byte[] _head;
    private readonly byte[] _request = new byte[BufferBytes];
    private readonly byte[] _answer = new byte[BufferBytes];
    private Socket? _socket;
    private long _waitingSince = long.MaxValue;

    public EventConnection(Uri target, IReadOnlyDictionary<string, string> headers, string userAgent)
    {
        _host = target.Host;
        _port = target.Port;
        var head = new StringBuilder($"POST {target.PathAndQuery} HTTP/1.1\r\nHost: {target.Authority}\r\nUser-Agent: {userAgent}\r\n");
        foreach (var (name, value) in headers)
        {
            head.Append($"{name}: {value}\r\n");
        }

        _head = Encoding.UTF8.GetBytes(head.Append("Content-Type: text/plain;charset=UTF-8\r\nContent-Length: ").ToString());
        _head.CopyTo(_request, 0);
    }

    public bool Connected => _socket is not null;

    /// <summary>Connects; null when it worked, else why not.</summary>
    public async Task<string?> TryConnectAsync(CancellationToken cancelled)
    {
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            await socket.ConnectAsync(_host, _port, cancelled);
            _socket = socket;
            return null;
        }
        catch (SocketException e)
        {
            socket.Dispose();
            return e.Message;
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    /// <summary>Notices that the server closed the connection while it was idle; a request sent now would be of unknown fate.</summary>
    public void CheckIdle()
    {
        if (_socket is { } socket && socket.Poll(0, SelectMode.SelectRead))
        {
            Close();
        }
    }

    /// <summary>Sends one event and returns the status that answered it; null, and no connection any more, if none came.</summary>
    public async ValueTask<int?> SendAsync(EventBody body, long number, long time)
    {
        var socket = _socket ?? throw new InvalidOperationException("not connected");
        Volatile.Write(ref _waitingSince, Environment.TickCount64);
        try
        {
            await socket.SendAllAsync(_request.AsMemory(0, Write(body, number, time)));
            return await ReadAnswerAsync(socket);
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            Close();
            return null;
        }
        finally
        {
            Volatile.Write(ref _waitingSince, long.MaxValue);
        }
    }

    /// <summary>Gives up on an answer that has been awaited since before this moment (of Environment.TickCount64).</summary>
    public void BreakIfSilentSince(long moment)
    {
        if (Volatile.Read(ref _waitingSince) < moment)
        {
            _socket?.Dispose();
        }
    }

    public void Dispose() => Close();

    private void Close()
    {
        _socket?.Dispose();
        _socket = null;
    }

    private int Write(EventBody body, long number, long time)
    {
        var at = _head.Length;
        Utf8Formatter.TryFormat(body.Length(number, time), _request.AsSpan(at), out var digits);
        at += digits;
        "\r\n\r\n"u8.CopyTo(_request.AsSpan(at));
        at += 4;
        return at + body.Write(_request.AsSpan(at), number, time);
    }

    private async ValueTask<int?> ReadAnswerAsync(Socket socket)
    {
        var filled = 0;
        while (true)
        {
            var count = await socket.ReceiveAsync(_answer.AsMemory(filled));
            filled += count;
            var head = Head.Parse(_answer.AsSpan(0, filled));
            if (head is { } found)
            {
                await SkipBodyAsync(socket, found, filled);
                if (found.Close)
                {
                    Close();
                }

                return found.Status;
            }

            if (count == 0 || filled == _answer.Length)
            {
                Close();
                return null;
            }
        }
    }

    /// <summary>The body is of no interest, but the next answer begins behind it.</summary>
    private async ValueTask SkipBodyAsync(Socket socket, Head head, int filled)
    {
        while (!head.BodyEnds(_answer.AsSpan(0, filled)))
        {
            // What was seen of a long body makes room, but for the last bytes, which may be half of a chunked body's end.
            if (filled - head.Length > 1024)
            {
                _answer.AsSpan(filled - 8, 8).CopyTo(_answer.AsSpan(head.Length));
                head = head with { Skipped = head.Skipped + filled - head.Length - 8 };
                filled = head.Length + 8;
            }

            var count = await socket.ReceiveAsync(_answer.AsMemory(filled));
            if (count == 0)
            {
                // The status did come; the connection is of no more use.
                Close();
                return;
            }

            filled += count;
        }
    }

    /// <summary>What the head of an answer says. A negative content length: chunked.</summary>
    private readonly record struct Head(int Status, int Length, long ContentLength, bool Close, long Skipped)
    {
        public static Head? Parse(ReadOnlySpan<byte> answer)
        {
            var end = answer.IndexOf("\r\n\r\n"u8);
            if (end < 0 || !Utf8Parser.TryParse(answer["HTTP/1.1 ".Length..], out int status, out _))
            {
                return null;
            }

            var contentLength = 0L;
            var close = false;
            foreach (var range in answer[..end].Split("\r\n"u8))
            {
                var line = answer[..end][range];
                if (Value(line, "content-length: "u8) is { Length: > 0 } length && Utf8Parser.TryParse(length, out long announced, out _))
                {
                    contentLength = announced;
                }
                else if (Value(line, "transfer-encoding: "u8).Length > 0)
                {
                    contentLength = -1;
                }
                else if (Ascii.EqualsIgnoreCase(Value(line, "connection: "u8), "close"u8))
                {
                    close = true;
                }
            }

            return new Head(status, end + 4, contentLength, close, 0);
        }

        public bool BodyEnds(ReadOnlySpan<byte> answer) =>
            ContentLength >= 0 ? Skipped + answer.Length - Length >= ContentLength : answer[Length..].EndsWith("0\r\n\r\n"u8);

        private static ReadOnlySpan<byte> Value(ReadOnlySpan<byte> line, ReadOnlySpan<byte> name) =>
            line.Length > name.Length && Ascii.EqualsIgnoreCase(line[..name.Length], name) ? line[name.Length..] : default;
    }
}
