// A lone request at an idle server, beside the flush that it waits for.
using System.Diagnostics;
using System.Globalization;
using Estat.Core.Files;

namespace Estat.Bench;

/// <summary>In turns: an fdatasync of a few hundred appended bytes on the spool's disk, and a POST /collect over one kept-alive connection. Each after a pause.</summary>
internal static class LoneRequest
{
    private const int Rounds = 300;
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(20); // long beside any flush: the server is idle when the request comes

    internal static async Task RunAsync(Uri server, string folder)
    {
        using var client = new HttpClient();
        var collect = new Uri(server, "/collect");
        string path = Path.Combine(folder, "fdatasync.bench");
        var flushes = new List<double>();
        var memory = new List<double>();
        var disk = new List<double>();
        using (var file = new FileStream(path, FileMode.Create, FileAccess.Write, FileShare.None, bufferSize: 0, FileOptions.DeleteOnClose))
        {
            var line = new byte[700];
            for (int round = 0; round < Rounds; round++)
            {
                await Task.Delay(Pause);
                long started = Stopwatch.GetTimestamp();
                file.Write(line);
                Libc.SyncData(file);
                flushes.Add(Stopwatch.GetElapsedTime(started).TotalMicroseconds);
                memory.Add(await SendAsync(client, collect, "memory", round));
                disk.Add(await SendAsync(client, collect, "disk", round));
            }
        }

        double flush = Median(flushes);
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"a lone request: fdatasync {flush:0} µs; answered at memory in {Median(memory):0} µs, at disk in {Median(disk):0} µs = {Median(disk) / flush:0.00} fdatasyncs (medians of {Rounds})"));
    }

    private static async Task<double> SendAsync(HttpClient client, Uri collect, string level, int round)
    {
        await Task.Delay(Pause);
        using var request = new HttpRequestMessage(HttpMethod.Post, collect)
        {
            Content = new StringContent($"{{\"n\":{round},\"text\":\"{new string('x', 500)}\"}}"),
            Headers = { { "X-Estat-Ack", level } },
        };
        long started = Stopwatch.GetTimestamp();
        using HttpResponseMessage answer = await client.SendAsync(request);
        double took = Stopwatch.GetElapsedTime(started).TotalMicroseconds;
        answer.EnsureSuccessStatusCode();
        return took;
    }

    private static double Median(List<double> values) => values.Order().ElementAt(values.Count / 2);
}
