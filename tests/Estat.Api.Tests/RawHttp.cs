// HTTP as bytes: for what a well-behaved client library refuses to send, and for when it matters which bytes come together.
using System.Buffers.Text;
using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;
using Estat.Api.Tests.Contract;

namespace Estat.Api.Tests;

/// <summary>
/// One TCP connection to a server on this machine. Text is sent as Latin-1: one byte a character. Where what was sent begins like a request, its
/// answer is held against /openapi.json.
/// </summary>
internal sealed partial class RawHttp : IDisposable
{
    private const int LongestLine = 4096;
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(30);

    private readonly Socket _socket = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
    private readonly StringBuilder _sent = new();
    private byte[] _received = [];

    private RawHttp()
    {
    }

    internal static async Task<RawHttp> ConnectAsync(int port)
    {
        var connection = new RawHttp();
        try
        {
            await connection._socket.ConnectAsync(IPAddress.Loopback, port).WaitAsync(Limit);
            return connection;
        }
        catch
        {
            connection.Dispose();
            throw;
        }
    }

    /// <summary>The head of a POST to <c>/collect</c> with these header lines, each ended by CRLF.</summary>
    internal static string Post(string headers, string path = "/collect") => $"POST {path} HTTP/1.1\r\nHost: estat.test\r\n{headers}\r\n";

    internal Task SendAsync(string latin1) => SendAsync(Encoding.Latin1.GetBytes(latin1));

    internal async Task SendAsync(ReadOnlyMemory<byte> bytes)
    {
        if (_sent.Length < LongestLine)
        {
            _sent.Append(Encoding.Latin1.GetString(bytes.Span[..Math.Min(bytes.Length, LongestLine)]));
        }

        while (bytes.Length > 0)
        {
            bytes = bytes[await _socket.SendAsync(bytes).AsTask().WaitAsync(Limit)..];
        }
    }

    /// <summary>Sends until the server has closed the connection, whatever it thinks of what it gets.</summary>
    internal async Task TrySendAsync(string latin1)
    {
        try
        {
            await SendAsync(latin1);
        }
        catch (SocketException)
        {
        }
    }

    /// <summary>Reads the next answer, interim ones included.</summary>
    /// <exception cref="EndOfStreamException">The connection ended before.</exception>
    internal async Task<RawAnswer> ReadAnswerAsync()
    {
        RawAnswer head = await ReceiveHeadAsync();
        byte[] body = head.Status is 204 or < 200 ? []
            : head.Headers["Transfer-Encoding"].Any() ? await ReadChunksAsync()
            : await ReadBytesAsync(int.Parse(head.Headers["Content-Length"].Single(), System.Globalization.CultureInfo.InvariantCulture));
        RawAnswer answer = head with { Body = body };
        if (answer.Status >= 200)
        {
            Judge(answer, answer.Body);
        }

        return answer;
    }

    /// <summary>Reads the head of the next answer, which is all there is of an answer to HEAD.</summary>
    internal async Task<RawAnswer> ReadHeadAsync()
    {
        RawAnswer head = await ReceiveHeadAsync();
        Judge(head, body: null);
        return head;
    }

    private async Task<RawAnswer> ReceiveHeadAsync()
    {
        int headEnd;
        while ((headEnd = _received.AsSpan().IndexOf("\r\n\r\n"u8)) < 0)
        {
            await ReceiveOrThrowAsync();
        }

        string[] head = Encoding.Latin1.GetString(_received, 0, headEnd).Split("\r\n");
        Assert.Matches("^HTTP/1.[01] [1-5][0-9][0-9]( |$)", head[0]);
        var headers = head[1..].Select(line => line.Split(": ", 2)).ToLookup(pair => pair[0], pair => pair[1], StringComparer.OrdinalIgnoreCase);
        int status = int.Parse(head[0].AsSpan(9, 3), System.Globalization.CultureInfo.InvariantCulture);
        _received = _received[(headEnd + 4)..];
        return new RawAnswer(status, headers, []);
    }

    /// <summary>Waits until the server has ended the connection; what it still sends is skipped.</summary>
    internal async Task UntilClosedAsync()
    {
        var buffer = new byte[4096];
        try
        {
            while (await _socket.ReceiveAsync(buffer).WaitAsync(Limit) > 0)
            {
            }
        }
        catch (SocketException)
        {
            // A reset is an end as well.
        }
        catch (TimeoutException)
        {
            throw new TimeoutException($"waited {Limit.TotalSeconds} s for the server to end the connection");
        }
    }

