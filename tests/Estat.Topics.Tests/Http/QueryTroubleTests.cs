// Queries while the database is away, and who may ask.
using System.Net;
using System.Net.Sockets;
using System.Text.Json;
using Estat.Base.Access;
using Estat.Http.Access;
using Estat.Http.Options;
using Estat.Tests.Support;
using Estat.Topics.Http;
using Estat.Topics.Options;
using Estat.Topics.Querying;
using Estat.Topics.Tests.Querying;
using Microsoft.Extensions.Logging.Abstractions;

namespace Estat.Topics.Tests.Http;

public sealed class QueryTroubleTests(LocalPostgres postgres) : IClassFixture<LocalPostgres>
{
    private const string ReadKey = "estat_readreadreadreadreadreadreadread";
    private const string SendKey = "estat_sendsendsendsendsendsendsendsend";
    private const string OneTopic = "estat_topitopitopitopitopitopitopitopi";
    private const string Token = "an-admin-token-of-some-length";

    [Fact]
    public async Task A_stopped_database_is_503_with_advice_and_back_again_it_answers()
    {
        await postgres.EmptyAsync();
        await postgres.RunAsync(Rows.Messages(30));
        var log = new StandingLog();
        log.Make("t", 1);
        log.Add("t", 0, null, "1"u8.ToArray());
        await using QueryServer server = await QueryServer.StartAsync(postgres.ConnectionString, log);
        await server.GetAsync("/api/messages");
        await postgres.StopAsync();
        try
        {
            Assert.Contains("Retry-After", (await server.GetAsync("/api/messages", 503)).GetProperty("error").GetString(), StringComparison.Ordinal);
            await server.GetAsync("/api/stats", 503);
            JsonElement topics = await server.GetAsync("/api/topics");
            Assert.Equal(("away", "t"), (topics.GetProperty("database").GetString(),
                topics.GetProperty("data")[0].GetProperty("topicName").GetString()));
            await server.GetAsync("/api/topics/t/records");
        }
        finally
        {
            await postgres.StartAsync();
        }

        Assert.Equal(30, (await server.GetAsync("/api/messages")).GetProperty("data").GetArrayLength());
    }

    [Fact]
    public async Task A_restart_between_two_queries_is_not_noticed()
    {
        await using QueryServer server = await QueryServer.StartAsync(postgres.ConnectionString);
        await server.GetAsync("/api/messages");
        await postgres.StopAsync();
        await postgres.StartAsync();
        await server.GetAsync("/api/messages");
    }

    [Fact]
    public async Task Without_a_database_the_answer_says_so()
    {
        await using QueryServer server = await QueryServer.StartAsync("");
        Assert.Contains("TOPICS_DATABASE", (await server.GetAsync("/api/messages", 503)).GetProperty("detail").GetString(), StringComparison.Ordinal);
        Assert.Equal("not-set", (await server.GetAsync("/api/topics")).GetProperty("database").GetString());
    }

    [Fact]
    public async Task A_query_that_takes_too_long_and_one_that_finds_no_connection_are_503()
    {
        await postgres.EmptyAsync();
        await postgres.RunAsync(Rows.Messages(30));
        await using QueryServer server = await QueryServer.StartAsync(
            postgres.ConnectionString, options: new TopicsOptions { QueryConnections = 1, QueryTimeout = TimeSpan.FromSeconds(4) });
        await using var holder = new Npgsql.NpgsqlConnection(postgres.ConnectionString);
        await holder.OpenAsync();
        await using Npgsql.NpgsqlTransaction transaction = await holder.BeginTransactionAsync();
        await using (var command = new Npgsql.NpgsqlCommand("LOCK TABLE messages IN ACCESS EXCLUSIVE MODE", holder))
        {
            await command.ExecuteNonQueryAsync();
        }

        Task<JsonElement> slow = server.GetAsync("/api/messages", 503);
        await Wait.UntilAsync(() => server.Service.Database.InFlight == 1, TimeSpan.FromSeconds(20), "the first query", () => "");
        JsonElement busy = await server.GetAsync("/api/messages", 503);
        Assert.Contains("TOPICS_QUERY_CONNECTIONS", busy.GetProperty("detail").GetString(), StringComparison.Ordinal);
        Assert.Contains("TOPICS_QUERY_TIMEOUT", (await slow).GetProperty("detail").GetString(), StringComparison.Ordinal);
        await transaction.RollbackAsync();
        await server.GetAsync("/api/messages");
    }

