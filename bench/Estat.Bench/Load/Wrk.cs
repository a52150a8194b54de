// Load by wrk: requests one after another on so many connections, as fast as they are answered.
using System.Globalization;
using System.Text.RegularExpressions;
using Estat.Bench.Measuring;
using Estat.Testing;

namespace Estat.Bench.Load;

/// <summary>What wrk saw. An answer counts where its status is below 400.</summary>
/// <param name="Answered">Requests that were answered, whatever the answer.</param>
/// <param name="Duration">From wrk's first request to its last answer.</param>
/// <param name="Refused">Answers of 400 and above: 503 where a server is full.</param>
/// <param name="Lost">Connections that broke, and answers that took longer than two seconds.</param>
/// <param name="P50">Median latency.</param>
/// <param name="P99">The latency that one of a hundred exceeded.</param>
/// <param name="P999">The latency that one of a thousand exceeded.</param>
/// <param name="Cpu">What wrk itself took.</param>
internal sealed record WrkResult(
    long Answered, TimeSpan Duration, long Refused, long Lost, TimeSpan P50, TimeSpan P99, TimeSpan P999, TimeSpan Cpu)
{
    internal long Taken => Answered - Refused;
}

/// <summary>One way to load a server.</summary>
/// <param name="Requests">What is sent.</param>
/// <param name="Connections">Open at once, each with one request on its way.</param>
internal sealed partial record Wrk(RequestFile Requests, int Connections)
{
    // A quarter of the machine for the load: on few cores one thread, which a Kestrel beside it cannot outrun.
    private static readonly int Threads = Math.Max(1, Environment.ProcessorCount / 4);
    private static readonly TimeSpan Grace = TimeSpan.FromMinutes(5);

    private static string Script => Path.Combine(Repository.Root, "bench", "requests.lua");

    internal async Task<WrkResult> RunAsync(Uri server, TimeSpan duration)
    {
        int seconds = Math.Max(1, (int)Math.Round(duration.TotalSeconds));
        string wrk = string.Create(
            CultureInfo.InvariantCulture,
            $"ulimit -n $(ulimit -Hn); exec wrk -t{Math.Min(Threads, Connections)} -c{Connections} -d{seconds}s -s '{Script}' '{server}' -- "
                + $"'{Requests.Path}'");
        TimeSpan before = Processes.CpuTimeOfEndedChildren();
        string output = await Command.SucceedAsync(duration + Grace, "sh", "-c", wrk);
        TimeSpan cpu = Processes.CpuTimeOfEndedChildren() - before;
        Dictionary<string, long> said = Pair().Matches(output[Math.Max(0, output.LastIndexOf("measured ", StringComparison.Ordinal))..])
            .ToDictionary(pair => pair.Groups[1].Value, pair => long.Parse(pair.Groups[2].Value, CultureInfo.InvariantCulture));
        return said.TryGetValue("requests", out long answered)
            ? new WrkResult(
                answered, Micros(said["us"]), said["non_2xx"], said["lost"], Micros(said["p50"]), Micros(said["p99"]), Micros(said["p999"]), cpu)
            : throw new InvalidOperationException($"wrk did not say what it measured:\n{output}");
    }

    private static TimeSpan Micros(long count) => TimeSpan.FromMicroseconds(count);

    [GeneratedRegex("([a-z0-9_]+)=([0-9]+)")]
    private static partial Regex Pair();
}
