// A request on a connection of its own, written byte by byte, which is left open.

using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Estat.Testing;

/// <summary>Whether and when the answer is read, the test says.</summary>
public sealed class OpenRequest : IDisposable
{
    private readonly Socket _socket;

    private OpenRequest(Socket socket) => _socket = socket;

    /// <summary>Sends a text as it is, as far as the other side takes it.</summary>
    public static async Task<OpenRequest> SendAsync(ServerProcess server, string text)
    {
        ArgumentNullException.ThrowIfNull(server);
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true, ReceiveBufferSize = 4096 };
        await socket.ConnectAsync(IPAddress.Loopback, server.BaseAddress.Port);
        var request = new OpenRequest(socket);
        socket.Blocking = false;
        var bytes = Encoding.ASCII.GetBytes(text);
        for (var sent = 0; sent < bytes.Length;)
        {
            var more = socket.Send(bytes.AsSpan(sent), SocketFlags.None, out var error);
            if (error == SocketError.WouldBlock)
            {
                break; // the other side reads no more: so be it
            }

            sent += more;
        }

        return request;
    }

    /// <summary>Until the first bytes of the answer are there; they are not taken.</summary>
    public Task UntilAnsweredAsync(TimeSpan limit) => Wait.UntilAsync(() => _socket.Available > 0, limit, "an answer");

    /// <summary>Closes the connection.</summary>
    public void Dispose() => _socket.Dispose();
}
