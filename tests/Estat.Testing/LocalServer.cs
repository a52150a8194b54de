// A server of deploy/local, which runs on Node.js: how tests start it and tell it what to do wrong.

using System.Globalization;
using System.Net.Http.Json;
using System.Text.Json;

namespace Estat.Testing;

/// <summary>One process on a port of its own. It ends at dispose, or with the test process.</summary>
internal sealed class LocalServer : IAsyncDisposable
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);
    private readonly ChildProcess _process;
    private readonly HttpClient _client = new();

    private LocalServer(string name, string script, string folder)
    {
        Port = FreePort.Next();
        Endpoint = string.Create(CultureInfo.InvariantCulture, $"http://127.0.0.1:{Port}");
        _process = ChildProcess.Launch(
            name,
            ["node", Path.Combine(Repository.Root, "deploy", "local", script), Port.ToString(CultureInfo.InvariantCulture)],
            new Dictionary<string, string> { ["NODE_PATH"] = Modules(folder) });
    }

    public int Port { get; }

    /// <summary>Where it listens, as a URL.</summary>
    public string Endpoint { get; }

    /// <summary>What it printed.</summary>
    public IReadOnlyList<string> Output => _process.Output;

    /// <summary>Whether this machine has what it takes; if not, what to do.</summary>
    /// <param name="folder">Of artifacts/.</param>
    /// <param name="package">What the server stands on.</param>
    /// <param name="ensureScript">Fetches both.</param>
    /// <param name="reason">Empty if all is there.</param>
    public static bool Available(string folder, string package, string ensureScript, out string reason)
    {
        reason = !Command.Exists("node") ? $"no node on PATH: {ensureScript} installs it, or says how"
            : !Directory.Exists(Path.Combine(Modules(folder), package)) ? $"{package} is not there: {ensureScript} fetches it"
            : "";
        return reason.Length == 0;
    }

    /// <summary>Starts one, in about half a second.</summary>
    /// <exception cref="InvalidOperationException">It ended instead; the message holds what it printed.</exception>
    public static async Task<LocalServer> StartAsync(string name, string script, string folder)
    {
        var server = new LocalServer(name, script, folder);
        try
        {
            await Wait.UntilAsync(
                () =>
                {
                    server._process.ThrowIfEnded("it listened");
                    return server.Output.Contains("ready");
                },
                Limit,
                $"{name} to listen");
            return server;
        }
        catch
        {
            await server.DisposeAsync();
            throw;
        }
    }

    public void Stop() => _process.Stop();

    public void Continue() => _process.Continue();

    /// <summary>Sets what it does wrong, all of it: null is nothing.</summary>
    public async Task SetFaultsAsync(IReadOnlyDictionary<string, object?> faults)
    {
        var given = faults.Where(fault => fault.Value is not null).ToDictionary();
        using var answer = await _client.PostAsJsonAsync($"{Endpoint}/__faults", given);
        if (!answer.IsSuccessStatusCode)
        {
            throw new ArgumentException(await answer.Content.ReadAsStringAsync(), nameof(faults));
        }
    }

    /// <summary>How often each kind of fault has happened since the start.</summary>
    public async Task<IReadOnlyDictionary<string, int>> FaultCountsAsync()
    {
        var all = await _client.GetFromJsonAsync<JsonElement>($"{Endpoint}/__faults");
        return all.GetProperty("counts").Deserialize<Dictionary<string, int>>()!;
    }

    public ValueTask DisposeAsync()
    {
        _client.Dispose();
        return _process.DisposeAsync();
    }

    private static string Modules(string folder) => Path.Combine(Repository.Root, "artifacts", folder, "node_modules");
}
