// The options of a cluster's node: checked like all others, and against each other.
using System.Net;
using Estat.Api.Options;
using Estat.Base.Acks;
using Estat.Base.Options;
using Estat.Http.Options;

namespace Estat.Api.Tests.Options;

public sealed class ClusterOptionTests
{
    private static readonly Dictionary<string, string> WrongValues = new()
    {
        ["ROLE"] = "master",
        ["CLUSTERING"] = "consul",
        ["CLUSTER_ID"] = "my cluster",
        ["DYNAMODB_ENDPOINT"] = "localhost:8000",
        ["DYNAMODB_TABLE_PREFIX"] = "a/b",
        ["REDIS_ENDPOINT"] = "localhost",
        ["REDIS_USER"] = "two words",
        ["REDIS_PASSWORD"] = "open\nsesame",
        ["REDIS_DATABASE"] = "-1",
        ["REDIS_KEY_PREFIX"] = "my prefix",
        ["REDIS_TLS"] = "yes",
        ["REDIS_TLS_CA"] = "c\0a",
        ["REDIS_TLS_CERT"] = "c\0ert",
        ["REDIS_TLS_KEY"] = "k\0ey",
        ["SILO_ADDR"] = "11111",
        ["SILO_CLIENT_ADDR"] = "127.0.0.1:30000,",
        ["ADVERTISED_IP"] = "0.0.0.0",
        ["SEED_ADDR"] = ":11111",
        ["ZONE"] = "zone 1",
        ["REPLICA_DEGRADED"] = "ignore",
        ["REPLICA_TIMEOUT"] = "2",
        ["SILO_TIMEOUT"] = "2h",
        ["MEMBERSHIP_PROBE"] = "0",
        ["SILO_MAX_CONNECTIONS"] = "7",
        ["TLS_CERT"] = "c\0ert",
        ["TLS_KEY"] = "k\0ey",
        ["TLS_CA"] = "c\0a",
    };

    [Fact]
    public void A_wrong_value_of_any_cluster_option_is_told_in_one_line_with_name_value_and_what_it_takes()
    {
        Assert.All(OptionTable.OfCluster.Skip(OptionTable.All.Count), option =>
        {
            string wrong = WrongValues[option.Name];
            OptionException error = Assert.Throws<OptionException>(() => Bind((option.Name, wrong)));
            string told = option.Name == "REDIS_PASSWORD" ? option.Name : $"{option.Name}={wrong}";
            Assert.StartsWith($"{told}: must be ", error.Message, StringComparison.Ordinal);
            Assert.DoesNotContain('\n', error.Message);
        });
    }

    [Fact]
    public void The_defaults_are_one_node_by_itself_on_loopback()
    {
        ClusterOptions cluster = Bind().Cluster;
        Assert.Equal([new ListenAddress(IPAddress.Loopback, 30000)], cluster.SiloClientAddr);
        var untouched = new ClusterOptions();
        Assert.Equal(untouched, cluster with { SiloClientAddr = untouched.SiloClientAddr });
        Assert.Equal(NodeRole.Both, cluster.Role);
        Assert.Equal(new ListenAddress(IPAddress.Loopback, 11111), cluster.SiloAddr);
        Assert.Equal(IPAddress.Loopback, cluster.Advertised);
    }

