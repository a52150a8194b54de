// The client that must not notice: events at a constant rate, a batch now and then, each answer's time counted from when its event was due.
using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Text;

namespace Estat.Soak;

/// <summary>Sends over a few connections that it keeps. Which phase an answer belongs to is when its event was due.</summary>
internal sealed class HonestClient(int port, int rate)
{
    private const int Connections = 20;
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(20);
    private static readonly byte[] Event = Encoding.ASCII.GetBytes(
        "POST /collect HTTP/1.1\r\nHost: localhost\r\nUser-Agent: honest/1\r\n"
        + "Content-Length: 41\r\n\r\n{\"event\":\"view\",\"page\":\"/products/12345\"}");

    private static readonly byte[] Batch = Encoding.ASCII.GetBytes(
        "POST /collect/batch HTTP/1.1\r\nHost: localhost\r\nContent-Length: 30000\r\n\r\n"
        + $"{string.Concat(Enumerable.Repeat(new string('h', 99) + "\n", 300))}");

    private readonly Lock _gate = new();
    private Tally _tally = new();

    /// <summary>Sends until it is ended.</summary>
    internal Task RunAsync(CancellationToken cancellationToken)
    {
        long started = Stopwatch.GetTimestamp();
        IEnumerable<Task> events = Enumerable.Range(0, Connections)
            .Select(i => SendAsync(Event, started, TimeSpan.FromSeconds((double)i / rate), TimeSpan.FromSeconds((double)Connections / rate),
                isBatch: false, cancellationToken));
        return Task.WhenAll([.. events, SendAsync(Batch, started, TimeSpan.Zero, TimeSpan.FromMilliseconds(250), isBatch: true, cancellationToken)]);
    }

    /// <summary>What came of it since the last call.</summary>
    internal Tally Take()
    {
        lock (_gate)
        {
            Tally taken = _tally;
            _tally = new Tally();
            return taken;
        }
    }

    private async Task SendAsync(byte[] request, long started, TimeSpan first, TimeSpan every, bool isBatch, CancellationToken cancellationToken)
    {
        Stream? connection = null;
        TimeSpan due = first;
        var buffer = new byte[16 * 1024];
        while (!cancellationToken.IsCancellationRequested)
        {
            TimeSpan early = due - Stopwatch.GetElapsedTime(started);
            if (early > TimeSpan.Zero)
            {
                await Task.Delay(early, CancellationToken.None);
            }

            string? fault;
            try
            {
                using var limit = new CancellationTokenSource(Limit);
                connection ??= await OpenAsync(limit.Token);
                await connection.WriteAsync(request, limit.Token);
                fault = await ReadAsync(connection, buffer, limit.Token);
            }
            catch (Exception error) when (error is IOException or SocketException or OperationCanceledException
                or System.Security.Authentication.AuthenticationException)
            {
                fault = error is OperationCanceledException ? "no answer" : $"broken: {error.GetBaseException().Message}";
                if (connection is not null)
                {
                    await connection.DisposeAsync();
                    connection = null;
                }
            }

            lock (_gate)
            {
                _tally.Add(isBatch ? null : Stopwatch.GetElapsedTime(started) - due, fault);
            }

            due += every;
        }

        if (connection is not null)
        {
            await connection.DisposeAsync();
        }
    }

    private async Task<Stream> OpenAsync(CancellationToken cancellationToken)
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        await socket.ConnectAsync(new IPEndPoint(IPAddress.Loopback, port), cancellationToken);
        var tls = new SslStream(new NetworkStream(socket, ownsSocket: true));
        await tls.AuthenticateAsClientAsync(
            new SslClientAuthenticationOptions
            {
                TargetHost = "localhost",
                RemoteCertificateValidationCallback = (_, _, _, faults) => faults != SslPolicyErrors.RemoteCertificateNotAvailable, // the run's own
            },
            cancellationToken);
        return tls;
    }

    // Null for 2xx; else what was answered.
    private static async Task<string?> ReadAsync(Stream connection, byte[] buffer, CancellationToken cancellationToken)
    {
        int length = 0;
        int headEnd;
        while ((headEnd = buffer.AsSpan(0, length).IndexOf("\r\n\r\n"u8)) < 0)
        {
            int read = await connection.ReadAsync(buffer.AsMemory(length), cancellationToken);
            length += read > 0 ? read : throw new EndOfStreamException("closed without an answer");
        }

        string head = Encoding.Latin1.GetString(buffer, 0, headEnd);
        int body = 0;
        foreach (string line in head.Split("\r\n"))
        {
            body = line.StartsWith("Content-Length: ", StringComparison.OrdinalIgnoreCase)
                ? int.Parse(line.AsSpan(16), CultureInfo.InvariantCulture) : body;
        }

        while (length < headEnd + 4 + body)
        {
            int read = await connection.ReadAsync(buffer.AsMemory(length), cancellationToken);
            length += read > 0 ? read : throw new EndOfStreamException("closed in an answer");
        }

        string status = head.Substring(9, 3);
        return status[0] == '2' ? null : head.Contains("\r\nRetry-After: ", StringComparison.OrdinalIgnoreCase)
            ? $"{status} with Retry-After" : status;
    }
}
