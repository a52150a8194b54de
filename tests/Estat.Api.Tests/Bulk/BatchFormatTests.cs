// POST /collect/batch: how events stand in a body.
using System.Net;
using System.Text;
using Estat.Api.Tests.Http;
using Estat.Testing;

namespace Estat.Api.Tests.Bulk;

public sealed class BatchFormatTests
{
    private const string Korean = "{\"d\":\"한글\"}\n{\"d\":2}\n";
    private static readonly string Deep = new string('[', 500) + new string(']', 500);

    public static TheoryData<string, string?, string, string[]> Lines => new()
    {
        { "LF", null, "{\"a\":1}\n{\"a\":2}\n", ["{\"a\":1}", "{\"a\":2}"] },
        { "CRLF", null, "{\"a\":1}\r\n{\"a\":2}\r\n", ["{\"a\":1}", "{\"a\":2}"] },
        { "no last newline", null, "{\"a\":1}\n{\"a\":2}", ["{\"a\":1}", "{\"a\":2}"] },
        { "one line", null, "{}", ["{}"] },
        { "blank lines", null, "\n\n{\"a\":1}\n\r\n  \t \n{\"a\":2}\n\n", ["{\"a\":1}", "{\"a\":2}"] },
        { "a byte order mark", null, "\uFEFF{\"a\":1}\n{\"a\":2}", ["{\"a\":1}", "{\"a\":2}"] },
        { "lines that are no JSON", "text/plain", "a=1&b=2\n한글\n  {broken\n", ["a=1&b=2", "한글", "  {broken"] },
        { "a CR inside a line", null, "a\rb\r\r\nc", ["a\rb\r", "c"] },
        { "arrays in NDJSON", "application/x-ndjson", "[1,2]\n[3]\n", ["[1,2]", "[3]"] },
        { "arrays in NDJSON with a charset", "Application/X-NDJSON; charset=utf-8", "[1]\n[2]", ["[1]", "[2]"] },
        { "arrays in JSON lines", "application/jsonl", "[1]\n[2]", ["[1]", "[2]"] },
    };

    public static TheoryData<string, string?, string, string[]> Arrays => new()
    {
        { "objects", "application/json", """[{"a":1},{"a":2}]""", ["""{"a":1}""", """{"a":2}"""] },
        { "without a media type", null, """[{"a":1}]""", ["""{"a":1}"""] },
        { "as text, as sendBeacon sends it", "text/plain;charset=UTF-8", """[{"a":1}]""", ["""{"a":1}"""] },
        { "nested", null, """[{"a":[{"b":[1,[2]]}]},[[],[{}]]]""", ["""{"a":[{"b":[1,[2]]}]}""", "[[],[{}]]"] },
        { "whitespace", null, " \r\n\t[ {\"a\" : 1 } ,\n\t[ 1 , 2 ]\r\n, 3 ] \n ", ["{\"a\" : 1 }", "[ 1 , 2 ]", "3"] },
        { "a pretty-printed object", null, "[\n  {\n    \"a\": 1\n  }\n]", ["{\n    \"a\": 1\n  }"] },
        { "strings", null, """["a","","\"],[\"","\u0041\n","한글"]""", ["\"a\"", "\"\"", "\"\\\"],[\\\"\"", "\"\\u0041\\n\"", "\"한글\""] },
        { "numbers and literals", null, "[0,-1.50,1e400,123456789012345678901234567890,true,false,null]",
            ["0", "-1.50", "1e400", "123456789012345678901234567890", "true", "false", "null"] },
        { "a byte order mark", null, "\uFEFF[1]", ["1"] },
        { "deep nesting", null, $"[{Deep}]", [Deep] },
        { "no array, but one object", "application/json", "{\"a\":1}", ["{\"a\":1}"] },
        { "one pretty-printed object", "Application/JSON; charset=utf-8", "{\n  \"a\": 1\n}\n", ["{\n  \"a\": 1\n}"] },
        { "the same key twice", null, """[{"a":1,"a":2}]""", ["""{"a":1,"a":2}"""] },
    };

    public static TheoryData<string, string?, string, string[]> Values => new()
    {
        { "lines called JSON", "application/json", "{\"a\":1}\n{\"a\":2}\n", ["{\"a\":1}", "{\"a\":2}"] },
        { "Fluent Bit's json_stream", "application/json", """{"a":1}{"a":{"b":"}{"}}{"a":3}""",
            ["""{"a":1}""", """{"a":{"b":"}{"}}""", """{"a":3}"""] },
        { "white space", "application/json; charset=utf-8", " {\"a\":1}\t {\n\"a\" : 2}\r\n\r\n3", ["{\"a\":1}", "{\n\"a\" : 2}", "3"] },
        { "a byte order mark", "application/json", "\uFEFF{}{}", ["{}", "{}"] },
        { "values that are no objects", "application/json", "1 \"a\"\"b\"null[1,2]", ["1", "\"a\"", "\"b\"", "null", "[1,2]"] },
        { "a stream", "application/x-json-stream", "{\"a\":1}\n{\"a\":2}", ["{\"a\":1}", "{\"a\":2}"] },
        { "a stream without line ends", "application/json-stream", "{\"a\":1}{\"a\":2}", ["{\"a\":1}", "{\"a\":2}"] },
        { "a pretty-printed cloud event", "application/cloudevents+json; charset=UTF-8", "{\n  \"id\": 1\n}\n", ["{\n  \"id\": 1\n}"] },
        { "cloud events", "application/cloudevents-batch+json", "[\n{\"id\": 1},\n{\"id\": 2}\n]", ["{\"id\": 1}", "{\"id\": 2}"] },
        { "what is called text", "Text/JSON", "{\n\"a\": 1\n}", ["{\n\"a\": 1\n}"] },
    };

