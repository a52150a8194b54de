// A constant rate of events, and what clients saw of it.
using System.Diagnostics;
using System.Globalization;
using Estat.Testing;

namespace Estat.SmallContainer;

/// <summary>
/// Sends over 64 connections. An event that finds none of them free is late, and its lateness counts as latency: a server that stands still for a
/// second cannot hide that by not being asked.
/// </summary>
internal sealed class ConstantLoad(Uri server, int rate)
{
    private const int Connections = 64;
    private static readonly TimeSpan Minute = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan Start = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan Limit = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan LongestDrain = TimeSpan.FromMinutes(10);

    /// <summary>Sends, and prints latencies by the minute.</summary>
    internal async Task<SendReport> SendAsync(int seconds)
    {
        await WarmUpAsync();
        var sender = new EventSender(server, Connections, rate) { Timed = true };
        var report = await sender.SendAsync((long)rate * seconds);
        Print(report);
        return report;
    }

    /// <summary>Waits until the server has nothing left, and looks for every event in the bucket.</summary>
    /// <returns>0 if every acknowledged event is stored once, and every event was acknowledged.</returns>
    internal async Task<int> AuditAsync(SendReport report, string endpoint, string bucket)
    {
        var ended = Stopwatch.GetTimestamp();
        using var client = new HttpClient { BaseAddress = server };
        await UntilDrainedAsync(client);
        Console.WriteLine(string.Create(
            CultureInfo.InvariantCulture, $"nothing left on the disk {Stopwatch.GetElapsedTime(ended).TotalSeconds:0} s after the last event"));
        var audit = await Stored.AuditAsync(endpoint, bucket, report);
        Console.WriteLine($"{report}");
        Console.WriteLine($"in the bucket: {audit}");
        return audit.Clean && report.Acknowledged.Count == report.Times.Count ? 0 : 1;
    }

    // This program compiles its code while it sends its first events; the server shall not be blamed for that.
    private async Task WarmUpAsync()
    {
        using var responder = Responder.Start();
        await new EventSender(responder.Address, Connections, rate) { Timed = true }.SendAsync(rate * 3L);
    }

    private static void Print(SendReport report)
    {
        var first = report.Times.Min(Due);
        Console.WriteLine($"{"",-16}{"p50 ms",10}{"p99 ms",10}{"p99.9 ms",10}{"most ms",10}{"answers",10}{"not 200",10}");
        Print("first 5 s", report.Times.Where(time => Stopwatch.GetElapsedTime(first, Due(time)) < Start));
        foreach (var minute in report.Times.GroupBy(time => (int)(Stopwatch.GetElapsedTime(first, Due(time)) / Minute)).OrderBy(group => group.Key))
        {
            Print($"minute {minute.Key + 1}", minute);
        }

        Print("all", report.Times);
        Print("after 5 s", report.Times.Where(time => Stopwatch.GetElapsedTime(first, Due(time)) >= Start));
        var slow = report.Times.Where(time => time.Took + time.Late >= Limit)
            .CountBy(time => (int)Stopwatch.GetElapsedTime(first, Due(time)).TotalSeconds);
        Console.WriteLine($"{Limit.TotalMilliseconds} ms or more, as second: "
            + $"events  {string.Join(", ", slow.OrderBy(pair => pair.Key).Take(40).Select(pair => $"{pair.Key}: {pair.Value}"))}");
    }

    private static void Print(string what, IEnumerable<RequestTime> times)
    {
        var all = times.ToList();
        var took = all.Select(time => (time.Took + time.Late).TotalMilliseconds).Order().ToArray();
        Console.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"{what,-16}{At(took, 0.5),10:0.00}{At(took, 0.99),10:0.0}{At(took, 0.999),10:0.0}{took[^1],10:0.0}{took.Length,10}{all.Count(time => time.Status != 200),10}"));
    }

    private static double At(double[] sorted, double share) => sorted[Math.Min(sorted.Length - 1, (int)(sorted.Length * share))];

    private static long Due(RequestTime time) => time.Sent - (long)(time.Late.TotalSeconds * Stopwatch.Frequency);

    private static async Task UntilDrainedAsync(HttpClient server)
    {
        string[] places = ["buffered", "spooled", "dlq"];
        var started = Stopwatch.GetTimestamp();
        while (true)
        {
            var text = await server.GetStringAsync(new Uri("/metrics", UriKind.Relative));
            var left = places.Sum(place => Sample(text, $"estat_events{{place=\"{place}\"}} "));
            if (left == 0)
            {
                return;
            }

            if (Stopwatch.GetElapsedTime(started) > LongestDrain)
            {
                throw new TimeoutException($"waited {LongestDrain.TotalMinutes} min for the server to store everything; {left} events are left");
            }

            await Task.Delay(TimeSpan.FromSeconds(1));
        }
    }

    private static double Sample(string metrics, string name) =>
        double.Parse(metrics.Split('\n').First(line => line.StartsWith(name, StringComparison.Ordinal))[name.Length..], CultureInfo.InvariantCulture);
}
