// Asks a running server's pages, as the console does.
using System.Net;
using System.Text.Json;
using Estat.Api.Options;
using Estat.Testing;

namespace Estat.Api.Tests.Administration;

/// <summary>A server whose store can be taken away and given back, and whose recovery comes only when it is asked for.</summary>
internal sealed class AdministeredServer : IAsyncDisposable
{
    internal static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);
    private readonly RunningServer _server;

    private AdministeredServer(RunningServer server)
    {
        _server = server;
        Http.DefaultRequestHeaders.Add("X-Estat-Admin", "1");
    }

    internal RunningServer Server => _server;

    internal HttpClient Http => _server.Client;

    private string Wall => Path.Combine(_server.StorageDir, "raw");

    internal static async Task<AdministeredServer> StartAsync(bool storageIsAway = false, Func<EstatOptions, EstatOptions>? configure = null)
    {
        RunningServer server = await RunningServer.StartAsync(options =>
        {
            options = options with
            {
                Collect = options.Collect with
                {
                    FlushInterval = TimeSpan.FromHours(1),
                    RecoveryInterval = TimeSpan.FromHours(1),
                    S3AppRetries = 0,
                    BatchSize = 10,
                },
            };
            return configure?.Invoke(options) ?? options;
        });
        var administered = new AdministeredServer(server);
        if (storageIsAway)
        {
            administered.TakeStorageAway();
        }

        return administered;
    }

    /// <summary>A file stands where the folder of RAW would be.</summary>
    internal void TakeStorageAway() => File.WriteAllText(Wall, "");

    internal void GiveStorageBack() => File.Delete(Wall);

    internal async Task SendAsync(params IEnumerable<string> bodies)
    {
        foreach (string body in bodies)
        {
            Assert.Equal(HttpStatusCode.OK, await _server.PostAsync(body));
        }
    }

    internal async Task<JsonElement> GetAsync(string path) => (await AskAsync(HttpMethod.Get, path, HttpStatusCode.OK))!.Value;

    /// <summary>Asks, and fails unless the status is this; an error must be problem+json with advice.</summary>
    internal async Task<JsonElement?> AskAsync(HttpMethod method, string path, HttpStatusCode expected)
    {
        using var request = new HttpRequestMessage(method, path);
        using HttpResponseMessage answer = await Http.SendAsync(request);
        string text = await answer.Content.ReadAsStringAsync();
        Assert.True(expected == answer.StatusCode, $"{method} {path}: {(int)answer.StatusCode} {text}");
        Assert.Equal((int)expected < 400 ? "application/json" : "application/problem+json", answer.Content.Headers.ContentType!.MediaType);
        using var document = JsonDocument.Parse(text);
        if ((int)expected >= 400)
        {
            Assert.NotEmpty(document.RootElement.GetProperty("detail").GetString()!);
        }
        else
        {
            Assert.Equal("no-store", answer.Headers.CacheControl!.ToString());
        }

        return document.RootElement.Clone();
    }

    /// <summary>The places of the conservation line; fails unless they add up.</summary>
    internal static Dictionary<string, long> Conserved(JsonElement node)
    {
        Dictionary<string, long> at = node.GetProperty("events").EnumerateObject().ToDictionary(place => place.Name, place => place.Value.GetInt64());
        Assert.True(
            at["accepted"] + at["found"] == at["stored"] + at["buffered"] + at["spooled"] + at["dlq"] + at["quarantined"] + at["dropped"],
            string.Join(", ", at.Select(place => $"{place.Key} {place.Value}")));
        return at;
    }

    internal async Task<long> EventsAsync(string place) => Conserved(await GetAsync("/admin/state"))[place];

    internal Task UntilAsync(string place, long events) =>
        Wait.UntilAsync(async () => await EventsAsync(place) == events, Patience, $"{events} events to be {place}");

    public ValueTask DisposeAsync() => _server.DisposeAsync();
}

/// <summary>Reads server-sent events as they come.</summary>
internal sealed class EventReader(HttpResponseMessage answer, StreamReader reader) : IDisposable
{
    internal static async Task<EventReader> OpenAsync(HttpClient http, string path)
    {
        HttpResponseMessage answer = await http.GetAsync(new Uri(path, UriKind.Relative), HttpCompletionOption.ResponseHeadersRead);
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        Assert.Equal("text/event-stream", answer.Content.Headers.ContentType!.MediaType);
        return new EventReader(answer, new StreamReader(await answer.Content.ReadAsStreamAsync()));
    }

    /// <summary>The next event; null at the end.</summary>
    internal async Task<(string Name, string Data)?> NextAsync()
    {
        string name = "";
        string data = "";
        while (await reader.ReadLineAsync().WaitAsync(AdministeredServer.Patience) is { } line)
        {
            if (line.Length == 0 && data.Length > 0)
            {
                return (name, data);
            }

            name = line.StartsWith("event: ", StringComparison.Ordinal) ? line[7..] : name;
            data = line.StartsWith("data: ", StringComparison.Ordinal) ? line[6..] : data;
        }

        return null;
    }

    public void Dispose()
    {
        reader.Dispose();
        answer.Dispose();
    }
}
