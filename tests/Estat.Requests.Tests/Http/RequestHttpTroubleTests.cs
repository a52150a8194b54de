// The paths of users when the server is killed, or loses its folder: each test has a server of its own.
namespace Estat.Requests.Tests.Http;

public sealed class RequestHttpTroubleTests : IAsyncLifetime
{
    private readonly RequestsPlace _place = new();

    private HttpClient Client => _place.Client;

    public ValueTask InitializeAsync() => _place.InitializeAsync();

    public ValueTask DisposeAsync() => _place.DisposeAsync();

    [Fact]
    public async Task A_body_that_is_not_UTF8_is_refused_and_a_known_user_s_first_body_wins_whatever_comes_then()
    {
        await RequestsServer.PutCampaignAsync(Client, "sale", RequestsPlace.FirstCome + "1");
        using var request = new HttpRequestMessage(HttpMethod.Post, "/campaigns/sale/requests")
        {
            Content = new ByteArrayContent([0x22, 0xFF, 0x22]),
        };
        request.Headers.Add("X-User-Id", "ann");
        using HttpResponseMessage refused = await Client.SendAsync(request);
        Assert.Equal(400, (int)refused.StatusCode);

        await RequestsServer.PostAsync(Client, "sale", "ann", "{}");
        await _place.KillAsync(); // what was in memory is gone, so the body is looked at first
        Assert.True((await RequestsServer.PostAsync(Client, "sale", "ann", "{")).Status is 200 or 202);
    }

    [Fact]
    public async Task A_server_whose_folder_is_taken_away_says_so_and_accepts_nothing()
    {
        await RequestsServer.PutCampaignAsync(Client, "sale", RequestsPlace.FirstCome + "1");
        Directory.Move(_place.Folder["requests"], _place.Folder["elsewhere"]);
        int sent = 0;
        string problem = "";
        await Wait.UntilAsync(
            async () =>
            {
                (int status, problem) = await RequestsServer.PostAsync(Client, "sale", $"user{sent++}");
                return status == 503;
            },
            TimeSpan.FromSeconds(60), "503", () => problem);
        Assert.Contains("urn:estat:problem:not-taken", problem, StringComparison.Ordinal);
        Assert.Equal(503, (await RequestsServer.SendAsync(Client, HttpMethod.Get, "/health/ready")).Status);
    }

    [Fact]
    public async Task Decisions_reach_the_lake_and_a_restart_forgets_nothing()
    {
        await RequestsServer.PutCampaignAsync(Client, "sale", RequestsPlace.FirstCome + "1");
        string path = await _place.PathOfAsync("sale", "ann");
        await _place.KillAsync();
        using HttpResponseMessage shown = await RequestsServer.AskAsync(
            Client, HttpMethod.Get, path, "", ("X-User-Id", "ann"), ("Prefer", "wait=20"));
        Assert.Contains("SUCCEEDED", await shown.Content.ReadAsStringAsync(), StringComparison.Ordinal);

        await Wait.UntilAsync(
            () => Directory.Exists(_place.Folder["data"])
                && Directory.GetFiles(_place.Folder["data"], "*.jsonl.gz", SearchOption.AllDirectories).Length == 1,
            TimeSpan.FromSeconds(60), "the outcome's object");
    }
}
