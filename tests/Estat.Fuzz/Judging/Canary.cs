// The sound event between two cases: acknowledged, and found again as it was sent.
using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;
using Estat.Fuzz.Wire;
using Estat.Testing;

namespace Estat.Fuzz.Judging;

/// <summary>One worker's connection for canaries.</summary>
internal sealed class Canary(int port, TimeSpan limit) : IDisposable
{
    private const string UserAgent = "canary";
    private const string Prefix = "canary ";
    private const int Attempts = 100;
    private static readonly TimeSpan IdleLimit = TimeSpan.FromSeconds(1); // below KEEPALIVE_TIMEOUT: the server must not close while we send
    private static readonly TimeSpan RetryAfter = TimeSpan.FromMilliseconds(50);
    private readonly byte[] _buffer = new byte[4096];
    private Socket? _socket;
    private long _lastUse;

    /// <summary>Sends the event with this number until it is acknowledged.</summary>
    /// <returns>How often it had to be sent again, after a 503 or on a new connection, and what went wrong; null: nothing.</returns>
    internal async Task<(int Refusals, string? Fault)> SendAsync(long number)
    {
        byte[] body = Encoding.UTF8.GetBytes(Body(number));
        byte[] head = Encoding.ASCII.GetBytes(string.Create(
            CultureInfo.InvariantCulture, $"POST /collect HTTP/1.1\r\nHost: e\r\nUser-Agent: {UserAgent}\r\nIdempotency-Key: "
                + $"{Id(number)}\r\nContent-Length: {body.Length}\r\n\r\n"));
        for (int refusals = 0; refusals < Attempts; refusals++)
        {
            string? fault = null;
            Answer? answer = null;
            long started = Stopwatch.GetTimestamp();
            try
            {
                answer = await AwakeClock.WithinAsync(SendAsync([.. head, .. body]), limit);
                fault = answer is null ? "the connection ended or did not speak HTTP"
                    : answer.Ack is null && answer.Status is not (503 or 429) ? $"answered {answer.Status}" : null;
            }
            catch (Exception error) when (error is SocketException or TimeoutException)
            {
                fault = error.Message;
            }

            // On a machine that is paused at times the server may have given up on the connection: sent again on a new one, as clients do. Had the
            // server taken the event without an answer, it would be found stored twice.
            if (fault is not null && (refusals == 0 || Stopwatch.GetElapsedTime(started) > IdleLimit))
            {
                Close();
            }
            else if (fault is not null || answer!.Ack is not null)
            {
                return (refusals, fault is null ? null : $"canary {number}: {fault}");
            }

            await Task.Delay(RetryAfter);
        }

        return (Attempts, $"canary {number}: answered 503 {Attempts} times");
    }

    /// <summary>The number of a stored canary; null if it is none.</summary>
    internal static long? NumberOf(StoredEvent stored) =>
        stored.Id?.StartsWith(Prefix, StringComparison.Ordinal) == true && stored.Ip == "127.0.0.1"
            && long.TryParse(stored.Id.AsSpan(Prefix.Length), out long number) ? number : null;

    /// <summary>Whether a canary is stored as it was sent.</summary>
    internal static bool IsUnharmed(StoredEvent stored, long number) =>
        stored.Body == Body(number) && stored.UserAgent == UserAgent && stored.Id == Id(number) && stored.Ip == "127.0.0.1" && stored.Cookie is null;

    public void Dispose() => Close();

    private static string Id(long number) => string.Create(CultureInfo.InvariantCulture, $"{Prefix}{number}");

    private static string Body(long number) =>
        string.Create(CultureInfo.InvariantCulture, $"{{\"canary\":{number},\"text\":\"노란 새 🐤 \\\"\u0001\t\\\\ \u007f\u2028\"}}") + new string(
            'c', (int)(number % 600));

    private void Close()
    {
        _socket?.Dispose();
        _socket = null;
    }

    private async Task<Answer?> SendAsync(byte[] request)
    {
        if (_socket is null || Stopwatch.GetElapsedTime(_lastUse) > IdleLimit)
        {
            Close();
            _socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
            await _socket.ConnectAsync(IPAddress.Loopback, port);
        }

        for (int sent = 0; sent < request.Length;)
        {
            sent += await _socket.SendAsync(request.AsMemory(sent));
        }

        int filled = 0;
        while (true)
        {
            int count = await _socket.ReceiveAsync(_buffer.AsMemory(filled));
            filled += count;
            List<Answer> answers = AnswerReader.ReadAll(_buffer[..filled], _ => false, mayBeCut: true, out string? fault);
            if (answers.Count > 0 || count == 0 || fault is not null || filled == _buffer.Length)
            {
                _lastUse = Stopwatch.GetTimestamp();
                if (answers is not [{ Closes: false }])
                {
                    Close();
                }

                return fault is null && answers.Count == 1 ? answers[0] : null;
            }
        }
    }
}
