// The server's own signs of life and health while it is being fuzzed.
using System.Diagnostics;
using Estat.Testing;

namespace Estat.Fuzz.Judging;

/// <summary>What the process holds when nothing is going on.</summary>
internal readonly record struct Holdings(long ResidentBytes, int OpenFiles)
{
    public override string ToString() => $"{ResidentBytes >> 20} MB resident, {OpenFiles} files";
}

/// <summary>Looks at a running server.</summary>
internal sealed class ServerWatch(ServerProcess server, TimeSpan limit) : IDisposable
{
    private const string Events = "estat_events{place=\"";
    private static readonly string[] Sources = ["accepted", "found"];
    private static readonly string[] Waiting = ["buffered", "spooled", "dlq"];
    private static readonly TimeSpan BetweenHealth = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan BetweenMetrics = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan IdleLimit = TimeSpan.FromMinutes(3);

    private readonly HttpClient _client = new() { BaseAddress = server.BaseAddress, Timeout = Timeout.InfiniteTimeSpan };

    internal long HealthChecks { get; private set; }

    internal TimeSpan SlowestHealth { get; private set; }

    internal long MostResidentBytes { get; private set; }

    /// <summary>Asks /health until the token is cancelled or an answer is wrong; returns what was wrong.</summary>
    internal async Task<string?> WatchHealthAsync(CancellationToken done)
    {
        while (!done.IsCancellationRequested)
        {
            long started = Stopwatch.GetTimestamp();
            try
            {
                string text = await AwakeClock.WithinAsync(
                    _client.GetStringAsync(new Uri("/health", UriKind.Relative), CancellationToken.None), limit);
                if (text != "ok\n")
                {
                    return $"/health says {text}";
                }
            }
            catch (Exception error) when (error is HttpRequestException or TimeoutException)
            {
                return $"/health does not answer: {error.Message}";
            }

            HealthChecks++;
            TimeSpan took = Stopwatch.GetElapsedTime(started);
            SlowestHealth = took > SlowestHealth ? took : SlowestHealth;
            await Task.Delay(BetweenHealth, CancellationToken.None);
        }

        return null;
    }

    /// <summary>Reads the metrics and the memory until the token is cancelled or events are not conserved.</summary>
    internal async Task<string?> WatchMetricsAsync(CancellationToken done)
    {
        while (!done.IsCancellationRequested)
        {
            if (server.HasExited)
            {
                return "the server has ended";
            }

            MostResidentBytes = Math.Max(MostResidentBytes, server.ResidentBytes);
            try
            {
                if (Imbalance(await MetricsAsync()) is { } imbalance)
                {
                    return imbalance;
                }
            }
            catch (HttpRequestException error)
            {
                return $"/metrics does not answer: {error.Message}";
            }

            await Task.Delay(BetweenMetrics, CancellationToken.None);
        }

        return null;
    }

    /// <summary>Accepted + found = what is in all other places, and nothing was dropped; null when it holds.</summary>
    internal static string? Imbalance(IReadOnlyDictionary<string, double> metrics)
    {
        double sources = Sources.Sum(place => At(metrics, place));
        Dictionary<string, double> elsewhere = metrics.Where(sample => sample.Key.StartsWith(Events, StringComparison.Ordinal))
            .ToDictionary(sample => sample.Key[Events.Length..^2], sample => sample.Value);
        Array.ForEach(Sources, place => elsewhere.Remove(place));
        return sources == elsewhere.Values.Sum() && elsewhere["dropped"] == 0 ? null
            : $"events are not conserved: accepted and found {sources}, elsewhere "
                + $"{string.Join(", ", elsewhere.Select(place => $"{place.Key} {place.Value}"))}";
    }

    internal static double At(IReadOnlyDictionary<string, double> metrics, string place) => metrics[$"{Events}{place}\"}}"];

    /// <summary>Waits until no request is in flight, everything is stored and the files have stopped going away; then looks.</summary>
    /// <exception cref="TimeoutException">That did not happen; the message says what stood in the way.</exception>
    internal async Task<Holdings> WhenIdleAsync()
    {
        string last = "";
        int files = int.MaxValue;
        int steady = 0;
        await Wait.UntilAsync(
            async () =>
            {
                IReadOnlyDictionary<string, double> metrics = await MetricsAsync();
                double waiting = Waiting.Sum(place => metrics.GetValueOrDefault($"{Events}{place}\"}}"));
                last = $"{metrics["estat_http_requests_in_flight"]} requests in flight, {waiting} events not stored";
                int now = OpenFiles();
                steady = now == files ? steady + 1 : 0;
                files = now;
                return metrics["estat_http_requests_in_flight"] == 0 && waiting == 0 && steady >= 25;
            },
            IdleLimit,
            "no request in flight and all events stored",
            () => last);
        return new Holdings(server.ResidentBytes, files);
    }

    public void Dispose() => _client.Dispose();

    private async Task<IReadOnlyDictionary<string, double>> MetricsAsync()
    {
        while (true)
        {
            try
            {
                return await server.MetricsAsync();
            }
            catch (OperationCanceledException) when (!server.HasExited)
            {
                // Its client's timeout goes on while the machine is paused. That the server answers at all is what /health is asked for.
            }
        }
    }

    private int OpenFiles() => Directory.EnumerateFileSystemEntries($"/proc/{server.Id}/fd").Count();
}
