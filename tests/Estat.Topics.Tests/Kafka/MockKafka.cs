// librdkafka's own mock brokers: they speak the protocol, and keep everything in memory.
using System.Diagnostics;
using System.Reflection;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
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

    /// <summary>The request by which a producer gets its id, and the refusal after which it cannot go on.</summary>
    internal const short InitProducerId = 22;
    internal const int ClusterAuthorizationFailed = 31;

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

    /// <summary>Says which broker leads a partition, from 1.</summary>
    /// <param name="topic">The topic.</param>
    /// <param name="partition">The partition.</param>
    /// <param name="broker">The broker; null: none.</param>
    internal void SetLeader(string topic, int partition, int? broker) =>
        Assert.Equal(0, Native<SetLeaderCall>("rd_kafka_mock_partition_set_leader")(Cluster(), topic, partition, broker ?? -1));

    /// <summary>Lets a broker answer nothing.</summary>
    internal void StopBroker(int broker) => Assert.Equal(0, Native<StopBrokerCall>("rd_kafka_mock_broker_set_down")(Cluster(), broker));

    /// <summary>Refuses the next request of a kind.</summary>
    internal void RefuseNext(short request, int error) =>
        Native<RefuseCall>("rd_kafka_mock_push_request_errors_array")(Cluster(), request, 1, [error]);

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

    private delegate nint ClusterCall(nint client);

    private delegate int SetLeaderCall(nint cluster, [MarshalAs(UnmanagedType.LPUTF8Str)] string topic, int partition, int broker);

    private delegate int StopBrokerCall(nint cluster, int broker);

    private delegate void RefuseCall(nint cluster, short request, nint count, int[] errors);

    // What Confluent's client does not offer, of the library that it has loaded.
    private static T Native<T>(string name)
        where T : Delegate
    {
        using var process = System.Diagnostics.Process.GetCurrentProcess();
        string file = process.Modules.Cast<ProcessModule>().Select(module => module.FileName)
            .First(name => name.Contains("librdkafka", StringComparison.Ordinal));
        return Marshal.GetDelegateForFunctionPointer<T>(NativeLibrary.GetExport(NativeLibrary.Load(file), name));
    }

    private nint Cluster()
    {
        PropertyInfo handle = typeof(Handle).GetProperty("LibrdkafkaHandle", BindingFlags.Instance | BindingFlags.NonPublic)!;
        return Native<ClusterCall>("rd_kafka_handle_mock_cluster")(((SafeHandle)handle.GetValue(_owner!.Handle)!).DangerousGetHandle());
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