    /// <summary>Whether the server has ended the connection, as far as is known here.</summary>
    internal bool IsClosed => _socket.Poll(0, SelectMode.SelectRead) && _socket.Available == 0;

    /// <summary>Whether anything of an answer has come that was not read yet.</summary>
    internal bool HasAnswer => _received.Length > 0 || _socket.Available > 0;

    /// <summary>Says that no more will be sent, and goes on listening.</summary>
    internal void FinishSending() => _socket.Shutdown(SocketShutdown.Send);

    /// <summary>Ends the connection by a reset, as a crashed client's machine does.</summary>
    internal void Reset()
    {
        _socket.LingerState = new LingerOption(true, 0);
        _socket.Dispose();
    }

    public void Dispose() => _socket.Dispose();

    // Of requests that were sent together only the first is known by its line.
    private void Judge(RawAnswer answer, byte[]? body)
    {
        Match line = RequestLine().Match(_sent.ToString());
        _sent.Clear();
        if (line.Success)
        {
            ApiDescription.Default.Check(new Answer(
                line.Groups["method"].Value, line.Groups["path"].Value, answer.Status, answer.Headers,
                answer.Headers["Content-Type"].SingleOrDefault(), body));
        }
    }

    [GeneratedRegex(@"^(?<method>[A-Z]+) (?<path>/[A-Za-z/._-]*)(\?[!-~]*)? HTTP/1\.[01]\r\n")]
    private static partial Regex RequestLine();

    private async Task<byte[]> ReadBytesAsync(int count)
    {
        while (_received.Length < count)
        {
            await ReceiveOrThrowAsync();
        }

        byte[] bytes = _received[..count];
        _received = _received[count..];
        return bytes;
    }

    private async Task<byte[]> ReadChunksAsync()
    {
        var body = new List<byte>();
        while (true)
        {
            int lineEnd;
            while ((lineEnd = _received.AsSpan().IndexOf("\r\n"u8)) < 0)
            {
                await ReceiveOrThrowAsync();
            }

            Assert.True(Utf8Parser.TryParse(_received.AsSpan(0, lineEnd), out int size, out _, 'x'));
            _received = _received[(lineEnd + 2)..];
            body.AddRange(await ReadBytesAsync(size));
            await ReadBytesAsync(2);
            if (size == 0)
            {
                return [.. body];
            }
        }
    }

    private async Task ReceiveOrThrowAsync()
    {
        var buffer = new byte[16384];
        int count;
        try
        {
            count = await _socket.ReceiveAsync(buffer).WaitAsync(Limit);
        }
        catch (TimeoutException)
        {
            throw new TimeoutException($"waited {Limit.TotalSeconds} s for an answer; so far: {Encoding.Latin1.GetString(_received)}");
        }

        if (count == 0)
        {
            throw new EndOfStreamException($"the server closed the connection; it had said: {Encoding.Latin1.GetString(_received)}");
        }

        _received = [.. _received, .. buffer.AsSpan(0, count)];
    }
}

/// <summary>One answer as it came.</summary>
internal sealed record RawAnswer(int Status, ILookup<string, string> Headers, byte[] Body)
{
    internal string Text => Encoding.UTF8.GetString(Body);

    /// <summary>Checks that this is a problem document for the status, and returns what it says.</summary>
    internal string Detail => Problems.DetailOf(Status, Headers["Content-Type"].SingleOrDefault(), Body);
}

/// <summary>The form of every error answer that Estat itself gives.</summary>
internal static class Problems
{
    /// <summary>Checks the form and returns <c>detail</c>.</summary>
    internal static string DetailOf(int status, string? contentType, byte[] body)
    {
        Assert.Equal("application/problem+json", contentType);
        using var problem = JsonDocument.Parse(body);
        Assert.Equal(status, problem.RootElement.GetProperty("status").GetInt32());
        Assert.NotEmpty(problem.RootElement.GetProperty("title").GetString()!);
        string detail = problem.RootElement.GetProperty("detail").GetString()!;
        Assert.True(detail.Length > 10, $"the detail says nothing: {detail}");
        return detail;
    }

    /// <inheritdoc cref="DetailOf(int, string?, byte[])"/>
    internal static async Task<string> DetailOfAsync(HttpResponseMessage answer) =>
        DetailOf((int)answer.StatusCode, answer.Content.Headers.ContentType?.ToString(), await answer.Content.ReadAsByteArrayAsync());
}
