// A server whose console the tests visit: the real process, over folders of its own.
using System.Net.Http.Headers;
using System.Text;
using Estat.Testing;

namespace Estat.Console.Tests;

/// <summary>One server with its folders; it can be restarted where it was.</summary>
internal sealed class ConsoleServer : IAsyncDisposable
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);
    private readonly TempFolder _folder;
    private readonly Dictionary<string, string> _options;
    private ServerProcess? _process;

    private ConsoleServer(TempFolder folder, Dictionary<string, string> options)
    {
        _folder = folder;
        _options = options;
        Address = new Uri($"http://{options["HTTP_ADDR"]}/");
    }

    internal Uri Address { get; }

    internal string StorageDir => _folder["data"];

    internal string DlqDir => _folder["dlq"];

    internal ServerProcess Process => _process!;

    /// <summary>Starts a server that stores within half a second into a folder.</summary>
    /// <param name="options">What is different.</param>
    /// <param name="prepare">Puts into the folders what an earlier process left.</param>
    internal static async Task<ConsoleServer> StartAsync(IReadOnlyDictionary<string, string>? options = null, Action<ConsoleServer>? prepare = null)
    {
        var folder = new TempFolder();
        var all = new Dictionary<string, string>
        {
            ["HTTP_ADDR"] = $"127.0.0.1:{FreePort.Next()}",
            ["STORAGE_DIR"] = folder["data"],
            ["DLQ_DIR"] = folder["dlq"],
            ["SPOOL_DIR"] = folder["spool"],
            ["FLUSH_INTERVAL"] = "500ms",
            ["PARTITIONS"] = "1",
        };
        foreach ((string name, string value) in options ?? new Dictionary<string, string>())
        {
            all[name] = value;
        }

        var server = new ConsoleServer(folder, all);
        prepare?.Invoke(server);
        await server.StartAgainAsync();
        return server;
    }

    /// <summary>A server whose objects go to a bucket.</summary>
    internal static Dictionary<string, string> Bucket(CephRgw rgw, string bucket, string? endpoint = null) => new()
    {
        ["RAW_BUCKET"] = bucket,
        ["S3_ENDPOINT"] = endpoint ?? rgw.Endpoint,
        ["AWS_ACCESS_KEY_ID"] = rgw.AccessKey,
        ["AWS_SECRET_ACCESS_KEY"] = rgw.SecretKey,
        ["S3_APP_RETRIES"] = "0",
    };

    /// <summary>Starts the process, at first or again: same address, same folders.</summary>
    internal async Task StartAgainAsync() => _process = await ServerProcess.StartAsync(_options);

    /// <summary>Ends the process as an orchestrator does.</summary>
    internal async Task StopAsync()
    {
        Process.Terminate();
        Assert.Equal(0, await Process.WaitForExitAsync(Limit));
        await Process.DisposeAsync();
    }

    /// <summary>Sends one event.</summary>
    /// <returns>The key of its object.</returns>
    internal async Task<string> SendAsync(string body, string? userAgent = null, string? id = null)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, "/collect") { Content = new StringContent(body, Encoding.UTF8) };
        request.Content.Headers.ContentType = new MediaTypeHeaderValue("text/plain");
        if (userAgent is not null)
        {
            request.Headers.TryAddWithoutValidation("User-Agent", userAgent);
        }

        if (id is not null)
        {
            request.Headers.TryAddWithoutValidation("Idempotency-Key", id);
        }

        using HttpResponseMessage answer = await Process.Client.SendAsync(request);
        answer.EnsureSuccessStatusCode();
        return answer.Headers.GetValues("X-Estat-Key").Single();
    }

    /// <summary>Sends events of these bodies, which are JSON, in one request.</summary>
    internal async Task SendBatchAsync(IEnumerable<string> bodies)
    {
        using var content = new StringContent(string.Join('\n', bodies), Encoding.UTF8, "application/x-ndjson");
        using HttpResponseMessage answer = await Process.Client.PostAsync(new Uri("/collect/batch", UriKind.Relative), content);
        answer.EnsureSuccessStatusCode();
    }

    /// <summary>Has a file of the DLQ tried that cannot be read.</summary>
    internal async Task QuarantineAsync(string name)
    {
        using var retry = new HttpRequestMessage(HttpMethod.Post, $"/admin/dlq/{name}.jsonl.gz/retry") { Headers = { { "X-Estat-Admin", "1" } } };
        using HttpResponseMessage answer = await Process.Client.SendAsync(retry);
        Assert.Contains("\"quarantined\"", await answer.Content.ReadAsStringAsync(), StringComparison.Ordinal);
    }

    public async ValueTask DisposeAsync()
    {
        if (_process is not null)
        {
            await _process.DisposeAsync();
        }

        _folder.Dispose();
    }
}
