// HTTP/2 as frames, over TLS: for clients that begin and leave.
using System.Buffers.Binary;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Text;

namespace Estat.Api.Tests;

/// <summary>One connection that sends what it is told. What the server sends is thrown away.</summary>
internal sealed class RawHttp2 : IDisposable
{
    private const byte Data = 0;
    private const byte Headers = 1;
    private const byte Reset = 3;
    private const byte Settings = 4;
    private const byte EndStream = 1;
    private const byte EndHeaders = 4;
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(30);

    private readonly TcpClient _client = new();
    private readonly MemoryStream _frames = new();
    private SslStream? _stream;
    private int _next = 1;

    internal static async Task<RawHttp2> ConnectAsync(int port)
    {
        var connection = new RawHttp2();
        await connection._client.ConnectAsync(IPAddress.Loopback, port).WaitAsync(Limit);
        connection._stream = new SslStream(connection._client.GetStream());
        await connection._stream.AuthenticateAsClientAsync(new SslClientAuthenticationOptions
        {
            TargetHost = "localhost",
            ApplicationProtocols = [SslApplicationProtocol.Http2],
            RemoteCertificateValidationCallback = (_, certificate, _, _) => certificate is not null,
        }).WaitAsync(Limit);
        connection._frames.Write("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"u8);
        connection.Frame(Settings, 0, 0, []);
        await connection.FlushAsync();
        byte[] head = new byte[9];
        await connection._stream.ReadExactlyAsync(head).AsTask().WaitAsync(Limit); // the server's settings: it reads frames from here on
        _ = connection.SkipAsync();
        return connection;
    }

    /// <summary>Begins a request; <paramref name="body"/> is a part of its body, or null where it has none.</summary>
    internal int Begin(string method, string path, string? body)
    {
        int stream = _next;
        _next += 2;
        using var block = new MemoryStream();
        foreach ((string name, string value) in new[] { (":method", method), (":path", path), (":scheme", "https"), (":authority", "localhost") })
        {
            block.WriteByte(0); // a literal, not indexed, with a new name
            Text(block, name);
            Text(block, value);
        }

        Frame(Headers, (byte)(EndHeaders | (body is null ? EndStream : 0)), stream, block.ToArray());
        if (body is not null)
        {
            Frame(Data, 0, stream, Encoding.ASCII.GetBytes(body));
        }

        return stream;
    }

    /// <summary>Takes a request back.</summary>
    internal void Cancel(int stream) => Frame(Reset, 0, stream, [0, 0, 0, 8]);

    /// <summary>Sends what was gathered; false: the server has ended the connection.</summary>
    internal async Task<bool> FlushAsync()
    {
        byte[] bytes = _frames.ToArray();
        _frames.SetLength(0);
        try
        {
            await _stream!.WriteAsync(bytes).AsTask().WaitAsync(Limit);
            return true;
        }
        catch (IOException)
        {
            return false;
        }
    }

    /// <summary>Leaves as a crashed client's machine does.</summary>
    internal void Vanish()
    {
        _client.Client.LingerState = new LingerOption(true, 0);
        _client.Client.Dispose();
    }

    public void Dispose()
    {
        _client.Dispose();
        _stream?.Dispose();
        _frames.Dispose();
    }

    private static void Text(MemoryStream block, string text)
    {
        block.WriteByte((byte)text.Length); // shorter than 127, as it is
        block.Write(Encoding.ASCII.GetBytes(text));
    }

    private void Frame(byte type, byte flags, int stream, ReadOnlySpan<byte> payload)
    {
        Span<byte> head = stackalloc byte[9];
        BinaryPrimitives.WriteInt32BigEndian(head, payload.Length << 8);
        head[3] = type;
        head[4] = flags;
        BinaryPrimitives.WriteInt32BigEndian(head[5..], stream);
        _frames.Write(head);
        _frames.Write(payload);
    }

    private async Task SkipAsync()
    {
        try
        {
            await _stream!.CopyToAsync(Stream.Null);
        }
        catch (Exception error) when (error is IOException or ObjectDisposedException or SocketException)
        {
            // The end of it.
        }
    }
}