    [Fact]
    public async Task A_database_that_takes_connections_and_says_nothing_is_away_and_not_slow()
    {
        using var silent = new TcpListener(IPAddress.Loopback, 0);
        silent.Start();
        await using QueryServer server = await QueryServer.StartAsync(
            $"Host=127.0.0.1;Port={((IPEndPoint)silent.LocalEndpoint).Port};Username=postgres;Database=postgres");
        JsonElement problem = await server.GetAsync("/api/messages", 503);
        Assert.Contains("The database does not answer now", problem.GetProperty("detail").GetString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_the_operator_has_to_mend_in_the_database_is_503_and_no_fault_of_the_node()
    {
        await postgres.EmptyAsync();
        await postgres.RunAsync("DROP ROLE IF EXISTS stranger; CREATE ROLE stranger LOGIN");
        await using QueryServer stranger = await QueryServer.StartAsync(
            new Npgsql.NpgsqlConnectionStringBuilder(postgres.ConnectionString) { Username = "stranger" }.ConnectionString);
        await stranger.GetAsync("/api/messages", 503);
        await using QueryServer replica = await QueryServer.StartAsync(
            new Npgsql.NpgsqlConnectionStringBuilder(postgres.ConnectionString) { Options = "-c default_transaction_read_only=on" }.ConnectionString);
        await replica.GetAsync("/api/messages");
        (int status, string body, _) = await replica.SendAsync(
            HttpMethod.Patch, "/api/errors/00000000-0000-8000-8000-000000000000", """{"resolved":true}""");
        Assert.True(status == 503, $"{status} {body}");
    }

    [Fact]
    public async Task A_cursor_that_somebody_made_up_is_400()
    {
        await using QueryServer server = await QueryServer.StartAsync(postgres.ConnectionString);
        var query = new RowQuery(QueryTable.Messages, []);
        string good = PageCursor.Write(query, [LocalPostgres.FirstDay, "t", 0, 0L]);
        await server.GetAsync($"/api/messages?cursor={good}");
        string bad = PageCursor.Write(query, [LocalPostgres.FirstDay, "t\0", 0, 0L]);
        await server.GetAsync($"/api/messages?cursor={bad}", 400);
        await server.GetAsync("/api/messages?topic=%00", 400);
    }

    [Fact]
    public async Task Only_so_many_pages_of_the_log_are_read_at_once()
    {
        var log = new StandingLog();
        log.Make("t", 1);
        log.Add("t", 0, null, "1"u8.ToArray());
        await using QueryServer server = await QueryServer.StartAsync("", log);
        log.Held = new TaskCompletionSource();
        Task<JsonElement>[] pages =
            [.. Enumerable.Range(0, LogEndpoint.MostReading).Select(_ => server.GetAsync("/api/topics/t/records"))];
        await Wait.UntilAsync(
            () => log.Reading == LogEndpoint.MostReading, TimeSpan.FromSeconds(20), "the pages to be read", () => $"{log.Reading} are");
        await server.GetAsync("/api/topics/t/records", 503);
        Assert.Equal(LogEndpoint.MostReading, log.Reading);
        log.Held.SetResult();
        await Task.WhenAll(pages);
        await server.GetAsync("/api/topics/t/records");
    }

    [Fact]
    public async Task With_keys_only_those_that_may_read_ask_and_only_for_their_topics()
    {
        using WriteKeys keys = Keys();
        await using QueryServer server = await QueryServer.StartAsync(
            postgres.ConnectionString, keys: keys, http: new HttpOptions { AdminToken = Token });

        await server.GetAsync("/api/messages", 401);
        await server.GetAsync("/api/messages", 200, ("X-Api-Key", ReadKey));
        string pair = Convert.ToBase64String(System.Text.Encoding.UTF8.GetBytes($"{ReadKey}:"));
        await server.GetAsync("/api/messages", 200, ("Authorization", "Basic " + pair));
        await server.GetAsync("/api/messages", 403, ("X-Api-Key", SendKey));
        await server.GetAsync("/api/messages", 401, ("X-Api-Key", ReadKey + "x"));
        await server.GetAsync("/api/messages", 200, ("Authorization", "Bearer " + Token));
        await server.GetAsync("/api/messages", 401, ("Authorization", "Bearer nonsense"));
        await server.GetAsync("/api/messages", 403, ("X-Api-Key", OneTopic));
        await server.GetAsync("/api/messages?topic=error-logs", 200, ("X-Api-Key", OneTopic));
        await server.GetAsync("/api/messages?topic=notifications", 403, ("X-Api-Key", OneTopic));
        await server.GetAsync("/api/errors", 200, ("X-Api-Key", OneTopic));
        await server.GetAsync("/api/metrics", 403, ("X-Api-Key", OneTopic));
        await server.GetAsync("/api/metrics/aggregated?metricName=a", 403, ("X-Api-Key", OneTopic));
        await server.GetAsync("/api/topics/notifications", 403, ("X-Api-Key", OneTopic));
        await server.GetAsync($"/api/messages?key={ReadKey}", 401); // a message's key, here
    }

    [Fact]
    public async Task Guesses_are_slowed_down_by_address()
    {
        using WriteKeys keys = Keys();
        await using QueryServer server = await QueryServer.StartAsync(
            postgres.ConnectionString, keys: keys, http: new HttpOptions { AdminToken = Token });
        var answers = new List<int>();
        for (int i = 0; i < 30; i++)
        {
            answers.Add((await server.SendAsync(HttpMethod.Get, "/api/stats", null, ("X-Api-Key", $"guess-{i}"))).Status);
        }

        for (int i = 0; i < 12; i++)
        {
            answers.Add((await server.SendAsync(HttpMethod.Get, "/api/stats", null, ("Authorization", $"Bearer guess-{i}"))).Status);
        }

        Assert.Contains(429, answers[..30]);
        Assert.Contains(429, answers[30..]);
        await server.GetAsync("/api/stats", 200, ("X-Api-Key", ReadKey));
        await server.GetAsync("/api/stats", 200, ("Authorization", "Bearer " + Token));
    }

    [Fact]
    public async Task A_token_of_the_issuer_may_ask()
    {
        using SigningKey key = SigningKey.New("k");
        await using TokenIssuer issuer = await TokenIssuer.StartAsync(key);
        await using var tokens = new Tokens(
            new TokenOptions { Issuer = issuer.Name, Audiences = ["shop"] }, TimeProvider.System, NullLoggerFactory.Instance);
        tokens.Start();
        await using QueryServer server = await QueryServer.StartAsync(
            postgres.ConnectionString, tokens: tokens, http: new HttpOptions { AdminToken = Token });
        string signed = key.Sign(TokenIssuer.Claims(issuer.Name, DateTimeOffset.UtcNow));

        await server.GetAsync("/api/stats", 401);
        await server.GetAsync("/api/stats", 200, ("Authorization", "Bearer " + signed));
        await server.GetAsync("/api/stats", 401, ("Authorization", "Bearer " + signed[..^4] + "AAAA"));
        await server.GetAsync("/api/stats", 200, ("Authorization", "Bearer " + Token));
    }

    private static WriteKeys Keys() => WriteKeys.Open(
        new WriteKeyOptions
        {
            Listed =
            [
                .. WriteKeyFile.ParseList($"reader={ReadKey}").Select(key => key with { Read = true }),
                .. WriteKeyFile.ParseList($"sender={SendKey}"),
                .. WriteKeyFile.ParseList($"one={OneTopic}").Select(key => key with { Read = true, Topics = ["error-logs"] }),
            ],
        },
        TimeProvider.System, NullLogger.Instance)!;
}
