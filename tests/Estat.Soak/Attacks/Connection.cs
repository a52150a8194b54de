// A connection of an attacker's: bytes, over TLS as the server speaks it, from an address of its own.
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Text;

namespace Estat.Soak.Attacks;

/// <summary>Opens connections, and keeps a number of them at one thing.</summary>
internal static class Connection
{
    // All of 127.0.0.0/8 is this machine. The honest client is 127.0.0.1.
    private static readonly IPAddress From = IPAddress.Parse("127.0.0.66");

    /// <summary>Opens one without TLS.</summary>
    internal static async Task<NetworkStream> OpenAsync(int port, CancellationToken cancellationToken, int? receiveBuffer = null)
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            if (receiveBuffer is { } bytes)
            {
                socket.ReceiveBufferSize = bytes;
            }

            socket.Bind(new IPEndPoint(From, 0));
            await socket.ConnectAsync(new IPEndPoint(IPAddress.Loopback, port), cancellationToken);
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    /// <summary>Opens one with TLS.</summary>
    internal static async Task<SslStream> OpenTlsAsync(
        int port, SslApplicationProtocol protocol, CancellationToken cancellationToken, int? receiveBuffer = null)
    {
        var tls = new SslStream(await OpenAsync(port, cancellationToken, receiveBuffer));
        try
        {
            await tls.AuthenticateAsClientAsync(
                new SslClientAuthenticationOptions
                {
                    TargetHost = "localhost",
                    ApplicationProtocols = [protocol],
                    // the run's own
                    RemoteCertificateValidationCallback = (_, _, _, faults) => faults != SslPolicyErrors.RemoteCertificateNotAvailable,
                },
                cancellationToken);
            return tls;
        }
        catch
        {
            await tls.DisposeAsync();
            throw;
        }
    }

    /// <summary>
    /// So many at once, each begun anew when it ended, with some time between beginnings: an attacker's own processor is not what is attacked.
    /// </summary>
    internal static Task KeepAsync(int connections, TimeSpan between, Func<CancellationToken, Task> one, CancellationToken cancellationToken)
    {
        var turn = new SemaphoreSlim(1);
        return Task.WhenAll(Enumerable.Range(0, connections).Select(async _ =>
        {
            while (!cancellationToken.IsCancellationRequested)
            {
                try
                {
                    await turn.WaitAsync(cancellationToken);
                    try
                    {
                        await Task.Delay(between, cancellationToken);
                    }
                    finally
                    {
                        turn.Release();
                    }

                    await one(cancellationToken);
                }
                catch (Exception error) when (error is IOException or SocketException or OperationCanceledException
                    or System.Security.Authentication.AuthenticationException)
                {
                    // The server ended it, or the attack is over.
                }
            }
        }));
    }

    /// <summary>Waits until the server ends it, and reads nothing but its end.</summary>
    internal static async Task UntilClosedAsync(Socket socket, CancellationToken cancellationToken)
    {
        while (!(socket.Poll(0, SelectMode.SelectError) || (socket.Poll(0, SelectMode.SelectRead) && socket.Available == 0))
            && await IsOpenAsync(socket))
        {
            await Task.Delay(200, cancellationToken);
        }
    }

    /// <summary>Text as bytes, one a character.</summary>
    internal static byte[] Bytes(string text) => Encoding.Latin1.GetBytes(text);

    // A reset shows in a send alone while there is something to read.
    private static async Task<bool> IsOpenAsync(Socket socket)
    {
        await Task.Yield();
        return (int)socket.GetSocketOption(SocketOptionLevel.Socket, SocketOptionName.Error)! == 0 && socket.Connected;
    }
}
