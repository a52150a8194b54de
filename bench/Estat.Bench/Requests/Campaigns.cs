// Campaigns of the bench, and files of requests to them.
using System.Globalization;
using System.Text;
using System.Text.Json;
using Estat.Bench.Load;
using Estat.Bench.Nodes;

namespace Estat.Bench.Requests;

/// <summary>Talks to a node that serves requests; users are named in the header X-User-Id, as the node listens on loopback.</summary>
internal sealed class Campaigns(EstatNode node, string folder) : IDisposable
{
    private readonly HttpClient _client = new() { BaseAddress = node.Address };
    private int _made;

    /// <summary>Makes a campaign of policy first-come.</summary>
    /// <returns>Its id.</returns>
    internal async Task<string> NewAsync(long capacity)
    {
        string id = string.Create(CultureInfo.InvariantCulture, $"c{++_made}");
        string opens = DateTimeOffset.UtcNow.AddMinutes(-1).ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);
        await SendAsync(
            HttpMethod.Put, $"/admin/campaigns/{id}",
            string.Create(CultureInfo.InvariantCulture, $$"""{"policy":"first-come","opensAt":"{{opens}}","capacity":{{capacity}}}"""));
        return id;
    }

    /// <summary>Requests of so many users, each once.</summary>
    internal RequestFile Posts(string campaign, int users, int from = 0) => RequestFile.Heads(
        folder, "requests-" + campaign,
        Enumerable.Range(from, users).Select(user => string.Create(
            CultureInfo.InvariantCulture,
            $"POST /campaigns/{campaign}/requests HTTP/1.1\r\nHost: 127.0.0.1\r\nX-User-Id: user-{user}\r\nContent-Length: 0\r\n\r\n")));

    /// <summary>Questions for the requests of so many users, who have them.</summary>
    internal async Task<RequestFile> GetsAsync(string campaign, int users)
    {
        var heads = new List<string>();
        for (int user = 0; user < users; user++)
        {
            using var request = new HttpRequestMessage(HttpMethod.Post, $"/campaigns/{campaign}/requests");
            request.Headers.Add("X-User-Id", string.Create(CultureInfo.InvariantCulture, $"user-{user}"));
            using HttpResponseMessage answer = await _client.SendAsync(request);
            heads.Add(string.Create(
                CultureInfo.InvariantCulture, $"GET {answer.Headers.Location} HTTP/1.1\r\nHost: 127.0.0.1\r\nX-User-Id: user-{user}\r\n\r\n"));
        }

        return RequestFile.Heads(folder, "gets-" + campaign, heads);
    }

    /// <summary>Requests of a campaign that are accepted, and those that are not decided.</summary>
    internal async Task<(long Accepted, long Open)> CountsAsync(string campaign)
    {
        using JsonDocument json = JsonDocument.Parse(await _client.GetStringAsync(new Uri($"/campaigns/{campaign}", UriKind.Relative)));
        JsonElement counts = json.RootElement.GetProperty("counts");
        return (counts.GetProperty("accepted").GetInt64(),
            counts.GetProperty("received").GetInt64() + counts.GetProperty("queued").GetInt64() + counts.GetProperty("processing").GetInt64());
    }

    /// <summary>From acceptance to decision of the last request that got a place.</summary>
    internal async Task<TimeSpan> WaitOfLastPlaceAsync(string campaign)
    {
        TimeSpan last = TimeSpan.Zero;
        long highest = 0;
        string? cursor = "";
        while (cursor is not null)
        {
            using JsonDocument page = JsonDocument.Parse(await _client.GetStringAsync(
                new Uri($"/admin/requests?campaign={campaign}&status=SUCCEEDED&limit=200&cursor={cursor}", UriKind.Relative)));
            foreach (JsonElement request in page.RootElement.GetProperty("requests").EnumerateArray())
            {
                if (request.GetProperty("sequence").GetInt64() > highest)
                {
                    highest = request.GetProperty("sequence").GetInt64();
                    last = request.GetProperty("finalAt").GetDateTimeOffset() - request.GetProperty("receivedAt").GetDateTimeOffset();
                }
            }

            cursor = page.RootElement.GetProperty("cursor").GetString();
        }

        return last;
    }

    /// <summary>An order to a campaign.</summary>
    internal Task OrderAsync(string campaign, string order) => SendAsync(HttpMethod.Post, $"/admin/campaigns/{campaign}/{order}", "");

    public void Dispose() => _client.Dispose();

    private async Task SendAsync(HttpMethod method, string path, string body)
    {
        using var request = new HttpRequestMessage(method, path) { Content = new StringContent(body, Encoding.UTF8) };
        request.Headers.Add("X-Estat-Admin", "1");
        using HttpResponseMessage answer = await _client.SendAsync(request);
        if (!answer.IsSuccessStatusCode)
        {
            throw new InvalidOperationException($"{path}: {await answer.Content.ReadAsStringAsync()}");
        }
    }
}
