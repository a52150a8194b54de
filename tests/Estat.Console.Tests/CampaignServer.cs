// A server that takes requests of campaigns, and what its operator and its users do by HTTP.
using System.Globalization;
using System.Net;
using System.Text;
using System.Text.Json;
using Estat.Testing;

namespace Estat.Console.Tests;

/// <summary>It listens on loopback, so it believes the header that names a user.</summary>
internal sealed class CampaignServer : IAsyncDisposable
{
    private readonly TempFolder _folder;

    private CampaignServer(TempFolder folder, ConsoleServer server)
    {
        _folder = folder;
        Server = server;
    }

    internal ConsoleServer Server { get; }

    internal Uri Address => Server.Address;

    private HttpClient Client => Server.Process.Client;

    /// <param name="serve">What it does.</param>
    /// <param name="prepare">Gets its REQUESTS_DIR, and puts there what an earlier run left.</param>
    internal static async Task<CampaignServer> StartAsync(string serve = "collect,requests", Func<string, Task>? prepare = null)
    {
        var folder = new TempFolder();
        await (prepare?.Invoke(folder["requests"]) ?? Task.CompletedTask);
        return new CampaignServer(folder, await ConsoleServer.StartAsync(
            new Dictionary<string, string> { ["SERVE"] = serve, ["REQUESTS_DIR"] = folder["requests"], ["REQUESTS_USER_RATE"] = "1000" }));
    }

    /// <summary>Makes a campaign that opened a minute ago.</summary>
    /// <param name="campaign">Its id.</param>
    /// <param name="policy">Members of its JSON, apart from its opening.</param>
    internal Task PutAsync(string campaign, string policy) => OrderAsync(
        HttpMethod.Put, $"/admin/campaigns/{campaign}", $$"""{"opensAt":"{{FromNow(TimeSpan.FromMinutes(-1))}}",{{policy}}}""");

    /// <summary>A time as campaigns have it.</summary>
    internal static string FromNow(TimeSpan time) => (DateTime.UtcNow + time).ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);

    /// <summary>What the operator orders.</summary>
    internal async Task OrderAsync(HttpMethod method, string path, string? json = null)
    {
        using var order = new HttpRequestMessage(method, new Uri(path, UriKind.Relative)) { Headers = { { "X-Estat-Admin", "1" } } };
        order.Content = json is null ? null : new StringContent(json, Encoding.UTF8, "application/json");
        using HttpResponseMessage answer = await Client.SendAsync(order);
        Assert.True(answer.IsSuccessStatusCode, await answer.Content.ReadAsStringAsync());
    }

    /// <summary>Takes part for each of these users, one after another.</summary>
    internal async Task TakePartAsync(string campaign, params IEnumerable<string> users)
    {
        foreach (string user in users)
        {
            using var request = new HttpRequestMessage(HttpMethod.Post, new Uri($"/campaigns/{campaign}/requests", UriKind.Relative));
            request.Headers.Add("X-User-Id", user);
            using HttpResponseMessage answer = await Client.SendAsync(request);
            Assert.Equal(HttpStatusCode.Accepted, answer.StatusCode);
        }
    }

    /// <summary>The campaign as everybody sees it.</summary>
    internal async Task<JsonElement> ShowAsync(string campaign)
    {
        string json = await Client.GetStringAsync(new Uri($"/campaigns/{campaign}", UriKind.Relative));
        using var document = JsonDocument.Parse(json);
        return document.RootElement.Clone();
    }

    /// <summary>How many of its requests are in a state, such as <c>failed</c>.</summary>
    internal async Task<long> CountAsync(string campaign, string state) =>
        (await ShowAsync(campaign)).GetProperty("counts").GetProperty(state).GetInt64();

    public async ValueTask DisposeAsync()
    {
        await Server.DisposeAsync();
        _folder.Dispose();
    }
}
