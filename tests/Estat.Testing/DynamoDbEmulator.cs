// A DynamoDB for tests: deploy/local/dynamodb.js on a port of its own. It forgets everything at its end.

using System.Globalization;
using System.Text.Json;

namespace Estat.Testing;

/// <summary>One emulator. It ends at dispose, or with the test process.</summary>
public sealed class DynamoDbEmulator : MembershipStore
{
    private const string Folder = "dynamodb";
    private readonly LocalServer _server;
    private readonly HttpClient _client = new();

    private DynamoDbEmulator(LocalServer server) => _server = server;

    /// <inheritdoc/>
    public override int Port => _server.Port;

    /// <summary>Where it listens, as a URL.</summary>
    public string Endpoint => _server.Endpoint;

    /// <summary>What it printed.</summary>
    public IReadOnlyList<string> Output => _server.Output;

    /// <summary>Whether this machine has what it takes; if not, what to do.</summary>
    public static bool Available(out string reason) => LocalServer.Available(Folder, "dynalite", "scripts/ensure-dynamodb.sh", out reason);

    /// <summary>Starts one, in about half a second.</summary>
    /// <exception cref="InvalidOperationException">It ended instead; the message holds what it printed.</exception>
    public static async Task<DynamoDbEmulator> StartAsync() =>
        new(await LocalServer.StartAsync("the DynamoDB emulator", "dynamodb.js", Folder));

    /// <summary>Sets what it does wrong from now on; without an argument, nothing.</summary>
    public Task FaultsAsync(DynamoDbFaults? faults = null) => _server.SetFaultsAsync((faults ?? new DynamoDbFaults()).Settings);

    /// <summary>How often each kind of fault has happened since the start, by the names of /__faults.</summary>
    public Task<IReadOnlyDictionary<string, int>> FaultCountsAsync() => _server.FaultCountsAsync();

    /// <inheritdoc/>
    public override void Point(IDictionary<string, string> options, int? port = null)
    {
        ArgumentNullException.ThrowIfNull(options);
        options["CLUSTERING"] = DynamoDb;
        options["DYNAMODB_ENDPOINT"] = EndpointOf(port ?? Port);
        options["DYNAMODB_TABLE_PREFIX"] = options["CLUSTER_ID"];
        options.TryAdd("AWS_ACCESS_KEY_ID", "test-access-key");
        options.TryAdd("AWS_SECRET_ACCESS_KEY", "test-secret-key");
    }

    /// <inheritdoc/>
    public override async Task EmptyAsync(string clusterId)
    {
        foreach (var row in await RowsAsync(clusterId))
        {
            var key = new { DeploymentId = row.GetProperty("DeploymentId"), SiloIdentity = row.GetProperty("SiloIdentity") };
            using var deleted = await CallAsync("DeleteItem", new { TableName = TableOf(clusterId), Key = key });
        }
    }

    /// <inheritdoc/>
    public override async Task<int> CountAsync(string clusterId) => Math.Max(0, (await RowsAsync(clusterId)).Count - 1); // and the version

    /// <inheritdoc/>
    public override void Stop() => _server.Stop();

    /// <inheritdoc/>
    public override void Continue() => _server.Continue();

    public override ValueTask DisposeAsync()
    {
        _client.Dispose();
        return _server.DisposeAsync();
    }

    private static string EndpointOf(int port) => string.Create(CultureInfo.InvariantCulture, $"http://127.0.0.1:{port}");

    private static string TableOf(string clusterId) => $"{clusterId}-silos";

    private async Task<IReadOnlyList<JsonElement>> RowsAsync(string clusterId)
    {
        using var answer = await CallAsync("Scan", new { TableName = TableOf(clusterId) });
        return [.. answer.RootElement.GetProperty("Items").EnumerateArray().Select(row => row.Clone())];
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
