// One event, one line: valid JSON with the fields of the design, in its order, within the room that was asked for.
using System.Text;
using System.Text.Json;
using Estat.Collect.Events;

namespace Estat.Collect.Tests.Events;

public sealed class LineEncoderTests
{
    [Fact]
    public void A_line_has_the_fields_of_the_design_in_its_order()
    {
        Assert.Equal(
            """{"ts":1700000000,"ip":"203.0.113.9","user_agent":"curl/8.5","body":"{\"a\":1}"}""" + "\n",
            Encode(1_700_000_000, "203.0.113.9", "curl/8.5", "", "", "{\"a\":1}"u8));
    }

    [Theory]
    [InlineData("session=1", "", "ts ip user_agent cookie body")]
    [InlineData("", "7f3c", "ts ip user_agent id body")]
    [InlineData("session=1", "7f3c", "ts ip user_agent cookie id body")]
    public void Cookie_and_id_are_there_only_when_the_request_had_them(string cookie, string id, string fields)
    {
        using JsonDocument line = JsonDocument.Parse(Encode(1, "::1", "x", cookie, id, "b"u8));
        Assert.Equal(fields, string.Join(' ', line.RootElement.EnumerateObject().Select(field => field.Name)));
    }

    [Fact]
    public void An_event_without_anything_is_still_a_line()
    {
        Assert.Equal("""{"ts":0,"ip":"","user_agent":"","body":""}""" + "\n", Encode(0, "", "", "", "", ""u8));
    }

    [Theory]
    [InlineData("쇼핑앱/1.0 (한국어)")]
    [InlineData("Mozilla/5.0 \"quoted\" \\ \t")]
    [InlineData("é")]
    public void A_header_in_UTF8_is_stored_as_the_client_wrote_it(string userAgent)
    {
        // HTTP/1 hands header bytes on as Latin-1 characters.
        string asReceived = Encoding.Latin1.GetString(Encoding.UTF8.GetBytes(userAgent));
        Assert.Equal(userAgent, Field(Encode(1, "::1", asReceived, "", "", "b"u8), "user_agent"));
    }

    [Fact]
    public void A_header_that_is_no_UTF8_becomes_replacement_characters_and_the_line_stays_valid()
    {
        Assert.Equal("caf\uFFFD", Field(Encode(1, "::1", "caf\u00E9", "", "", "b"u8), "user_agent"));
    }

    [Fact]
    public void Header_text_beyond_Latin1_is_stored_as_UTF8()
    {
        string line = Encode(1, "::1", "agent-é-한", "c-한", "id-👍\ud800", "b"u8);
        Assert.Equal("agent-é-한", Field(line, "user_agent"));
        Assert.Equal("c-한", Field(line, "cookie"));
        Assert.Equal("id-👍\uFFFD", Field(line, "id"));
    }

    [Theory]
    [InlineData(341)]
    [InlineData(342)]
    [InlineData(8000)]
    public void A_header_of_any_length_is_kept_whole(int length)
    {
        string cookie = new string('c', length - 1) + "\"";
        Assert.Equal(cookie, Field(Encode(1, "::1", "", cookie, "", "b"u8), "cookie"));
    }

    [Fact]
    public void Whatever_an_event_holds_its_line_is_valid_and_within_its_bound()
    {
        var random = new Random(4);
        for (int i = 0; i < 3000; i++)
        {
            var body = new byte[random.Next(0, 300)];
            random.NextBytes(body);
            string userAgent = RandomHeader(random);
            string cookie = RandomHeader(random);
            string line = Encode(random.NextInt64(long.MinValue, long.MaxValue), "198.51.100.7", userAgent, cookie, RandomHeader(random), body);
            Assert.Equal(1, line.Count(c => c == '\n'));
            Assert.Equal(Encoding.UTF8.GetString(body), Field(line, "body"));
        }
    }

    [Fact]
    public void The_longest_escapes_of_every_field_fit_the_bound()
    {
        string controls = new('\u0001', 2000);
        string line = Encode(long.MinValue, new string('\u0002', 50), controls, controls, controls, Encoding.UTF8.GetBytes(controls));
        Assert.Equal(controls, Field(line, "body"));
        Assert.Equal(controls, Field(line, "id"));
    }

    private static string RandomHeader(Random random) =>
        string.Concat(Enumerable.Range(0, random.Next(0, 60)).Select(_ => (char)random.Next(0, random.Next(2) == 0 ? 0x100 : 0x10000)));

    private static string Field(string line, string name) => JsonDocument.Parse(line).RootElement.GetProperty(name).GetString()!;

    // Encodes into exactly the room that MaxLength asks for, with a canary behind it.
    private static string Encode(long ts, string ip, string userAgent, string cookie, string id, ReadOnlySpan<byte> body)
    {
        const byte Canary = 0xA5;
        var header = new EventHeader { UnixSeconds = ts, Ip = Encoding.ASCII.GetBytes(ip), UserAgent = userAgent, Cookie = cookie, Id = id };
        int bound = LineEncoder.MaxLength(header, body.Length);
        var room = new byte[bound + 64];
        room.AsSpan().Fill(Canary);
        int written = LineEncoder.Encode(header, body, room.AsSpan(0, bound));
        Assert.InRange(written, 1, bound);
        Assert.True(room.AsSpan(bound).IndexOfAnyExcept(Canary) < 0, "the encoder wrote past its bound");
        return Encoding.UTF8.GetString(room, 0, written);
    }
}
