// A run: calm, each attack, calm again; and the verdict.
using System.Diagnostics;
using System.Globalization;
using Estat.Soak.Attacks;
using Estat.Testing;

namespace Estat.Soak;

/// <summary>
/// Starts the server in its control group, sends to it as an honest client does, and attacks it meanwhile. It held if it lives, the honest client was
/// answered in time and with nothing worse than 503 with Retry-After, and its memory is back.
/// </summary>
internal static class SoakRun
{
    private static readonly TimeSpan ReadyLimit = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan StopLimit = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan CalmLimit = TimeSpan.FromSeconds(90);
    private static readonly TimeSpan BackFor = TimeSpan.FromSeconds(20);

    /// <summary>Runs it.</summary>
    /// <returns>Whether it held.</returns>
    internal static async Task<bool> RunAsync(SoakOptions options, TextWriter report)
    {
        using var folder = new TempFolder();
        TestCertificate.Create(DateTimeOffset.UtcNow, TimeSpan.FromDays(90)).WriteTo(folder);
        int port = FreePort.Next();
        await using ChildProcess server = Start(options, folder, port);
        await Wait.UntilAsync(() => IsReadyAsync(server, port), ReadyLimit, "the server to be ready", () => server.AllOutput);
        using var ending = new CancellationTokenSource();
        var honest = new HonestClient(port, options.Rate);
        Task sending = honest.RunAsync(ending.Token);
        await Task.Delay(2 * options.Before); // warms up: a calm server grows for a minute, until its youngest generation was first collected
        honest.Take();

        long memory = await HighestAsync(server, options.Before);
        Tally before = honest.Take();
        await report.WriteLineAsync($"{"before",-18}{before}  {Megabytes(memory)}");
        var during = new Tally();
        IReadOnlyList<IAttack> attacks = [.. Attacks().Where(attack => options.Only is null || attack.Name == options.Only)];
        foreach (IAttack attack in attacks)
        {
            await AttackAsync(attack, port, options.Duration / attacks.Count, server, ending.Token);
            Tally under = honest.Take();
            during.Add(under);
            await report.WriteLineAsync($"{attack.Name,-18}{under}  {Megabytes(Resident(server))}{Group(options)}");
            if (server.HasExited)
            {
                break;
            }
        }

        (bool isBack, long afterwards) = await IsBackAsync(server, (long)(memory * options.WorstGrowth));
        Tally after = honest.Take();
        await report.WriteLineAsync($"{"after",-18}{after}  {Megabytes(afterwards)}");
        await ending.CancelAsync();
        await sending;
        bool lives = !server.HasExited;
        server.Terminate();
        int code = await server.WaitForExitAsync(StopLimit);

        double slowdown = during.Percentile(0.99) / Math.Max(before.Percentile(0.99), 0.001);
        bool held = lives & code == 0;
        await SayAsync(lives && code == 0, $"alive to the end, and ended with {code}");
        await SayAsync(slowdown <= options.WorstSlowdown, $"p99 under attack {slowdown:0.0} × before (at most {options.WorstSlowdown:0.#})");
        await SayAsync(during.IsSound && before.IsSound && after.IsSound, "nothing but 2xx, and 503 with Retry-After");
        await SayAsync(isBack, $"memory afterwards {(double)afterwards / memory:0.00} × before (at most {options.WorstGrowth:0.##})");
        if (!held)
        {
            await report.WriteLineAsync(server.AllOutput);
        }

        return held;

        Task SayAsync(bool isGood, string what)
        {
            held &= isGood;
            return report.WriteLineAsync($"{(isGood ? "ok  " : "FAIL")}  {what}");
        }
    }

    private static IEnumerable<IAttack> Attacks() =>
        [new UnreadStreams(200), new UnreadPipeline(700, isTls: true), new IdleConnections(1200), new StallingBatches(8, isTls: true),
            new RepeatedAgents(isTls: true)];

