// From the start of the published server's process to its first ready answer.
using System.Diagnostics;
using System.Globalization;
using Estat.Bench.Measuring;
using Estat.Bench.Reporting;
using Estat.Bench.Suite;
using Estat.Testing;

namespace Estat.Bench.Starting;

internal sealed class StartPart : ISuitePart
{
    private const int LeastRounds = 5;
    private const string Ready = "ready_ms";
    private const string Cpu = "cpu_ms";
    private const string Project = "Estat.Api";
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(10);
    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(1);
    private static readonly IReadOnlyList<Column> Columns = [new(Ready, "ready after ms", 0), new(Cpu, "CPU ms", 0),
        new(Metric.Resident, "RSS MB", 0)];

    public string Name => "start";

    public async Task<IReadOnlyList<Section>> RunAsync(SuiteContext context)
    {
        const string title = "start of the published server, folders empty";
        string published = context.FolderOf("published");
        context.Say($"{Name}: publishing the server");
        CommandResult publish = await Command.RunAsync(
            Patience, "dotnet", "publish", Path.Combine(Repository.Root, "src", Project), "-c", "Release", "-o", published, "--nologo", "-v",
            "quiet");
        if (publish.ExitCode != 0)
        {
            return [Section.Skipped(Name, title, $"dotnet publish failed: {publish.Output}")];
        }

        string assembly = Path.Combine(published, Project + ".dll");
        int number = 0;
        Contender[] contenders = [new("process to /health/ready", () => StartAsync(assembly, context.FolderOf($"start-{number++}")))];
        IReadOnlyList<Row> rows = await Contender.CompareAsync(Name, contenders, Math.Max(LeastRounds, context.Options.Rounds), context);
        return [new Section(Name, title, Columns, rows, [])];
    }

    private static async Task<Dictionary<string, double>> StartAsync(string assembly, string folder)
    {
        string address = string.Create(CultureInfo.InvariantCulture, $"127.0.0.1:{FreePort.Next()}");
        var environment = new Dictionary<string, string>
        {
            ["HTTP_ADDR"] = address,
            ["SPOOL_DIR"] = Path.Combine(folder, "spool"),
            ["DLQ_DIR"] = Path.Combine(folder, "dlq"),
            ["STORAGE_DIR"] = Path.Combine(folder, "data"),
        };
        using var client = new HttpClient { BaseAddress = new Uri("http://" + address) };
        long started = Stopwatch.GetTimestamp();
        await using ChildProcess server = ChildProcess.Launch("the published server", ["dotnet", assembly], environment);
        while (!await IsReadyAsync(client))
        {
            server.ThrowIfEnded("it was ready");
            await Task.Delay(Look);
        }

        return new Dictionary<string, double>
        {
            [Ready] = Stopwatch.GetElapsedTime(started).TotalMilliseconds,
            [Cpu] = Processes.CpuTime(server.Id).TotalMilliseconds,
            [Metric.Resident] = Processes.ResidentBytes(server.Id) / Metric.Megabyte,
        };
    }

    private static async Task<bool> IsReadyAsync(HttpClient client)
    {
        try
        {
            using HttpResponseMessage answer = await client.GetAsync(new Uri("/health/ready", UriKind.Relative));
            return answer.IsSuccessStatusCode;
        }
        catch (HttpRequestException)
        {
            return false;
        }
    }
}
