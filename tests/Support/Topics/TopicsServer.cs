// A server that serves topics, as a process, with a PostgreSQL of its own or a test's.
using System.Globalization;
using System.Net;
using System.Text;
using System.Text.Json;

namespace Estat.Tests.Support;

/// <summary>Started on an empty database, in a folder of its own; it can be restarted where it was.</summary>
internal sealed class TopicsServer : IAsyncDisposable
{
    internal static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);
    private readonly Testing.TempFolder _folder = new();
    private readonly Dictionary<string, string> _options;
    private readonly Testing.PostgresServer? _own;

    private TopicsServer(Dictionary<string, string> options, Testing.PostgresServer? own, Testing.PostgresServer postgres, string database)
    {
        (_options, _own, Postgres, Database) = (options, own, postgres, database);
        options["TOPICS_DIR"] = _folder["topics"];
        options["STORAGE_DIR"] = _folder["data"];
        options["DLQ_DIR"] = _folder["dlq"];
        options["SPOOL_DIR"] = _folder["spool"];
    }

    internal Testing.PostgresServer Postgres { get; }

    internal string Database { get; }

    internal Testing.ServerProcess Process { get; private set; } = null!;

    internal HttpClient Client => Process.Client;

    internal string LogDir => _folder["topics"];

    internal Uri Address => new($"http://{_options["HTTP_ADDR"]}/");

    /// <summary>Starts one; skips the test where there is no PostgreSQL.</summary>
    /// <param name="postgres">Whose database it gets; null: a server of its own.</param>
    /// <param name="options">Options besides.</param>
    internal static async Task<TopicsServer> StartAsync(Testing.PostgresServer? postgres = null, params (string Name, string Value)[] options)
    {
        TopicsServer server = await MakeAsync(postgres, options);
        await server.StartAgainAsync();
        return server;
    }

    /// <summary>The same for one that will not be ready; waits until it answers.</summary>
    internal static async Task<TopicsServer> LaunchAsync(Testing.PostgresServer? postgres = null, params (string Name, string Value)[] options)
    {
        TopicsServer server = await MakeAsync(postgres, options);
        await server.LaunchAgainAsync();
        return server;
    }

    private static async Task<TopicsServer> MakeAsync(Testing.PostgresServer? postgres, (string Name, string Value)[] options)
    {
        Assert.SkipUnless(Testing.PostgresServer.Available(out string reason), reason);
        Testing.PostgresServer? own = postgres is null ? await Testing.PostgresServer.StartAsync() : null;
        postgres ??= own!;
        string database = await postgres.CreateDatabaseAsync();
        var all = new Dictionary<string, string>
        {
            ["SERVE"] = "topics", ["HTTP_ADDR"] = $"127.0.0.1:{Testing.FreePort.Next()}", ["TOPICS_DATABASE"] = postgres.ConnectionString(database),
            ["TOPICS_TAKEOVER"] = "1s",
        };
        foreach ((string name, string value) in options)
        {
            all[name] = value;
        }

        return new TopicsServer(all, own, postgres, database);
    }

    /// <summary>Starts the process, at first or again.</summary>
    internal async Task StartAgainAsync() => Process = await Testing.ServerProcess.StartAsync(_options);

    /// <summary>Starts the process and waits until it answers, ready or not.</summary>
    internal async Task LaunchAgainAsync()
    {
        Process = Testing.ServerProcess.Launch(_options);
        await Testing.Wait.UntilAsync(
            async () =>
            {
                try
                {
                    using HttpResponseMessage answer = await Client.GetAsync(new Uri("/health", UriKind.Relative));
                    return answer.IsSuccessStatusCode;
                }
                catch (HttpRequestException)
                {
                    return false;
                }
            },
            Limit,
            "the server to answer",
            () => string.Join('\n', Process.Output));
    }

    /// <summary>Ends the process as an orchestrator does.</summary>
    internal async Task StopAsync()
    {
        Process.Terminate();
        Assert.Equal(0, await Process.WaitForExitAsync(Limit));
        await Process.DisposeAsync();
    }

    /// <summary>Produces what a body holds.</summary>
    /// <param name="topic">The topic.</param>
    /// <param name="body">A body of JSON, or of lines.</param>
    /// <param name="type">Its media type.</param>
    internal async Task ProduceAsync(string topic, string body, string type = "application/json")
    {
        using var content = new StringContent(body, Encoding.UTF8, type);
        using HttpResponseMessage answer = await Client.PostAsync(new Uri($"/api/produce/{topic}", UriKind.Relative), content);
        Assert.True(answer.StatusCode == HttpStatusCode.OK, await answer.Content.ReadAsStringAsync());
    }

    /// <summary>Produces numbered messages, a few hundred in a request.</summary>
    /// <param name="topic">The topic.</param>
    /// <param name="messages">How many.</param>
    /// <param name="first">The first one's number.</param>
    internal async Task ProduceManyAsync(string topic, int messages, int first = 0)
    {
        foreach (int[] some in Enumerable.Range(first, messages).Chunk(500))
        {
            await ProduceAsync(topic, string.Join('\n', some.Select(number => string.Create(
                CultureInfo.InvariantCulture, $$$"""{"key":"k{{{number % 7}}}","value":{"n":{{{number}}}}}"""))), "application/x-ndjson");
        }
    }

    /// <summary>Gives an order of the operator, or asks.</summary>
    /// <param name="method">The method.</param>
    /// <param name="path">The path.</param>
    /// <param name="json">The body; null without.</param>
    internal async Task<(int Status, JsonElement Body)> OrderAsync(HttpMethod method, string path, string? json = null)
    {
        using var order = new HttpRequestMessage(method, new Uri(path, UriKind.Relative)) { Headers = { { "X-Estat-Admin", "1" } } };
        order.Content = json is null ? null : new StringContent(json, Encoding.UTF8, "application/json");
        using HttpResponseMessage answer = await Client.SendAsync(order);
        using var body = JsonDocument.Parse(await answer.Content.ReadAsStringAsync());
        return ((int)answer.StatusCode, body.RootElement.Clone());
    }

    /// <summary>What GET /admin/topics says.</summary>
    internal async Task<JsonElement> LookAsync() => (await OrderAsync(HttpMethod.Get, "/admin/topics")).Body;

    /// <summary>Waits until the sink has stored all that was produced.</summary>
    internal async Task UntilDrainedAsync()
    {
        JsonElement seen = default;
        await Testing.Wait.UntilAsync(
            async () =>
            {
                seen = await LookAsync();
                return seen.GetProperty("sink").GetProperty("state").GetString() == "running" && seen.GetProperty("topics").EnumerateArray()
                    .All(topic => topic.GetProperty("lag").ValueKind == JsonValueKind.Number && topic.GetProperty("lag").GetInt64() == 0);
            },
            Limit,
            "the sink to store everything",
            () => seen.ToString());
    }

    /// <summary>Runs SQL in its database.</summary>
    internal Task<string> QueryAsync(string sql) => Postgres.QueryAsync(Database, sql);

    public async ValueTask DisposeAsync()
    {
        await Process.DisposeAsync();
        if (_own is not null)
        {
            await _own.DisposeAsync();
        }

        _folder.Dispose();
    }
}