    private static ChildProcess Start(SoakOptions options, TempFolder folder, int port)
    {
        var environment = new Dictionary<string, string>
        {
            ["HTTP_ADDR"] = $"127.0.0.1:{port}",
            ["HTTP_TLS_CERT"] = folder["tls.crt"],
            ["HTTP_TLS_KEY"] = folder["tls.key"],
            ["STORAGE_DIR"] = folder["data"],
            ["SPOOL_DIR"] = folder["spool"],
            ["DLQ_DIR"] = folder["dlq"],
            ["FLUSH_INTERVAL"] = "5s",
            ["TRUSTED_PROXIES"] = "none",
            ["LOG_LEVEL"] = "warning",
        };
        foreach (string variable in options.Environment)
        {
            string[] pair = variable.Split('=', 2);
            environment[pair[0]] = pair[1];
        }

        IReadOnlyList<string> app = ChildProcess.DotnetCommand("Estat.Api", []);
        string enter = options.Group is null ? "" : $"echo $$ > {options.Group}/cgroup.procs && ";
        string files = options.Files is null ? "" : $"ulimit -n {options.Files} && ";
        string[] command = ["bash", "-c", $"{enter}{files}exec \"$0\" \"$@\"", app[0],
            options.App is null ? app[1] : Path.Combine(options.App, "Estat.Api.dll")];
        return ChildProcess.Launch("the server", command, environment);
    }

    private static async Task<bool> IsReadyAsync(ChildProcess server, int port)
    {
        server.ThrowIfEnded("it was ready");
        using var handler = new SocketsHttpHandler();
        // the run's own
        handler.SslOptions.RemoteCertificateValidationCallback = (_, _, _, faults) =>
            faults != System.Net.Security.SslPolicyErrors.RemoteCertificateNotAvailable;
        using var client = new HttpClient(handler);
        try
        {
            using HttpResponseMessage answer = await client.GetAsync(new Uri($"https://localhost:{port}/health/ready"));
            return answer.IsSuccessStatusCode;
        }
        catch (HttpRequestException)
        {
            return false;
        }
    }

    private static async Task AttackAsync(IAttack attack, int port, TimeSpan time, ChildProcess server, CancellationToken cancellationToken)
    {
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        ending.CancelAfter(time);
        Task attacking = attack.RunAsync(port, ending.Token);
        while (!attacking.IsCompleted && !server.HasExited)
        {
            await Task.WhenAny(attacking, Task.Delay(TimeSpan.FromSeconds(1), CancellationToken.None));
        }

        await ending.CancelAsync();

        await attacking;
    }

    // The runtime lets its youngest generation grow to some 60 MB before it collects: what a calm server holds goes up and down by that.
    private static async Task<long> HighestAsync(ChildProcess server, TimeSpan time)
    {
        long highest = 0;
        for (TimeSpan waited = TimeSpan.Zero; waited < time; waited += TimeSpan.FromSeconds(0.5))
        {
            await Task.Delay(TimeSpan.FromSeconds(0.5));
            highest = Math.Max(highest, Resident(server));
        }

        return highest;
    }

    // A moment does not count: right after a collection the youngest generation is empty.
    private static async Task<(bool IsBack, long Highest)> IsBackAsync(ChildProcess server, long bytes)
    {
        long since = Stopwatch.GetTimestamp();
        long highest = 0;
        try
        {
            await Wait.UntilAsync(
                () =>
                {
                    long resident = Resident(server);
                    if (resident > bytes)
                    {
                        since = Stopwatch.GetTimestamp();
                        highest = 0;
                    }

                    highest = Math.Max(highest, resident);
                    return server.HasExited || Stopwatch.GetElapsedTime(since) >= BackFor;
                },
                CalmLimit, "the memory to be given back");
            return (!server.HasExited, highest);
        }
        catch (TimeoutException)
        {
            return (false, highest);
        }
    }

    private static long Resident(ChildProcess server) => server.HasExited ? 0 : Kilobytes(server, "VmRSS:") * 1024;

    private static long Kilobytes(ChildProcess server, string row) => long.Parse(
        File.ReadLines($"/proc/{server.Id}/status").First(line => line.StartsWith(row, StringComparison.Ordinal))
            .Split(' ', StringSplitOptions.RemoveEmptyEntries)[1],
        CultureInfo.InvariantCulture);

    private static string Megabytes(long bytes) => $"{bytes / 1_048_576.0:0} MB";

    // cgroup v1 and v2 name it differently.
    private static string Group(SoakOptions options)
    {
        string? file = options.Group is null ? null
            : new[] { "memory.max_usage_in_bytes", "memory.peak" }.Select(name => Path.Combine(options.Group, name)).FirstOrDefault(File.Exists);
        return file is null ? "" : $", group at most {Megabytes(long.Parse(File.ReadAllText(file), CultureInfo.InvariantCulture))} so far";
    }
}
