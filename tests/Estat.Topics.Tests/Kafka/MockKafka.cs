// librdkafka's own mock brokers: they speak the protocol, and keep everything in memory.
using System.Runtime.CompilerServices;
using Confluent.Kafka;
using Estat.Topics.Kafka.Hosting;
using Estat.Topics.Options;

namespace Estat.Topics.Tests.Kafka;

/// <summary>
/// Three brokers in this process, or in a child that can be stopped. A topic is made by asking for it, with 4 partitions. They do not know
/// administration, cluster ids and look-up by time, and stamp every message with one time.
/// </summary>
internal sealed class MockKafka : IAsyncDisposable
{
    internal const int Partitions = 4;
    internal const string NoAdministration = "the mock brokers know no administration (CreateTopics, CreatePartitions, IncrementalAlterConfigs)";
    internal const string NoTimes = "the mock brokers stamp all messages alike and find no offset by time";

    private const string Variable = "ESTAT_TESTS_MOCK_KAFKA";
    private readonly IProducer<byte[], byte[]>? _owner;

    private MockKafka(IProducer<byte[], byte[]>? owner, ChildProcess? process, string servers) =>
        (_owner, Process, Servers) = (owner, process, servers);

    /// <summary>Where the brokers are.</summary>
    internal string Servers { get; }

    /// <summary>The process that has them; null: this one.</summary>
    internal ChildProcess? Process { get; }

    internal static MockKafka Start(params string[] topics)
    {
        var owner = new ProducerBuilder<byte[], byte[]>(new ProducerConfig(new Dictionary<string, string> { ["test.mock.num.brokers"] = "3" }))
            .SetLogHandler(static (_, _) => { }).Build();
        using var admin = new DependentAdminClientBuilder(owner.Handle).Build();
        var servers = string.Join(',', admin.GetMetadata(TimeSpan.FromSeconds(10)).Brokers.Select(broker => $"{broker.Host}:{broker.Port}"));
        var mock = new MockKafka(owner, null, servers);
        foreach (var topic in BuiltInTopic.All.Concat(topics))
        {
            mock.MakeTopic(topic);
        }

        return mock;
    }

    /// <summary>The same in a process of its own.</summary>
    internal static async Task<MockKafka> StartProcessAsync(params string[] topics)
    {
        var process = ChildProcess.Launch(
            "mock Kafka", ChildProcess.AssemblyCommand(typeof(MockKafka).Assembly.Location, []),
            new Dictionary<string, string> { [Variable] = string.Join(',', topics) + "," });
        await Wait.UntilAsync(
            () => process.Output.Any(line => line.StartsWith("servers ", StringComparison.Ordinal)) || process.HasExited, TimeSpan.FromSeconds(60),
            "the mock brokers to start", () => process.AllOutput);
        process.ThrowIfEnded("it had brokers");
        return new MockKafka(null, process, process.Output.First(line => line.StartsWith("servers ", StringComparison.Ordinal))["servers ".Length..]);
    }

    /// <summary>Whether all brokers take connections within some seconds; seen to be refused by a process that had been stopped.</summary>
    internal async Task<bool> ListensAsync()
    {
        for (int attempt = 0; attempt < 20; attempt++)
        {
            try
            {
                foreach (var server in Servers.Split(','))
                {
                    using var client = new System.Net.Sockets.TcpClient();
                    await client.ConnectAsync(System.Net.IPEndPoint.Parse(server));
                }

                return true;
            }
            catch (System.Net.Sockets.SocketException)
            {
                await Task.Delay(TimeSpan.FromMilliseconds(250));
            }
        }

        return false;
    }

    internal void MakeTopic(string name)
    {
        using var admin = new DependentAdminClientBuilder(_owner!.Handle).Build();
        Assert.Equal(Partitions, admin.GetMetadata(name, TimeSpan.FromSeconds(10)).Topics.Single().Partitions.Count);
    }

    /// <summary>A producer of somebody else.</summary>
    internal IProducer<byte[], byte[]> Stranger() =>
        new ProducerBuilder<byte[], byte[]>(new ProducerConfig { BootstrapServers = Servers }).SetLogHandler(static (_, _) => { }).Build();

    /// <summary>Options that notice things soon.</summary>
    internal static TopicsOptions Options(string servers, params (string Name, string Value)[] besides)
    {
        var options = new TopicsOptions
        {
            Log = LogKind.Kafka, SinkName = "s" + Guid.NewGuid().ToString("N")[..12], Takeover = TimeSpan.FromSeconds(1),
        };
        foreach (var (name, value) in new[]
        {
            ("KAFKA_BOOTSTRAP_SERVERS", servers), ("KAFKA_HEARTBEAT_INTERVAL_MS", "300"), ("KAFKA_SESSION_TIMEOUT_MS", "6000"),
            ("KAFKA_TOPIC_METADATA_REFRESH_INTERVAL_MS", "500"), ("KAFKA_SOCKET_TIMEOUT_MS", "3000"), ("KAFKA_RECONNECT_BACKOFF_MAX_MS", "300"),
            ("KAFKA_SOCKET_CONNECTION_SETUP_TIMEOUT_MS", "1000"),
        }.Concat(besides))
        {
            options = KafkaNames.Set(options, name, value);
        }

        KafkaNames.Check(options);
        return options;
    }

    internal KafkaLog Open(TopicsOptions? options = null, LogLines? lines = null) =>
        KafkaLog.Open(options ?? Options(Servers), TimeProvider.System, lines ?? new LogLines(), "mock");

    public ValueTask DisposeAsync()
    {
        _owner?.Dispose();
        return Process?.DisposeAsync() ?? default;
    }

    // The test program is the child's program too.
    [ModuleInitializer]
    internal static void ServeIfAsked()
    {
        if (Environment.GetEnvironmentVariable(Variable) is { } topics)
        {
            var mock = Start(topics.Split(',', StringSplitOptions.RemoveEmptyEntries));
            Console.WriteLine("servers " + mock.Servers);
            Thread.Sleep(Timeout.Infinite);
            GC.KeepAlive(mock); // brokers end with their owner
        }
    }
}
