// A lone request at an idle server, beside the sync that it waits for.
using System.Diagnostics;
using Estat.Base.Files;
using Estat.Bench.Nodes;
using Estat.Bench.Reporting;
using Estat.Bench.Suite;

namespace Estat.Bench.Collecting;

/// <summary>
/// In turns: an fdatasync of a few hundred appended bytes on the spool's disk, and a POST /collect over one kept-alive connection. Each after a
/// pause.
/// </summary>
internal sealed class LoneRequest : ISuitePart
{
    private const int Times = 300;
    private const string Micros = "us";
    private const string Syncs = "fdatasyncs";
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(20); // long beside any sync: the server is idle when the request comes
    private static readonly IReadOnlyList<Column> Columns = [new(Micros, "µs", 0), new(Syncs, "in fdatasyncs", 2)];

    public string Name => "lone";

    public async Task<IReadOnlyList<Section>> RunAsync(SuiteContext context)
    {
        context.Say($"{Name}: {Times} requests at each level, one after another");
        string folder = context.FolderOf("lone");
        await using EstatNode node = await EstatNode.StandaloneAsync(folder);
        using var client = new HttpClient();
        var collect = new Uri(node.Address, "/collect");
        var syncs = new List<double>();
        var memory = new List<double>();
        var disk = new List<double>();
        string path = Path.Combine(folder, "fdatasync.bench");
        using (var file = new FileStream(path, FileMode.Create, FileAccess.Write, FileShare.None, bufferSize: 0))
        {
            var line = new byte[700];
            for (int time = 0; time < Times; time++)
            {
                await Task.Delay(Pause, context.Stop);
                long started = Stopwatch.GetTimestamp();
                file.Write(line);
                Libc.SyncData(file);
                syncs.Add(Stopwatch.GetElapsedTime(started).TotalMicroseconds);
                memory.Add(await SendAsync(client, collect, "memory", time));
                disk.Add(await SendAsync(client, collect, "disk", time));
            }
        }

        double sync = Row.Median(syncs);
        return [new Section(
            Name, $"a lone request, medians of {Times}", Columns, [Of("fdatasync", syncs), Of("memory", memory), Of("disk", disk)], [])];

        Row Of(string name, List<double> micros) =>
            Row.Of(name, [new Dictionary<string, double> { [Micros] = Row.Median(micros), [Syncs] = Row.Median(micros) / sync }]);
    }

    private static async Task<double> SendAsync(HttpClient client, Uri collect, string level, int time)
    {
        await Task.Delay(Pause);
        using var request = new HttpRequestMessage(HttpMethod.Post, collect)
        {
            Content = new StringContent($"{{\"n\":{time},\"text\":\"{new string('x', 500)}\"}}"),
            Headers = { { "X-Estat-Ack", level } },
        };
        long started = Stopwatch.GetTimestamp();
        using HttpResponseMessage answer = await client.SendAsync(request);
        double took = Stopwatch.GetElapsedTime(started).TotalMicroseconds;
        answer.EnsureSuccessStatusCode();
        return took;
    }
}
