// KAFKA_*: librdkafka's properties as options of the node.
using Estat.Api.Options;
using Estat.Base.Options;
using Estat.Testing;
using Estat.Topics.Options;

namespace Estat.Api.Tests.Options;

public sealed class KafkaOptionTests : IDisposable
{
    private static readonly string[] Topics = ["--SERVE=topics", "--TOPICS_SINK=false", "--TOPICS_LOG=kafka"];
    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Properties_come_from_all_three_places_and_dots_are_underscores()
    {
        File.WriteAllText(_folder["appsettings.json"], """{ "KAFKA_SASL_USERNAME": "file", "KAFKA_CLIENT_ID": "file" }""");
        TopicsOptions options = Bind(
            ["--kafka_client_id=mine"], [("KAFKA_BOOTSTRAP_SERVERS", "a:1,b:2"), ("KAFKA_LOG_LEVEL", "7"), ("KAFKA_CLIENT_ID", "environment")]);
        Assert.Equal(LogKind.Kafka, options.Log);
        Assert.Equal(
            ["bootstrap.servers=a:1,b:2", "client.id=mine", "log_level=7", "sasl.username=file"],
            options.Kafka.Select(pair => $"{pair.Key}={pair.Value}").Order(StringComparer.Ordinal));
    }

    [Fact]
    public void Kafka_needs_to_be_told_where_it_is() =>
        Assert.StartsWith(
            "KAFKA_BOOTSTRAP_SERVERS: must be set", Assert.Throws<OptionException>(() => Bind([], [])).Message, StringComparison.Ordinal);

    [Theory]
    [InlineData("KAFKA_ACKS")]
    [InlineData("KAFKA_REQUEST_REQUIRED_ACKS")]
    [InlineData("KAFKA_ENABLE_IDEMPOTENCE")]
    [InlineData("KAFKA_GROUP_ID")]
    [InlineData("KAFKA_ENABLE_AUTO_COMMIT")]
    [InlineData("KAFKA_ENABLE_AUTO_OFFSET_STORE")]
    [InlineData("KAFKA_PARTITIONER")]
    [InlineData("KAFKA_PARTITION_ASSIGNMENT_STRATEGY")]
    [InlineData("KAFKA_AUTO_OFFSET_RESET")]
    [InlineData("KAFKA_ISOLATION_LEVEL")]
    [InlineData("KAFKA_TRANSACTIONAL_ID")]
    [InlineData("KAFKA_TEST_MOCK_NUM_BROKERS")]
    [InlineData("KAFKA_DOTNET_PRODUCER_ENABLE_DELIVERY_REPORTS")]
    public void What_a_promise_hangs_on_cannot_be_set_and_its_value_is_not_repeated(string name)
    {
        OptionException error = Assert.Throws<OptionException>(() => Bind(["--KAFKA_BOOTSTRAP_SERVERS=a:1"], [(name, "hunter2")]));
        Assert.StartsWith($"{name}: cannot be set: ", error.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("hunter2", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Without_the_log_in_Kafka_its_variables_mean_nothing() =>
        Assert.Equal(LogKind.Embedded, Bind(["--TOPICS_LOG=embedded"], [("KAFKA_ACKS", "0"), ("KAFKA_HOME", "/opt/kafka")]).Log);

    private TopicsOptions Bind(string[] args, (string Name, string Value)[] environment) => OptionTable.Bind(
        [.. Topics, .. args],
        environment.Select(pair => new KeyValuePair<string, string?>(pair.Name, pair.Value)), _folder["appsettings.json"]).Topics;
}
