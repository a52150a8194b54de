// Ports for the servers that tests start.

using System.Net;
using System.Net.Sockets;

namespace Estat.Testing;

/// <summary>Finds ports on which nothing listens.</summary>
public static class FreePort
{
    // Below the range from which Linux takes the ports of outgoing connections (32768 and up), so that nothing takes a
    // server's port while it restarts; random, so that test assemblies that run side by side do not meet.
    private const int First = 20000;
    private const int Last = 32000;

    /// <summary>A port of 127.0.0.1 on which nothing listens at this moment.</summary>
    public static int Next()
    {
        for (var attempt = 0; attempt < 1000; attempt++)
        {
            var port = Random.Shared.Next(First, Last);
            using var listener = new TcpListener(IPAddress.Loopback, port);
            try
            {
                listener.Start();
                return port;
            }
            catch (SocketException)
            {
            }
        }

        throw new InvalidOperationException($"1000 random ports between {First} and {Last} are all taken");
    }
}
