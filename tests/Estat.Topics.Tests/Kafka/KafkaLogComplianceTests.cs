// The suite of every log, over Kafka: on mock brokers always, and on real ones where there are some.
using Estat.Topics.Kafka.Hosting;
using Estat.Topics.Log;
using Estat.Topics.Tests.Log;

namespace Estat.Topics.Tests.Kafka;

public sealed class MockKafkaComplianceTests : TopicLogCompliance
{
    private readonly MockKafka _kafka = MockKafka.Start();

    private protected override string? WhyNoAdministration => MockKafka.NoAdministration;

    private protected override string? WhyNoTimes => MockKafka.NoTimes;

    private protected override Task<ITopicLog> OpenAsync() => Task.FromResult<ITopicLog>(_kafka.Open());

    private protected override async Task MakeTopicAsync(string name)
    {
        _kafka.MakeTopic(name);
        await Wait.UntilAsync(
            () => Log.FindTopic(name) is not null, TimeSpan.FromSeconds(30), $"the log to see topic {name}", () => Log.Fault ?? "no fault");
    }

    private protected override ValueTask CloseAsync() => _kafka.DisposeAsync();
}

public sealed class RealKafkaComplianceTests : TopicLogCompliance
{
    private protected override async Task<ITopicLog> OpenAsync()
    {
        string? servers = Environment.GetEnvironmentVariable("KAFKA_BOOTSTRAP_SERVERS");
        Assert.SkipUnless(servers is { Length: > 0 }, "KAFKA_BOOTSTRAP_SERVERS is not set: there is no real Kafka here");
        var log = KafkaLog.Open(MockKafka.Options(servers!), TimeProvider.System, new LogLines());
        await Wait.UntilAsync(
            () => log.Fault is null && BuiltInTopic.All.All(topic => log.FindTopic(topic) is not null), TimeSpan.FromSeconds(60), "Kafka to answer",
            () => log.Fault ?? "topics are missing");
        return log;
    }

    private protected override ValueTask CloseAsync() => default;
}
