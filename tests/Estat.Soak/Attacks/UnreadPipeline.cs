// HTTP/1.1, pipelined: more than a megabyte of requests a connection, of whose answers not a byte is read.
using System.Net.Security;

namespace Estat.Soak.Attacks;

/// <summary>Connections that send requests as long as they are taken, and read nothing.</summary>
/// <param name="connections">How many at once.</param>
/// <param name="isTls">Whether the server speaks TLS.</param>
/// <param name="between">Milliseconds between two beginnings: many more would be an attack by handshakes.</param>
internal sealed class UnreadPipeline(int connections, bool isTls, int between = 50) : IAttack
{
    private const int Sent = 1_300_000;
    private const int SmallBuffer = 4096; // of the attacker's socket: the kernel shall not read for it
    private const string Request = "GET /openapi.json HTTP/1.1\r\nHost: x\r\n\r\n";
    private static readonly byte[] Requests = Connection.Bytes(string.Concat(Enumerable.Repeat(Request, 16_384 / Request.Length)));

    public string Name => "http1-unread";

    public Task RunAsync(int port, CancellationToken cancellationToken) =>
        Connection.KeepAsync(connections, TimeSpan.FromMilliseconds(between), ending => OneAsync(port, ending), cancellationToken);

    /// <summary>One such connection, until the server ends it.</summary>
    internal async Task OneAsync(int port, CancellationToken cancellationToken)
    {
        await using Stream connection = isTls
            ? await Connection.OpenTlsAsync(port, SslApplicationProtocol.Http11, cancellationToken, SmallBuffer)
            : await Connection.OpenAsync(port, cancellationToken, SmallBuffer);
        for (int sent = 0; sent < Sent; sent += Requests.Length)
        {
            await connection.WriteAsync(Requests, cancellationToken); // waits for ever once nothing more is taken; a reset ends it
        }

        while (true)
        {
            await Task.Delay(TimeSpan.FromSeconds(1), cancellationToken);
            await connection.WriteAsync(Requests.AsMemory(0, 1), cancellationToken);
        }
    }
}
