// CLUSTERING=redis as an operator meets it: a Redis with users, passwords and TLS, one that refuses, one that is not there, one that comes back
// empty.
using System.Net;

namespace Estat.Cluster.Tests.Clustering;

public sealed class RedisTests : IDisposable
{
    private const string Secret = "open-sesame-0123456789";
    private const string User = "estat-node";
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);
    private readonly TempFolder _folder = new();

    [Fact]
    public async Task A_cluster_works_through_TLS_as_a_user_that_may_touch_its_keys_alone_and_its_password_is_in_no_log()
    {
        Assert.SkipUnless(MembershipStore.Available(MembershipStore.Redis, out string reason), reason);
        TestCertificate.Create(DateTimeOffset.UtcNow, TimeSpan.FromDays(1)).WriteTo(_folder);
        int tlsPort = FreePort.Next();
        await using RedisServer redis = await RedisServer.StartAsync(
            "--tls-port", $"{tlsPort}", "--tls-cert-file", _folder["tls.crt"], "--tls-key-file", _folder["tls.key"],
            "--tls-ca-cert-file", _folder["tls.crt"]);
        await redis.CallAsync(
            "ACL", "SETUSER", User, "on", $">{Secret}", "~apps:estat/*", "resetchannels", "-@all", "+@read", "+@write", "+@transaction",
            "+@scripting", "+@connection", "+info");
        await using var cluster = new ClusterProcesses(redis, new Dictionary<string, string>
        {
            ["STORAGE_DIR"] = _folder["data"], ["MEMBERSHIP_PROBE"] = "500ms", ["LOG_LEVEL"] = "trace", ["REDIS_USER"] = User,
            ["REDIS_PASSWORD"] = Secret, ["REDIS_DATABASE"] = "3", ["REDIS_KEY_PREFIX"] = "apps:estat", ["REDIS_TLS"] = "true",
            ["REDIS_TLS_CA"] = _folder["tls.crt"],
            // This Redis asks for a certificate of its authority, which this one is itself.
            ["REDIS_TLS_CERT"] = _folder["tls.crt"], ["REDIS_TLS_KEY"] = _folder["tls.key"],
        }, tlsPort);
        await cluster.AddAsync(silos: 2, gateways: 1);

        using var content = new StringContent("event");
        using var request = new HttpRequestMessage(HttpMethod.Post, new Uri("/collect", UriKind.Relative)) { Content = content };
        request.Headers.Add("X-Estat-Ack", "replica");
        using HttpResponseMessage answer = await cluster.Gateways[0].Server.Client.SendAsync(request);
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        string[] keys = [];
        string[] expected = [$"apps:estat/{cluster.Id}/members", $"apps:estat/{cluster.Id}/reminders"];
        await Wait.UntilAsync(
            async () => (keys = [.. (await redis.CallAsync("-n", "3", "KEYS", "*")).Split('\n').Order(StringComparer.Ordinal)])
                .SequenceEqual(expected),
            Limit, "members and reminders", () => string.Join(", ", keys));
        Assert.Empty(await cluster.DrainAsync());
        Assert.DoesNotContain(cluster.Output(), line => line.Contains(Secret, StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("a wrong password", "it refuses REDIS_USER and REDIS_PASSWORD")]
    [InlineData("no password", "it refuses REDIS_USER and REDIS_PASSWORD")]
    [InlineData("nobody", "no connection in 3 attempts")]
    [InlineData("another authority", "TLS with it fails")]
    [InlineData("TLS without TLS there", "TLS")] // fails, or finds nobody: as the other side ends it
    public async Task A_silo_that_Redis_does_not_let_in_ends_its_start_with_one_line_that_says_why(string what, string why)
    {
        Assert.SkipUnless(MembershipStore.Available(MembershipStore.Redis, out string reason), reason);
        TestCertificate.Create(DateTimeOffset.UtcNow, TimeSpan.FromDays(1)).WriteTo(_folder);
        int tlsPort = FreePort.Next();
        await using RedisServer redis = await RedisServer.StartAsync(
            "--requirepass", Secret, "--tls-port", $"{tlsPort}", "--tls-cert-file", _folder["tls.crt"], "--tls-key-file", _folder["tls.key"],
            "--tls-ca-cert-file", _folder["tls.crt"], "--tls-auth-clients", "no");
        Dictionary<string, string> options = Options();
        redis.Point(options, what switch { "nobody" => FreePort.Next(), "another authority" => tlsPort, _ => redis.Port });
        if (what != "no password")
        {
            options["REDIS_PASSWORD"] = what == "a wrong password" ? "not-" + Secret : Secret;
        }

        if (what.Contains("authority", StringComparison.Ordinal) || what.StartsWith("TLS", StringComparison.Ordinal))
        {
            options["REDIS_TLS"] = "true"; // whose certificate no authority of this machine has signed
        }

        await using ServerProcess silo = ServerProcess.LaunchProject("Estat.Silo", "a silo", options);

        Assert.Equal(1, await silo.WaitForExitAsync(Limit));
        string line = Assert.Single(silo.Output);
        string start = $"estat: cluster {options["CLUSTER_ID"]} cannot be joined by Redis at {options["REDIS_ENDPOINT"]}";
        Assert.StartsWith(start, line, StringComparison.Ordinal);
        Assert.Contains(why, line, StringComparison.Ordinal);
        Assert.DoesNotContain(Secret, line, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_Redis_that_restarts_empty_costs_no_answer_and_members_and_reminders_are_put_back()
    {
        Assert.SkipUnless(MembershipStore.Available(MembershipStore.Redis, out string reason), reason);
        await using RedisServer redis = await RedisServer.StartAsync();
        await using var cluster = new ClusterProcesses(
            redis, new Dictionary<string, string> { ["STORAGE_DIR"] = _folder["data"], ["MEMBERSHIP_PROBE"] = "500ms" });
        await cluster.AddAsync(silos: 2, gateways: 1);
        await Wait.UntilAsync(async () => await RemindersAsync(redis, cluster.Id) == 2, Limit, "two reminders");

        await redis.RestartAsync();

        ServerProcess gateway = cluster.Gateways[0].Server;
        await Wait.UntilAsync(
            async () =>
            {
                using var content = new StringContent("event");
                using HttpResponseMessage answer = await gateway.Client.PostAsync(new Uri("/collect", UriKind.Relative), content);
                Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
                return await redis.CountAsync(cluster.Id) == 2 && await RemindersAsync(redis, cluster.Id) == 2;
            },
            Limit, "members and reminders to be back");
        await Wait.UntilAsync( // from who saw it first
            () => cluster.Output().Any(line => line.Contains("somebody has emptied the table", StringComparison.Ordinal)), Limit,
            "the log's line about it");
        await cluster.AddAsync(silos: 1, gateways: 1); // which find the others
        Assert.Equal(3, await redis.CountAsync(cluster.Id));
    }

    public void Dispose() => _folder.Dispose();

    private static async Task<int> RemindersAsync(RedisServer redis, string clusterId) =>
        int.Parse(await redis.CallAsync("ZCARD", $"estat/{clusterId}/reminders"), System.Globalization.CultureInfo.InvariantCulture);

    private Dictionary<string, string> Options() => new()
    {
        ["CLUSTER_ID"] = Path.GetFileName(_folder.Path),
        ["SILO_ADDR"] = $"127.0.0.1:{FreePort.Next()}",
        ["SILO_CLIENT_ADDR"] = $"127.0.0.1:{FreePort.Next()}",
        ["STORAGE_DIR"] = _folder["data"],
        ["SPOOL_DIR"] = _folder["spool"],
        ["DLQ_DIR"] = _folder["dlq"],
        ["SPOOL_VOLATILE"] = "true",
    };
}
