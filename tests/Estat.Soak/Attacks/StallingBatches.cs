// Batches that begin with megabytes and then all but stop.
using System.Net.Security;

namespace Estat.Soak.Attacks;

/// <summary>Bodies of which 4 MiB come at once, and then 400 bytes a second: they hold the memory that honest batches need.</summary>
/// <param name="sockets">How many at once.</param>
/// <param name="isTls">Whether the server speaks TLS.</param>
internal sealed class StallingBatches(int sockets, bool isTls) : IAttack
{
    private const int AtOnce = (4 << 20) + 100;
    private static readonly byte[] Head = Connection.Bytes("POST /collect/batch HTTP/1.1\r\nHost: x\r\nContent-Length: 8000000\r\n\r\n");
    private static readonly byte[] Body = Connection.Bytes(string.Concat(Enumerable.Repeat(new string('s', 99) + "\n", AtOnce / 100)));

    public string Name => "stalling-batches";

    public Task RunAsync(int port, CancellationToken cancellationToken) =>
        Connection.KeepAsync(sockets, TimeSpan.FromMilliseconds(50), ending => OneAsync(port, ending), cancellationToken);

    private async Task OneAsync(int port, CancellationToken cancellationToken)
    {
        await using Stream connection = isTls
            ? await Connection.OpenTlsAsync(port, SslApplicationProtocol.Http11, cancellationToken)
            : await Connection.OpenAsync(port, cancellationToken);
        await connection.WriteAsync(Head, cancellationToken);
        await connection.WriteAsync(Body, cancellationToken);
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        Task trickling = TrickleAsync(connection, ending.Token);
        var answer = new byte[4096];
        while (await connection.ReadAsync(answer, cancellationToken) == answer.Length)
        {
        }

        await ending.CancelAsync(); // it was answered
        await trickling;
    }

    private static async Task TrickleAsync(Stream connection, CancellationToken cancellationToken)
    {
        try
        {
            while (true)
            {
                await Task.Delay(TimeSpan.FromSeconds(0.25), cancellationToken);
                await connection.WriteAsync(Body.AsMemory(0, 100), cancellationToken);
            }
        }
        catch (Exception error) when (error is IOException or ObjectDisposedException or OperationCanceledException)
        {
            // It has ended.
        }
    }
}
