// A middlebox: something that answers for a store without being one.
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Estat.Base.Tests.Support;

/// <summary>Gives one answer to the first bytes of every connection, reads what follows, and closes it.</summary>
internal sealed class FixedAnswer : IDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, FreePort.Next());
    private readonly byte[] _answer;

    internal FixedAnswer(string status, string type, string body)
    {
        _answer = Encoding.UTF8.GetBytes(
            $"HTTP/1.1 {status}\r\nContent-Type: {type}\r\nContent-Length: {Encoding.UTF8.GetByteCount(body)}\r\nConnection: close\r\n\r\n{body}");
        _listener.Start();
        _ = AcceptAsync();
    }

    internal Uri Endpoint => new($"http://{_listener.LocalEndpoint}");

    public void Dispose() => _listener.Dispose();

    private async Task AcceptAsync()
    {
        try
        {
            while (true)
            {
                _ = AnswerAsync(await _listener.AcceptSocketAsync());
            }
        }
        catch (Exception error) when (error is SocketException or ObjectDisposedException)
        {
            // Disposed of with the test.
        }
    }

    private async Task AnswerAsync(Socket client)
    {
        using (client)
        {
            try
            {
                var buffer = new byte[65536];
                await client.ReceiveAsync(buffer);
                await client.SendAsync(_answer);
                client.Shutdown(SocketShutdown.Send);
                while (await client.ReceiveAsync(buffer) > 0)
                {
                }
            }
            catch (SocketException)
            {
                // The client has its answer and left.
            }
        }
    }
}