    [Fact]
    public void Replica_is_a_level_of_the_cluster_and_refused_by_the_standalone_server_which_says_where_it_is_had()
    {
        EstatOptions options = Bind(("ACK", "replica"), ("ACK_ALLOWED", "disk,replica"));
        Assert.Equal(AckLevel.Replica, options.Collect.Ack);
        Assert.Equal(
            "ACK=replica: must be one of memory, disk, stored (replica needs a cluster: start Estat.Silo).",
            Assert.Throws<OptionException>(() => OptionTable.Bind([], [new("ACK", "replica")], "none.json")).Message);
        Assert.Contains(
            "start Estat.Silo",
            Assert.Throws<OptionException>(() => OptionTable.Bind([], [new("ACK_ALLOWED", "disk,replica")], "none.json")).Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public void A_silo_on_every_interface_must_say_where_others_reach_it()
    {
        Assert.StartsWith("ADVERTISED_IP=: must be ", Assert.Throws<OptionException>(() => Bind(("SILO_ADDR", ":11111"))).Message,
            StringComparison.Ordinal);
        Assert.Equal(IPAddress.Parse("10.0.0.7"), Bind(("SILO_ADDR", ":11111"), ("ADVERTISED_IP", "10.0.0.7")).Cluster.Advertised);
        Assert.Equal(NodeRole.Gateway, Bind(("SILO_ADDR", ":11111"), ("ROLE", "gateway")).Cluster.Role);
    }

    [Fact]
    public void Only_a_gateway_names_several_silos_to_connect_to()
    {
        const string Two = "127.0.0.1:30000,127.0.0.1:30001";
        Assert.Equal([30000, 30001], Bind(("SILO_CLIENT_ADDR", Two), ("ROLE", "gateway")).Cluster.SiloClientAddr.Select(address => address.Port));
        Assert.StartsWith("SILO_CLIENT_ADDR=", Assert.Throws<OptionException>(() => Bind(("SILO_CLIENT_ADDR", Two))).Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public void Tls_needs_all_of_its_files()
    {
        Assert.StartsWith("TLS_KEY=: must be ", Assert.Throws<OptionException>(() => Bind(("TLS_CERT", "a.pem"), ("TLS_CA", "ca.pem"))).Message,
            StringComparison.Ordinal);
        Assert.Equal("a.key", Bind(("TLS_CERT", "a.pem"), ("TLS_KEY", "a.key"), ("TLS_CA", "ca.pem")).Cluster.TlsKey);
    }

    [Fact]
    public void Redis_needs_an_address_and_takes_several()
    {
        Assert.StartsWith("REDIS_ENDPOINT=: must be host:port", Refusal(("CLUSTERING", "redis")), StringComparison.Ordinal);
        RedisOptions redis = Bind(
            ("CLUSTERING", "redis"), ("REDIS_ENDPOINT", "cache-1.example:6379, [::1]:6380,10.0.0.7:6379"), ("REDIS_USER", "estat"),
            ("REDIS_PASSWORD", "open sesame"), ("REDIS_DATABASE", "3"), ("REDIS_KEY_PREFIX", "apps:estat")).Cluster.Redis;
        Assert.Equal(["cache-1.example:6379", "[::1]:6380", "10.0.0.7:6379"], redis.Endpoints);
        Assert.Equal(("estat", "open sesame", 3, "apps:estat", false), (redis.User, redis.Password, redis.Database, redis.KeyPrefix, redis.Tls));
        Assert.All(
            ["localhost:", ":6379", "a b:6379", "::1:6379", "localhost:0", "localhost:70000", "redis://localhost:6379", "localhost:6379,"],
            wrong => Assert.StartsWith($"REDIS_ENDPOINT={wrong}: must be ", Refusal(("REDIS_ENDPOINT", wrong)), StringComparison.Ordinal));
    }

    [Fact]
    public void A_password_of_Redis_is_never_repeated()
    {
        const string Secret = "open-sesame";
        Assert.DoesNotContain(Secret, Refusal(("REDIS_PASSWORD", Secret + "\u0007")), StringComparison.Ordinal);
        string url = Refusal(("REDIS_ENDPOINT", $"redis://estat:{Secret}@localhost:6379"));
        Assert.DoesNotContain(Secret, url, StringComparison.Ordinal);
        Assert.Contains("REDIS_PASSWORD", url, StringComparison.Ordinal);
        Assert.DoesNotContain(Secret, Bind(("REDIS_ENDPOINT", "localhost:6379"), ("REDIS_PASSWORD", Secret)).ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void A_TLS_file_for_Redis_without_TLS_to_Redis_is_refused()
    {
        Assert.StartsWith("REDIS_TLS_CA=ca.pem: must be ", Refusal(("REDIS_TLS_CA", "ca.pem")), StringComparison.Ordinal);
        Assert.StartsWith("REDIS_TLS_KEY=: must be ", Refusal(("REDIS_TLS", "true"), ("REDIS_TLS_CERT", "a.pem")), StringComparison.Ordinal);
        Assert.StartsWith("REDIS_TLS_CERT=: must be ", Refusal(("REDIS_TLS", "true"), ("REDIS_TLS_KEY", "a.key")), StringComparison.Ordinal);
        Assert.Equal("ca.pem", Bind(("REDIS_TLS", "true"), ("REDIS_TLS_CA", "ca.pem")).Cluster.Redis.TlsCa);
    }

    private static string Refusal(params (string Name, string Value)[] environment) =>
        Assert.Throws<OptionException>(() => Bind(environment)).Message;

    private static EstatOptions Bind(params (string Name, string Value)[] environment) =>
        OptionTable.BindCluster([], environment.Select(pair => new KeyValuePair<string, string?>(pair.Name, pair.Value)), "none.json");
}
