// How far the load generator alone goes: a server that does next to nothing, so that wrk is what is measured.
using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;

namespace Estat.Bench.Baseline;

/// <summary>
/// One thread that answers 200 to whatever arrives at once on a connection, without looking at it: right for requests that fit into one read, wrong
/// for everything else. Serves until killed.
/// </summary>
internal static partial class CeilingServer
{
    private const int BufferBytes = 64 * 1024;
    private const short Readable = 1; // POLLIN
    private static readonly byte[] Answer = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"u8.ToArray();

    internal static void Run(int port)
    {
        using var listener = new TcpListener(IPAddress.Loopback, port);
        listener.Start(backlog: 1024);
        var sockets = new List<Socket> { listener.Server };
        var watched = new List<PollDescriptor> { Watch(listener.Server) };
        var buffer = new byte[BufferBytes];
        while (true)
        {
            Span<PollDescriptor> all = CollectionsMarshal.AsSpan(watched);
            _ = Poll(ref MemoryMarshal.GetReference(all), (nuint)all.Length, -1);
            bool newcomer = all[0].Returned != 0;
            // From the end, so that a connection that is gone can be taken out in passing.
            for (int at = all.Length - 1; at > 0; at--)
            {
                if (all[at].Returned != 0 && !Serve(sockets[at], buffer))
                {
                    sockets[at].Dispose();
                    sockets.RemoveAt(at);
                    watched.RemoveAt(at);
                    all = CollectionsMarshal.AsSpan(watched);
                }
            }

            if (newcomer)
            {
                Socket socket = listener.AcceptSocket();
                socket.NoDelay = true;
                sockets.Add(socket);
                watched.Add(Watch(socket));
            }
        }
    }

    private static bool Serve(Socket socket, byte[] buffer) =>
        socket.Receive(buffer, SocketFlags.None, out SocketError received) > 0 && received == SocketError.Success
        && socket.Send(Answer, SocketFlags.None, out SocketError sent) > 0 && sent == SocketError.Success;

    private static PollDescriptor Watch(Socket socket) => new() { Descriptor = (int)socket.SafeHandle.DangerousGetHandle(), Wanted = Readable };

    [LibraryImport("libc", EntryPoint = "poll")]
    private static partial int Poll(ref PollDescriptor descriptors, nuint count, int timeoutMilliseconds);

    [StructLayout(LayoutKind.Sequential)]
    private struct PollDescriptor
    {
        internal int Descriptor;
        internal short Wanted;
        internal short Returned;
    }
}
