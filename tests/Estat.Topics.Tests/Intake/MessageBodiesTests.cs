using System.Text;
using Estat.Topics.Intake;

namespace Estat.Topics.Tests.Intake;

public sealed class MessageBodiesTests
{
    private static readonly MessageBodies Bodies = new(new ProduceLimits(4, 200));

    [Fact]
    public void A_message_has_key_headers_and_the_value_as_it_was_sent()
    {
        NewMessage message = Assert.Single(Read("""{"headers":{"a":"b","c":"\u00e9"},"key":"us\u0065r","value": {"x" : [1, 2.50, "\u0000"]} }"""));
        Assert.Equal("user", Text(message.Key!.Value));
        Assert.Equal("""{"x" : [1, 2.50, "\u0000"]}""", Text(message.Value));
        Assert.Equal([("a", "b"), ("c", "é")], message.Headers.Select(header => (header.Name, Text(header.Value!.Value))));
    }

    [Theory]
    [InlineData("""{"value":null}""", "null")]
    [InlineData("""{"value":"text","key":null}""", "\"text\"")]
    [InlineData("""{"value":-1e3}""", "-1e3")]
    [InlineData("""{"value":[]}""", "[]")]
    [InlineData("  {\"value\":true}\n ", "true")]
    public void Any_JSON_is_a_value(string body, string value)
    {
        NewMessage message = Assert.Single(Read(body));
        Assert.Null(message.Key);
        Assert.Equal(value, Text(message.Value));
    }

    [Fact]
    public void Many_messages_come_in_a_list_or_on_lines()
    {
        Assert.Equal(["1", "2"], Read("""{"messages":[{"value":1},{"key":"k","value":2}]}""").Select(message => Text(message.Value)));
        List<NewMessage> lines = Bodies.ReadLines(Encoding.UTF8.GetBytes("{\"value\":1}\r\n\n  \n{\"key\":\"k\",\"value\":2}"));
        Assert.Equal(["1", "2"], lines.Select(message => Text(message.Value)));
    }

    [Theory]
    [InlineData("[1]", "must be an object")]
    [InlineData("{}", "has no value")]
    [InlineData("""{"vlaue":1}""", "member vlaue")]
    [InlineData("""{"value":1,"value":2}""", "value twice")]
    [InlineData("""{"key":1,"value":2}""", "key must be a string")]
    [InlineData("""{"key":"\ud800","value":2}""", "half of a surrogate pair")]
    [InlineData("""{"\ud800":1,"value":2}""", "name holds half of a surrogate pair")]
    [InlineData("""{"v\u0061lue":1,"value":2}""", "value twice")]
    [InlineData("""{"headers":[],"value":2}""", "headers must be an object")]
    [InlineData("""{"headers":{"a":1},"value":2}""", "header a must be a string")]
    [InlineData("""{"value":1}{"value":2}""", "application/x-ndjson")]
    [InlineData("""{"value":1""", "not valid JSON")]
    [InlineData("""{"messages":[]}""", "messages is empty")]
    [InlineData("""{"messages":1}""", "messages must be an array")]
    [InlineData("""{"messages":[{"value":1},2]}""", "messages[1] must be an object")]
    [InlineData("""{"messages":[{"value":1}],"key":"a"}""", "only member")]
    [InlineData("""{"messages":[{"value":1},{"value":1},{"value":1},{"value":1},{"value":1}]}""", "TOPICS_MAX_MESSAGES")]
    public void A_body_that_is_no_message_is_refused_with_what_is_wrong(string body, string why) =>
        Assert.Contains(why, Assert.Throws<ProduceException>(() => Read(body)).Message, StringComparison.Ordinal);

    [Fact]
    public void Lines_are_named_in_what_is_wrong()
    {
        string why = Assert.Throws<ProduceException>(() => Bodies.ReadLines("{\"value\":1}\n{\"value\":}"u8.ToArray())).Message;
        Assert.StartsWith("Line 2 is not valid JSON", why, StringComparison.Ordinal);
        Assert.Contains("no message", Assert.Throws<ProduceException>(() => Bodies.ReadLines("\n \n"u8.ToArray())).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Depth_size_and_bytes_are_bounded()
    {
        string At(int depth) => $"{{\"value\":{new string('[', depth)}{new string(']', depth)}}}";
        Assert.Single(Read(At(64)));
        Assert.Contains("64 levels", Assert.Throws<ProduceException>(() => Read(At(65))).Message, StringComparison.Ordinal);
        Assert.Contains(
            "TOPICS_MAX_MESSAGE_BYTES", Assert.Throws<ProduceException>(() => Read($"{{\"value\":\"{new string('x', 199)}\"}}")).Message,
            StringComparison.Ordinal);
        Assert.Contains(
            "not UTF-8", Assert.Throws<ProduceException>(() => Bodies.ReadJson((byte[])[.. "{\"value\":\""u8, 0xff, .. "\"}"u8])).Message,
            StringComparison.Ordinal);
    }

    private static List<NewMessage> Read(string body) => Bodies.ReadJson(Encoding.UTF8.GetBytes(body));

    private static string Text(ReadOnlyMemory<byte> bytes) => Encoding.UTF8.GetString(bytes.Span);
}
