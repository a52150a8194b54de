// Who sends a request, as the real server takes it: tokens by a file of keys, and starts that are refused.
using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Estat.Tests.Support;

namespace Estat.Requests.Tests.Intake;

public sealed class WhoSendsTests : IDisposable
{
    private const string Issuer = "https://issuer.example";
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);
    private readonly TempFolder _folder = new();
    private readonly SigningKey _key = SigningKey.New("k1", "RS256");

    public void Dispose()
    {
        _folder.Dispose();
        _key.Dispose();
    }

    [Fact]
    public async Task Two_users_with_tokens_take_part_and_each_sees_their_own_request_alone()
    {
        await File.WriteAllTextAsync(_folder["jwks"], SigningKey.Jwks(_key));
        await using ServerProcess server = await ServerProcess.StartAsync(Options(
            ("JWT_ISSUER", Issuer), ("JWT_AUDIENCE", "shop"), ("JWT_JWKS_FILE", _folder["jwks"])));
        await OpenCampaignAsync(server);

        JsonElement kims = await SendAsync(server, "kim", HttpStatusCode.Accepted);
        JsonElement lees = await SendAsync(server, "lee", HttpStatusCode.Accepted);
        Assert.NotEqual(kims.GetProperty("requestId").GetString(), lees.GetProperty("requestId").GetString());
        Assert.Equal((1, 2), (kims.GetProperty("sequence").GetInt64(), lees.GetProperty("sequence").GetInt64()));

        string path = $"/requests/{kims.GetProperty("requestId").GetString()}";
        Assert.Equal(HttpStatusCode.OK, await StatusAsync(server, path, Token("kim")));
        Assert.Equal(HttpStatusCode.NotFound, await StatusAsync(server, path, Token("lee")));

        // Another token of the same user is the same user.
        Assert.Equal(kims.GetProperty("requestId").GetString(), (await SendAsync(server, "kim", null)).GetProperty("requestId").GetString());
    }

    [Fact]
    public async Task Neither_a_header_nor_a_stranger_s_token_is_believed_where_tokens_are()
    {
        await File.WriteAllTextAsync(_folder["jwks"], SigningKey.Jwks(_key));
        await using ServerProcess server = await ServerProcess.StartAsync(Options(
            ("JWT_ISSUER", Issuer), ("JWT_AUDIENCE", "shop"), ("JWT_JWKS_FILE", _folder["jwks"]), ("REQUESTS_USER_HEADER", "X-User-Id")));
        await OpenCampaignAsync(server);
        using SigningKey stranger = SigningKey.New("k1", "RS256");

        using HttpRequestMessage byHeader = Post(null);
        byHeader.Headers.Add("X-User-Id", "kim");
        using HttpResponseMessage answer = await server.Client.SendAsync(byHeader);
        Assert.Equal((HttpStatusCode.Unauthorized, "Bearer realm=\"estat\""), (answer.StatusCode, answer.Headers.WwwAuthenticate.ToString()));

        using HttpRequestMessage byStranger = Post(stranger.Sign(Claims("kim")));
        using HttpResponseMessage refused = await server.Client.SendAsync(byStranger);
        Assert.Equal(
            (HttpStatusCode.Unauthorized, "Bearer error=\"invalid_token\""), (refused.StatusCode, refused.Headers.WwwAuthenticate.ToString()));
        await Wait.UntilAsync(
            () => server.Output.Any(line => line.Contains("REQUESTS_USER_HEADER is ignored", StringComparison.Ordinal)), Limit,
            "the log's line about the header", () => string.Join('\n', server.Output));
        Assert.Equal(2, (await server.MetricsAsync())["estat_requests_http_total{outcome=\"unauthorized\"}"]);
    }

    [Fact]
    public async Task On_loopback_a_header_names_the_user_unless_it_came_twice()
    {
        await using ServerProcess server = await ServerProcess.StartAsync(Options(("REQUESTS_USER_HEADER", "X-User-Id")));
        await OpenCampaignAsync(server);
        foreach ((string[] users, HttpStatusCode expected) in new[]
        {
            (new[] { "kim" }, HttpStatusCode.Accepted), (["kim", "lee"], HttpStatusCode.Unauthorized), ([], HttpStatusCode.Unauthorized),
        })
        {
            using HttpRequestMessage message = Post(null);
            Array.ForEach(users, user => message.Headers.TryAddWithoutValidation("X-User-Id", user));
            using HttpResponseMessage answer = await server.Client.SendAsync(message);
            Assert.Equal(expected, answer.StatusCode);
        }
    }

    [Theory]
    [InlineData("SERVE=requests needs to know who sends a request")]
    [InlineData("REQUESTS_USER_HEADER=X-User-Id: must be", "REQUESTS_USER_HEADER=X-User-Id")]
    [InlineData("JWT_ISSUER needs JWT_AUDIENCE", "JWT_ISSUER=https://issuer.example")]
    [InlineData("JWT_JWKS_FILE=/no/such/file: there is no such file", "JWT_ISSUER=shop", "JWT_AUDIENCE=shop", "JWT_JWKS_FILE=/no/such/file")]
    public async Task A_server_that_could_not_know_its_users_ends_with_code_2_and_one_line(string why, params string[] options)
    {
        Dictionary<string, string> environment = Options([.. options.Select(option => option.Split('=')).Select(pair => (pair[0], pair[1]))]);
        environment["HTTP_ADDR"] = $"0.0.0.0:{FreePort.Next()}";
        (int exitCode, string output) = await ServerProcess.RunToEndAsync(environment, [], Limit);
        Assert.Equal(2, exitCode);
        Assert.Contains(why, Assert.Single(output.Trim().Split('\n')), StringComparison.Ordinal);
    }

    private static JsonObject Claims(string user) => TokenIssuer.Claims(Issuer, DateTimeOffset.UtcNow, user);

    private static HttpRequestMessage Post(string? token) => new(HttpMethod.Post, "/campaigns/x/requests")
    {
        Content = new StringContent("{}", Encoding.UTF8, "application/json"),
        Headers = { Authorization = token is null ? null : new AuthenticationHeaderValue("Bearer", token) },
    };

    private static async Task OpenCampaignAsync(ServerProcess server)
    {
        using var campaign = new HttpRequestMessage(HttpMethod.Put, "/admin/campaigns/x")
        {
            Content = JsonContent.Create(new { policy = "first-come", opensAt = "2026-01-02T03:04:05Z", capacity = 10 }),
            Headers = { { "X-Estat-Admin", "1" }, { "If-None-Match", "*" } },
        };
        using HttpResponseMessage made = await server.Client.SendAsync(campaign);
        Assert.True(made.IsSuccessStatusCode, await made.Content.ReadAsStringAsync());
    }

    private static async Task<HttpStatusCode> StatusAsync(ServerProcess server, string path, string token)
    {
        using var message = new HttpRequestMessage(HttpMethod.Get, path)
        {
            Headers = { Authorization = new AuthenticationHeaderValue("Bearer", token) },
        };
        using HttpResponseMessage answer = await server.Client.SendAsync(message);
        return answer.StatusCode;
    }

    private async Task<JsonElement> SendAsync(ServerProcess server, string user, HttpStatusCode? expected)
    {
        using HttpRequestMessage message = Post(Token(user));
        using HttpResponseMessage answer = await server.Client.SendAsync(message);
        string body = await answer.Content.ReadAsStringAsync();
        Assert.True(expected is null ? answer.IsSuccessStatusCode : answer.StatusCode == expected, $"{answer.StatusCode}: {body}");
        return JsonDocument.Parse(body).RootElement;
    }

    private string Token(string user) => _key.Sign(Claims(user));

    private Dictionary<string, string> Options(params (string Name, string Value)[] more)
    {
        Dictionary<string, string> options = new()
        {
            ["SERVE"] = "requests", ["REQUESTS_DIR"] = _folder["requests"], ["STORAGE_DIR"] = _folder["data"],
            ["SPOOL_DIR"] = _folder["spool"], ["DLQ_DIR"] = _folder["dlq"],
        };
        foreach ((string name, string value) in more)
        {
            options[name] = value;
        }

        return options;
    }
}
