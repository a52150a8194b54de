// One kept-alive HTTP/1.1 connection that costs little: the sender shares its cores with the server that it measures.

using System.Buffers.Text;
using System.Net.Sockets;
using System.Text;

namespace Estat.Testing;

/// <summary>What an answer said.</summary>
/// <param name="Status">Its status code.</param>
/// <param name="Level">The ack level that it names.</param>
/// <param name="Key">The object that it names, if it does.</param>
/// <param name="MayBeStored">A refusal that says so: the disk failed, and what it has kept is unknown.</param>
internal sealed record Answer(int Status, string Level, string? Key, bool MayBeStored = false);

/// <summary>
/// Sends one request at a time and reads its answer's status. Used by one loop; only <see cref="BreakIfSilentSince"/> may be called
/// from elsewhere.
/// </summary>
internal sealed class EventConnection : IDisposable
{
    private const int BufferBytes = 16384;
    private const int EventBytes = 2048;
    private const int Unavailable = 503;
    private readonly string _host;
    private readonly int _port;
    private readonly byte[] _head;
    private readonly byte[] _request;
    private readonly byte[] _body;
    private readonly byte[] _answer = new byte[BufferBytes];
    private Socket? _socket;
    private Answer _last = new(0, AckNames.Unstated, null);
    private long _waitingSince = long.MaxValue;

    public EventConnection(Uri target, IReadOnlyDictionary<string, string> headers, string userAgent, int events = 1)
    {
        _request = new byte[BufferBytes + (EventBytes * events)];
        _body = new byte[EventBytes * events];
        _host = target.Host;
        _port = target.Port;
        var head = new StringBuilder($"POST {target.PathAndQuery} HTTP/1.1\r\nHost: {target.Authority}\r\nUser-Agent: {userAgent}\r\n");
        foreach (var (name, value) in headers)
        {
            head.Append($"{name}: {value}\r\n");
        }

        var type = events == 1 ? "text/plain;charset=UTF-8" : "application/x-ndjson";
        _head = Encoding.UTF8.GetBytes(head.Append($"Content-Type: {type}\r\nContent-Length: ").ToString());
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

    /// <summary>
    /// Sends an event, or as many in a batch, numbered from <paramref name="first"/>; null, and no connection any more, if no answer came.
    /// </summary>
    /// <exception cref="InvalidDataException">A batch was acknowledged and not taken whole.</exception>
    public async ValueTask<Answer?> SendAsync(EventBody[] shapes, long first, int events, long time)
    {
        var socket = _socket ?? throw new InvalidOperationException("not connected");
        Volatile.Write(ref _waitingSince, Environment.TickCount64);
        try
        {
            await socket.SendAllAsync(_request.AsMemory(0, Write(shapes, first, events, time)));
            return await ReadAnswerAsync(socket, events);
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

    private int Write(EventBody[] shapes, long first, int events, long time)
    {
        var length = 0;
        for (var number = first; number < first + events; number++)
        {
            if (number > first)
            {
                _body[length++] = (byte)'\n';
            }

            length += shapes[number % shapes.Length].Write(_body.AsSpan(length), number, time);
        }

        var at = _head.Length;
        Utf8Formatter.TryFormat(length, _request.AsSpan(at), out var digits);
        at += digits;
        "\r\n\r\n"u8.CopyTo(_request.AsSpan(at));
        at += 4;
        _body.AsSpan(0, length).CopyTo(_request.AsSpan(at));
        return at + length;
    }

    private async ValueTask<Answer?> ReadAnswerAsync(Socket socket, int events)
    {
        var filled = 0;
        while (true)
        {
            var count = await socket.ReceiveAsync(_answer.AsMemory(filled));
            filled += count;
            var head = Head.Parse(_answer.AsSpan(0, filled));
            if (head is { } found)
            {
                _last = found.ToAnswer(_answer, _last);
                filled = await SkipBodyAsync(socket, found, filled);
                if (found.Status == Unavailable && SaysMayBeStored(found, _answer.AsSpan(0, filled)))
                {
                    _last = _last with { MayBeStored = true };
                }

                if (found.Close)
                {
                    Close();
                }

                return events == 1 || found.Status is not (200 or 202) || TookAll(_answer.AsSpan(found.Length, filled - found.Length), events)
                    ? _last : null;
            }

            if (count == 0 || filled == _answer.Length)
            {
                Close();
                return null;
            }
        }
    }

    /// <summary>Also if the answer broke off before it could say so.</summary>
    private static bool SaysMayBeStored(Head head, ReadOnlySpan<byte> answer) =>
        !head.BodyEnds(answer) || answer[head.Length..].IndexOf("may be stored"u8) >= 0;

    /// <summary>Whether the answer to a batch says that it was taken whole; false if the body that would say so did not come.</summary>
    private static bool TookAll(ReadOnlySpan<byte> body, int events)
    {
        var name = "\"accepted\":"u8;
        var at = body.IndexOf(name);
        if (at < 0 || !Utf8Parser.TryParse(body[(at + name.Length)..], out int accepted, out _))
        {
            return false;
        }

        return accepted == events ? true : throw new InvalidDataException($"a batch of {events} events was answered: accepted {accepted}");
    }

    /// <summary>The body is of little interest, but the next answer begins behind it. Returns how much of the answer is in the buffer.</summary>
    private async ValueTask<int> SkipBodyAsync(Socket socket, Head head, int filled)
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
                return filled;
            }

            filled += count;
        }

        return filled;
    }

    /// <summary>What the head of an answer says. A negative content length: chunked.</summary>
    private readonly record struct Head(int Status, int Length, long ContentLength, bool Close, long Skipped, Range Level, Range Key)
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
            Range level = default, key = default;
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
                else if (Value(line, "x-estat-ack: "u8).Length > 0)
                {
                    level = ValueRange(range, end, "x-estat-ack: "u8);
                }
                else if (Value(line, "x-estat-key: "u8).Length > 0)
                {
                    key = ValueRange(range, end, "x-estat-key: "u8);
                }
            }

            return new Head(status, end + 4, contentLength, close, 0, level, key);
        }

        /// <summary>The answer; the last one again if it says the same, as most answers on a connection do.</summary>
        public Answer ToAnswer(ReadOnlySpan<byte> answer, Answer last)
        {
            var level = AckNames.Of(answer[Level]);
            var name = answer[Key];
            var key = name.IsEmpty ? null : last.Key is { } known && Ascii.Equals(name, known) ? known : Encoding.ASCII.GetString(name);
            return last.Status == Status && last.Level == level && last.Key == key && !last.MayBeStored ? last : new Answer(Status, level, key);
        }

        public bool BodyEnds(ReadOnlySpan<byte> answer) =>
            ContentLength >= 0 ? Skipped + answer.Length - Length >= ContentLength : answer[Length..].EndsWith("0\r\n\r\n"u8);

        private static Range ValueRange(Range line, int end, ReadOnlySpan<byte> name)
        {
            var (offset, length) = line.GetOffsetAndLength(end);
            return (offset + name.Length)..(offset + length);
        }

        private static ReadOnlySpan<byte> Value(ReadOnlySpan<byte> line, ReadOnlySpan<byte> name) =>
            line.Length > name.Length && Ascii.EqualsIgnoreCase(line[..name.Length], name) ? line[name.Length..] : default;
    }
}
