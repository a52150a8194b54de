// Small batches under a User-Agent that is long and longer when it is written.
using System.Net.Security;

namespace Estat.Soak.Attacks;

/// <summary>300 events of one byte, five times a second: each line of them carries the whole User-Agent, three bytes for each of its.</summary>
/// <param name="isTls">Whether the server speaks TLS.</param>
internal sealed class RepeatedAgents(bool isTls) : IAttack
{
    private const int Events = 300;
    private const int Agent = 15_000;
    private static readonly byte[] Request = Connection.Bytes(
        $"POST /collect/batch HTTP/1.1\r\nHost: x\r\nUser-Agent: {new string('\u00FF', Agent)}\r\nContent-Length: "
        + $"{2 * Events}\r\n\r\n{string.Concat(Enumerable.Repeat("a\n", Events))}");

    public string Name => "repeated-agents";

    public Task RunAsync(int port, CancellationToken cancellationToken) =>
        Connection.KeepAsync(1, TimeSpan.FromMilliseconds(200), ending => OneAsync(port, ending), cancellationToken);

    private async Task OneAsync(int port, CancellationToken cancellationToken)
    {
        await using Stream connection = isTls
            ? await Connection.OpenTlsAsync(port, SslApplicationProtocol.Http11, cancellationToken)
            : await Connection.OpenAsync(port, cancellationToken);
        var answer = new byte[4096];
        do
        {
            await connection.WriteAsync(Request, cancellationToken);
            await Task.Delay(TimeSpan.FromMilliseconds(200), cancellationToken);
        }
        while (await connection.ReadAsync(answer, cancellationToken) > 0);
    }
}
