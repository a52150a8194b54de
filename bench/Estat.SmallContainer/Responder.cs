// A server that answers 200 to whatever it is sent, for the load generator to warm up with.
using System.Net;
using System.Net.Sockets;

namespace Estat.SmallContainer;

/// <summary>Knows nothing of HTTP but that a request ends with a brace, as bodies do, and is answered once.</summary>
internal sealed class Responder : IDisposable
{
    private static readonly byte[] Answer = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"u8.ToArray();
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);

    internal Uri Address { get; private set; } = new("http://127.0.0.1/");

    internal static Responder Start()
    {
        var responder = new Responder();
        responder._listener.Start(512);
        responder.Address = new Uri($"http://127.0.0.1:{((IPEndPoint)responder._listener.LocalEndpoint).Port}/");
        _ = responder.AcceptAsync();
        return responder;
    }

    public void Dispose() => _listener.Dispose();

    private async Task AcceptAsync()
    {
        try
        {
            while (true)
            {
                _ = ServeAsync(await _listener.AcceptSocketAsync());
            }
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // Disposed: the warm-up is over.
        }
    }

    private static async Task ServeAsync(Socket client)
    {
        using (client)
        {
            var buffer = new byte[16384];
            try
            {
                while (await client.ReceiveAsync(buffer) is var count and > 0)
                {
                    if (buffer[count - 1] == '}')
                    {
                        await client.SendAsync(Answer);
                    }
                }
            }
            catch (SocketException)
            {
                // The client is done.
            }
        }
    }
}