    // As iconv and Windows write them.
    public static TheoryData<string, string?, byte[]> Charsets => new()
    {
        { "UTF-16 little-endian with its mark", null, [0xFF, 0xFE, .. Encoding.Unicode.GetBytes(Korean)] },
        { "UTF-16 big-endian with its mark", "text/plain", [0xFE, 0xFF, .. Encoding.BigEndianUnicode.GetBytes(Korean)] },
        { "UTF-32 with its mark", null, [0xFF, 0xFE, 0, 0, .. Encoding.UTF32.GetBytes(Korean)] },
        { "a mark that is surer than the header", "text/plain; charset=euc-kr", [0xFE, 0xFF, .. Encoding.BigEndianUnicode.GetBytes(Korean)] },
        { "UTF-8's mark that is surer than the header", "text/plain; charset=euc-kr", [0xEF, 0xBB, 0xBF, .. Encoding.UTF8.GetBytes(Korean)] },
        { "UTF-16 by the header", "application/x-ndjson; charset=UTF-16LE", Encoding.Unicode.GetBytes(Korean) },
        { "EUC-KR", "application/x-ndjson;charset=euc-kr", CodePage(51949).GetBytes(Korean) },
        { "what Windows calls so", "text/plain; Charset=\"KS_C_5601-1987\"; x=y", CodePage(949).GetBytes(Korean) },
        { "UTF-8 by another name", "text/plain; charset=utf8", Encoding.UTF8.GetBytes(Korean) },
    };

    [Theory]
    [MemberData(nameof(Values))]
    public Task Each_value_is_an_event_with_or_without_white_space_between_them(string what, string? mediaType, string body, string[] events) =>
        StoresAsync(what, mediaType, body, events);

    [Theory]
    [MemberData(nameof(Charsets))]
    public async Task Text_in_another_charset_is_stored_as_the_text_that_it_is(string what, string? mediaType, byte[] body)
    {
        await using RunningServer server = await RunningServer.StartAsync();
        foreach (string coding in new[] { "identity", "gzip" })
        {
            (int status, string answer) = await server.PostBatchAsync(Encoded.As(coding, body), mediaType, coding);
            Assert.True(status == 200, $"{what}: {status} {answer}");
        }

        Assert.Equal(["{\"d\":\"한글\"}", "{\"d\":2}", "{\"d\":\"한글\"}", "{\"d\":2}"], await server.DrainBodiesAsync());
    }

    [Theory]
    [InlineData("{\"a\":1}\n", "{\"a\":2}\n", "application/x-ndjson")]
    [InlineData("{\"a\":1}{\"a\":", "2}", "application/json")]
    [InlineData("[{\"a\":1},", "{\"a\":2}]", null)]
    public async Task Gzip_of_several_members_is_one_body(string first, string second, string? mediaType)
    {
        await using RunningServer server = await RunningServer.StartAsync();

        Assert.Equal((200, """{"accepted":2,"rejected":[]}"""), await server.PostBatchAsync(
            [.. Encoded.As("gzip", first), .. Encoded.As("gzip", ""), .. Encoded.As("gzip", second)], mediaType, "gzip"));

        Assert.Equal(["{\"a\":1}", "{\"a\":2}"], await server.DrainBodiesAsync());
    }

    [Theory]
    [MemberData(nameof(Lines))]
    public Task Each_line_is_an_event(string what, string? mediaType, string body, string[] events) => StoresAsync(what, mediaType, body, events);

    [Theory]
    [MemberData(nameof(Arrays))]
    public Task Each_element_is_an_event_as_it_is_written(string what, string? mediaType, string body, string[] events) =>
        StoresAsync(what, mediaType, body, events);

    [Theory]
    [InlineData("gzip")]
    [InlineData("br")]
    [InlineData("identity")]
    public async Task A_batch_may_be_compressed(string coding)
    {
        string[] events = [.. Enumerable.Range(0, 5000).Select(i => $$"""{"number":{{i}},"text":"이벤트"}""")];
        await using RunningServer server = await RunningServer.StartAsync();

        Assert.Equal((200, """{"accepted":5000,"rejected":[]}"""),
            await server.PostBatchAsync(Encoded.As(coding, string.Join('\n', events)), "application/x-ndjson", coding));
        Assert.Equal((200, """{"accepted":5000,"rejected":[]}"""),
            await server.PostBatchAsync(Encoded.As(coding, $"[{string.Join(',', events)}]"), "application/json", coding));

        Assert.Equal([.. events, .. events], await server.DrainBodiesAsync());
    }

