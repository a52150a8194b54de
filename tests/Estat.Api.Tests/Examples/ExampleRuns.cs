// Every example whose language is on this machine, once, against a portal, then a server that first is shutting down, then is gone, and then is back.
using Estat.Api.Hosting;
using Estat.Api.Options;
using Estat.Testing;

namespace Estat.Api.Tests.Examples;

/// <summary>What came of one example.</summary>
internal sealed record ExampleRun(int ExitCode, string Output);

/// <summary>
/// Runs them all at once, for they wait most of the time. Each gets a portal's 200 and then a 503 before anything else. The server that then
/// starts at the same address takes batches of two of their events, not of three.
/// </summary>
public sealed class ExampleRuns : IAsyncLifetime
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(120);

    // The program to look for, and what is run.
    private static readonly Dictionary<string, (string Program, string[] Command)> All = new()
    {
        ["curl"] = ("curl", ["bash", "curl/send.sh"]),
        ["node"] = ("node", ["node", "node/send.mjs"]),
        ["python"] = ("python3", ["python3", "python/send.py"]),
        ["java"] = ("java", ["java", "java/Send.java"]),
        ["go"] = ("go", []),
        ["csharp"] = ("dotnet", []),
    };

    private readonly TempFolder _folder = new();
    private readonly Dictionary<string, ExampleRun> _runs = [];

    /// <summary>Everything that the server stored.</summary>
    internal IReadOnlyList<StoredEvent> Stored { get; private set; } = [];

    /// <summary>What came of a language's example; the test is skipped where the language is not.</summary>
    internal ExampleRun Of(string language)
    {
        Assert.SkipUnless(_runs.ContainsKey(language), $"{All[language].Program} is not on this machine");
        return _runs[language];
    }

    public async ValueTask InitializeAsync()
    {
        var options = new EstatOptions
        {
            Http = new() { HttpAddr = $"127.0.0.1:{FreePort.Next()}" },
            Node = new() { LogLevel = "critical" },
            Collect = new()
            {
                DlqDir = _folder["dlq"],
                SpoolDir = _folder["spool"],
                MaxBatchBodySize = 70,
                Storage = new() { StorageDir = _folder["data"] },
            },
        };
        if (Command.Exists("go"))
        {
            // Compiled before: the others' patience would end while it is.
            await Command.SucceedAsync(Patience, "go", "build", "-o", _folder["send"], Path.Combine(Repository.Root, "examples", "go", "send.go"));
        }

        var processes = new Dictionary<string, ChildProcess>();
        var networks = new List<FaultProxy>();
        try
        {
            await using (var first = new StandaloneServer(options, TimeProvider.System, isTerminal: false))
            {
                await first.StartAsync();
                first.Engine.BeginDrain();
                foreach ((string language, (_, string[] command)) in All.Where(example => Command.Exists(example.Value.Program)))
                {
                    var network = FaultProxy.Start(first.Address.Port);
                    networks.Add(network);
                    network.Fault = Fault.Portal.ForNext(1);
                    processes[language] = Launch(language, command, network.Endpoint);
                }

                foreach (ChildProcess process in processes.Values)
                {
                    await Wait.UntilAsync(
                        () => process.HasExited || process.AllOutput.Contains("503", StringComparison.Ordinal),
                        Patience, "an example to be answered 503", () => process.AllOutput);
                }

                first.Signals.Stop("the first server's end");
                await first.RunAsync();
            }

            await using var second = new StandaloneServer(options, TimeProvider.System, isTerminal: false);
            await second.StartAsync();
            foreach ((string language, ChildProcess process) in processes)
            {
                _runs[language] = new ExampleRun(await process.WaitForExitAsync(Patience), process.AllOutput);
            }

            second.Signals.Stop("the test's end");
            await second.RunAsync();
            Stored = StoredEvents.FromFolder(options.Collect.Storage.StorageDir);
        }
        finally
        {
            foreach (ChildProcess process in processes.Values)
            {
                await process.DisposeAsync();
            }

            networks.ForEach(network => network.Dispose());
        }
    }

    public ValueTask DisposeAsync()
    {
        _folder.Dispose();
        return ValueTask.CompletedTask;
    }

    private ChildProcess Launch(string language, string[] command, string server)
    {
        IReadOnlyList<string> whole = language switch
        {
            "csharp" => ChildProcess.DotnetCommand("Estat.Example", []),
            "go" => [_folder["send"]],
            _ => [.. command[..^1], Path.Combine(Repository.Root, "examples", command[^1])],
        };
        return ChildProcess.Launch(
            $"the example in {language}", whole,
            new Dictionary<string, string> { ["ESTAT_URL"] = server, ["ESTAT_KEY"] = "key-of-" + language });
    }
}
