using System.Text;
using Estat.Topics.Intake;

namespace Estat.Topics.Tests.Intake;

public sealed class TypedBodyTests
{
    private static readonly DateTimeOffset Now = new(2026, 1, 2, 3, 4, 5, 678, TimeSpan.Zero);

    [Fact]
    public void A_user_activity_gets_what_its_page_cannot_say_and_a_timestamp()
    {
        NewMessage message = Read(
            "user-activity", """{"userId":"ann","action":"login","metadata":{"a":1},"more":[1],"timestamp":"yesterday"}""", "192.0.2.1");
        Assert.Equal("ann", Encoding.UTF8.GetString(message.Key!.Value.Span));
        Assert.Equal(
            """{"userId":"ann","action":"login","metadata":{"a":1},"more":[1],"ipAddress":"192.0.2.1","userAgent":"a \u0022browser\u0022","""
            + "\"timestamp\":\"2026-01-02T03:04:05.678Z\"}",
            Value(message));
    }

    [Fact]
    public void What_is_there_is_not_replaced_and_null_counts_as_not_there()
    {
        Assert.Contains(
            "\"ipAddress\":\"10.0.0.1\"", Value(Read("user-activity", """{"userId":"a","action":"b","ipAddress":"10.0.0.1"}""", "x")),
            StringComparison.Ordinal);
        Assert.Contains(
            "\"ipAddress\":\"x\"", Value(Read("user-activity", """{"userId":"a","action":"b","ipAddress":null}""", "x")),
            StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("""{"metricName":"cpu","value":75.5}""", "75.5")]
    [InlineData("""{"metricName":"cpu","value":"75.5"}""", "75.5")]
    [InlineData("""{"metricName":"cpu","value":-0}""", "-0")]
    public void A_metric_is_a_number(string body, string number) =>
        Assert.Contains($"\"value\":{number},", Value(Read("metric", body)), StringComparison.Ordinal);

    [Theory]
    [InlineData("user-activity", """{"action":"login"}""", "userId is missing")]
    [InlineData("user-activity", """{"userId":null,"action":"login"}""", "userId is missing")]
    [InlineData("user-activity", """{"userId":"","action":"login"}""", "userId must be a string that is not empty")]
    [InlineData("user-activity", """{"userId":1,"action":"login"}""", "userId must be a string")]
    [InlineData("user-activity", """{"userId":"a","userId":"b","action":"login"}""", "userId twice")]
    [InlineData("user-activity", "[]", "object with userId, action")]
    [InlineData("user-activity", """{"userId":"a","action":"b","\ud800":1}""", "name holds half of a surrogate pair")]
    [InlineData("metric", """{"metricName":"cpu"}""", "value is missing")]
    [InlineData("metric", """{"metricName":"cpu","value":"much"}""", "value must be a number")]
    [InlineData("metric", """{"metricName":"cpu","value":"NaN"}""", "value must be a number")]
    [InlineData("metric", """{"metricName":"cpu","value":1e999}""", "value must be a number")]
    [InlineData("metric", """{"metricName":"cpu","value":true}""", "value must be a number")]
    [InlineData("error", """{"service":"api"}""", "message is missing")]
    [InlineData("notification", """{"type":"a","message":"b","recipients":"c"}""", "recipients must be a list of strings")]
    [InlineData("notification", """{"type":"a","message":"b","recipients":[1]}""", "recipients must be a list of strings")]
    [InlineData("notification", """{"type":"a","message":"b"}x""", "not valid JSON")]
    public void What_is_wrong_is_said(string path, string body, string why) =>
        Assert.Contains(why, Assert.Throws<ProduceException>(() => Read(path, body)).Message, StringComparison.Ordinal);

    private static NewMessage Read(string path, string body, string address = "") => TypedBody.All.Single(typed => typed.Path == path).Read(
        Encoding.UTF8.GetBytes(body), new TypedClient(Encoding.UTF8.GetBytes(address), "a \"browser\""), Now, [], new ProduceLimits(1, 1_000));

    private static string Value(NewMessage message) => Encoding.UTF8.GetString(message.Value.Span);
}