    [Fact]
    public async Task An_empty_array_is_a_batch_of_no_events()
    {
        await using RunningServer server = await RunningServer.StartAsync();

        Assert.Equal((200, """{"accepted":0,"rejected":[]}"""), await server.PostBatchAsync(" [ ] "u8.ToArray()));

        Assert.Empty(await server.DrainAsync());
    }

    [Fact]
    public async Task Bytes_that_are_no_UTF_8_are_repaired_and_cost_no_event()
    {
        byte[] korean = [0xC7, 0xD1];
        await using RunningServer server = await RunningServer.StartAsync();

        Assert.Equal(200, (await server.PostBatchAsync([.. "a"u8, .. korean, .. "\nb"u8])).Status);
        Assert.Equal(200, (await server.PostBatchAsync([.. "[\"c"u8, .. korean, .. "\",1]"u8])).Status);

        string repaired = Encoding.UTF8.GetString(korean);
        Assert.Equal([$"a{repaired}", "b", $"\"c{repaired}\"", "1"], await server.DrainBodiesAsync());
    }

    [Fact]
    public async Task A_batch_may_have_more_events_than_an_object_and_than_the_queue()
    {
        string[] events = [.. Enumerable.Range(0, 20_000).Select(i => $"event {i}")];
        await using RunningServer server = await RunningServer.StartAsync(options => options with
        {
            Collect = options.Collect with { BatchSize = 1000, ChannelSize = 500 },
        });

        Assert.Equal((200, """{"accepted":20000,"rejected":[]}"""), await server.PostBatchAsync(Encoding.UTF8.GetBytes(string.Join('\n', events))));

        Assert.Equal(events, await server.DrainBodiesAsync());
        Assert.All(StoredEvents.ObjectsFromFolder(server.StorageDir), stored => Assert.InRange(stored.Events.Count, 1, 1000));
    }

    [Fact]
    public async Task Every_number_of_events_around_the_size_of_an_object_is_stored_in_order()
    {
        await using RunningServer server = await RunningServer.StartAsync(options => options with
        {
            Collect = options.Collect with { BatchSize = 10 },
        });
        var sent = new List<string>();
        for (int count = 1; count <= 41; count++)
        {
            string[] events = [.. Enumerable.Range(0, count).Select(i => $"{count}/{i}")];
            sent.AddRange(events);
            Assert.Equal(200, (await server.PostBatchAsync(Encoding.UTF8.GetBytes(string.Join('\n', events)))).Status);
        }

        Assert.Equal(sent, await server.DrainBodiesAsync());
        Assert.All(StoredEvents.ObjectsFromFolder(server.StorageDir), stored => Assert.InRange(stored.Events.Count, 1, 10));
    }

    private static Encoding CodePage(int number) => CodePagesEncodingProvider.Instance.GetEncoding(number)!;

    private static async Task StoresAsync(string what, string? mediaType, string body, string[] events)
    {
        await using RunningServer server = await RunningServer.StartAsync();

        (int status, string answer) = await server.PostBatchAsync(Encoding.UTF8.GetBytes(body), mediaType);

        Assert.True(status == 200, $"{what}: {status} {answer}");
        Assert.Equal($$"""{"accepted":{{events.Length}},"rejected":[]}""", answer);
        Assert.Equal(events, await server.DrainBodiesAsync());
    }
}

/// <summary>Batches over HTTP.</summary>
internal static class BatchPosting
{
    /// <summary>Posts a batch; an error has to be a problem document, and its detail is returned in place of the answer.</summary>
    internal static async Task<(int Status, string Answer)> PostBatchAsync(
        this RunningServer server, byte[] body, string? mediaType = null, string? coding = null)
    {
        using var content = new ByteArrayContent(body);
        content.Headers.TryAddWithoutValidation("Content-Type", mediaType);
        content.Headers.TryAddWithoutValidation("Content-Encoding", coding);
        using HttpResponseMessage answer = await server.Client.PostAsync(new Uri("/collect/batch", UriKind.Relative), content);
        if (answer.StatusCode == HttpStatusCode.OK)
        {
            Assert.Equal("application/json", answer.Content.Headers.ContentType?.ToString());
            string text = await answer.Content.ReadAsStringAsync();
            bool isPromised = answer.Headers.TryGetValues("X-Estat-Ack", out IEnumerable<string>? levels);
            // Where no event was taken there is nothing to promise.
            Assert.Equal(!text.Contains("\"accepted\":0,", StringComparison.Ordinal), isPromised);
            Assert.Equal(isPromised ? ["disk"] : [], levels ?? []);
            return (200, text);
        }

        Assert.Equal(answer.StatusCode is HttpStatusCode.ServiceUnavailable or HttpStatusCode.TooManyRequests, answer.Headers.RetryAfter is not null);
        Assert.Equal(answer.StatusCode == HttpStatusCode.UnsupportedMediaType && coding is not (null or "gzip" or "br"),
            answer.Headers.TryGetValues("Accept-Encoding", out _));
        return ((int)answer.StatusCode, await Problems.DetailOfAsync(answer));
    }
}
