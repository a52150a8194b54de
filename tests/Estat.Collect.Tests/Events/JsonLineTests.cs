// A line from another node is a JSON object exactly when .NET's own reader says so.
using System.Text;
using System.Text.Json;
using Estat.Collect.Events;

namespace Estat.Collect.Tests.Events;

public sealed class JsonLineTests
{
    private static readonly string[] Pieces =
    [
        "{", "}", "\"", ":", ",", "\\", "\\\"", "\\u00e9", "\\u12", "\"a\"", "\"a\":", "\"a\":1,", "1", "0", "-1", "01", "1.5e3", "true", "null", "[",
        "]", "[1]", " ", "\t", "é", "\"b\":\"c\"",
        "{\"x\":{}}", "ab",
    ];

    [Fact]
    public void Whatever_is_put_together_it_says_what_the_parser_says()
    {
        var random = new Random(12);
        int objects = 0;
        for (int round = 0; round < 200_000; round++)
        {
            var text = new StringBuilder("{");
            for (int piece = random.Next(7); piece > 0; piece--)
            {
                text.Append(Pieces[random.Next(Pieces.Length)]);
            }

            byte[] line = Encoding.UTF8.GetBytes(text.Append('}').ToString());
            bool isObject = Parses(line);
            objects += isObject ? 1 : 0;
            Assert.True(isObject == JsonLine.IsObject(line), text.ToString());
        }

        Assert.True(objects > 1000, $"{objects} objects were among them");
    }

    [Theory]
    [InlineData("")]
    [InlineData("{")]
    [InlineData("[1]")]
    [InlineData(" {\"a\":1}")]
    [InlineData("{\"a\":1} ")]
    public void An_object_begins_and_ends_with_its_braces(string line) => Assert.False(JsonLine.IsObject(Encoding.UTF8.GetBytes(line)));

    [Fact]
    public void Bytes_that_are_no_UTF8_are_no_JSON() => Assert.False(JsonLine.IsObject([.. "{\"a\":\""u8, 0xff, .. "\"}"u8]));

    private static bool Parses(byte[] line)
    {
        try
        {
            using var document = JsonDocument.Parse(line);
            return document.RootElement.ValueKind == JsonValueKind.Object;
        }
        catch (JsonException)
        {
            return false;
        }
    }
}
