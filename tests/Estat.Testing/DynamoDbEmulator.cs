// A DynamoDB for tests: deploy/local/dynamodb.js on a port of its own. It forgets everything at its end.

using System.Globalization;
using System.Text.Json;

namespace Estat.Testing;

/// <summary>One emulator. It ends at dispose, or with the test process.</summary>
public sealed class DynamoDbEmulator : IAsyncDisposable
{
    private const string EnsureScript = "scripts/ensure-dynamodb.sh";
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);
    private readonly ChildProcess _process;
    private readonly HttpClient _client = new();

    private DynamoDbEmulator(int port)
    {
        Port = port;
        _process = ChildProcess.Launch(
            "the DynamoDB emulator",
            ["node", Path.Combine(Repository.Root, "deploy", "local", "dynamodb.js"), port.ToString(CultureInfo.InvariantCulture)],
            new Dictionary<string, string> { ["NODE_PATH"] = Modules });
    }

    /// <summary>Where it listens, as a port of 127.0.0.1.</summary>
    public int Port { get; }

    /// <summary>Where it listens, as a URL.</summary>
    public string Endpoint => $"http://127.0.0.1:{Port}";

    /// <summary>What it printed.</summary>
    public IReadOnlyList<string> Output => _process.Output;

    private static string Modules => Path.Combine(Repository.Root, "artifacts", "dynamodb", "node_modules");

    /// <summary>Whether this machine has what it takes; if not, what to do.</summary>
    public static bool Available(out string reason)
    {
        reason = !Command.Exists("node") ? $"no node on PATH: {EnsureScript} installs it, or says how"
            : !Directory.Exists(Path.Combine(Modules, "dynalite")) ? $"dynalite is not there: {EnsureScript} fetches it"
            : "";
        return reason.Length == 0;
    }

    /// <summary>Starts one, in about half a second.</summary>
    /// <exception cref="InvalidOperationException">It ended instead; the message holds what it printed.</exception>
    public static async Task<DynamoDbEmulator> StartAsync()
    {
        var emulator = new DynamoDbEmulator(FreePort.Next());
        try
        {
            await Wait.UntilAsync(
                () =>
                {
                    emulator._process.ThrowIfEnded("it listened");
                    return emulator._process.Output.Contains("ready");
                },
                Limit,
                "the DynamoDB emulator to listen");
            return emulator;
        }
        catch
        {
            await emulator.DisposeAsync();
            throw;
        }
    }

    /// <summary>Deletes every row of a table, as an operator's mistake does.</summary>
    /// <returns>How many there were.</returns>
    public async Task<int> EmptyAsync(string table)
    {
        var rows = await RowsAsync(table);
        foreach (var row in rows)
        {
            var key = new { DeploymentId = row.GetProperty("DeploymentId"), SiloIdentity = row.GetProperty("SiloIdentity") };
            using var deleted = await CallAsync("DeleteItem", new { TableName = table, Key = key });
        }

        return rows.Count;
    }

    /// <summary>The rows of a membership table.</summary>
    public async Task<IReadOnlyList<JsonElement>> RowsAsync(string table)
    {
        using var answer = await CallAsync("Scan", new { TableName = table });
        return [.. answer.RootElement.GetProperty("Items").EnumerateArray().Select(row => row.Clone())];
    }

    /// <summary>Lets it stand still: connections are accepted by the kernel and never answered.</summary>
    public void Stop() => _process.Stop();

    /// <summary>Lets it go on; everything in it is still there.</summary>
    public void Continue() => _process.Continue();

    public ValueTask DisposeAsync()
    {
        _client.Dispose();
        return _process.DisposeAsync();
    }

    // It checks that there is a signature, and none.
    private async Task<JsonDocument> CallAsync(string operation, object body)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, Endpoint) { Content = new StringContent(JsonSerializer.Serialize(body)) };
        request.Content.Headers.ContentType = new("application/x-amz-json-1.0");
        request.Headers.Add("X-Amz-Target", $"DynamoDB_20120810.{operation}");
        request.Headers.Add("X-Amz-Date", "20260101T000000Z");
        request.Headers.TryAddWithoutValidation(
            "Authorization", "AWS4-HMAC-SHA256 Credential=x/20260101/us-east-1/dynamodb/aws4_request, SignedHeaders=host, Signature=x");
        using var response = await _client.SendAsync(request);
        response.EnsureSuccessStatusCode();
        return await JsonDocument.ParseAsync(await response.Content.ReadAsStreamAsync());
    }
}
