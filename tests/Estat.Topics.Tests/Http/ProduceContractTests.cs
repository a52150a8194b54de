// Every path and every form of a body to produce, on a real server; each answer is held against /openapi.json.
using System.IO.Compression;
using System.Net.Http.Headers;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Estat.Topics.Tests.Http;

public sealed class ProduceContractTests
{
    private const string Json = "application/json";
    private const string Lines = "application/x-ndjson";

    [Fact]
    public async Task Every_path_takes_its_body_and_says_where_the_message_is()
    {
        await using Node node = await Node.StartAsync();
        foreach ((string path, string topic, string body) in new[]
        {
            ("user-activity", "user-activities", """{"userId":"u1","action":"login","resource":null,"metadata":{"a":1},"more":true}"""),
            ("metric", "system-metrics", """{"metricName":"cpu","value":"0.5","unit":"ratio","tags":["a"]}"""),
            ("error", "error-logs", """{"service":"shop","message":"no answer","severity":"error","context":{}}"""),
            ("notification", "notifications", """{"type":"mail","message":"hello","recipients":["a@example.com"]}"""),
        })
        {
            JsonElement one = await node.SendAsync(path, body);
            Assert.Equal((true, topic, 0), (
                one.GetProperty("success").GetBoolean(), one.GetProperty("topic").GetString(), one.GetProperty("offset").GetInt64()));
        }

        foreach ((string body, string type, int count) in new[]
        {
            ("""{"value":1}""", Json, 1), ("""{"key":"k","headers":{"h":"v"},"value":null}""", Json, 1),
            ("""{"key":null,"headers":null,"value":[]}""", Json, 1),
            ("""{"messages":[{"value":1},{"key":"k","value":{}}]}""", Json, 2), ("{\"value\":1}\n\n{\"value\":2}\r\n{\"value\":3}", Lines, 3),
            ("{\"value\":1}\n", "application/jsonl; charset=utf-8", 1),
        })
        {
            JsonElement answer = await node.SendAsync("notifications", body, type: type);
            Assert.Equal(count, answer.GetProperty("positions").GetArrayLength());
            Assert.Equal(count == 1, answer.TryGetProperty("offset", out _));
        }

        JsonElement packed = await node.SendAsync("notifications", """{"value":1}""", coding: "gzip");
        Assert.Equal(1, packed.GetProperty("positions").GetArrayLength());
        foreach (string wrong in new[]
        {
            "", "{", "[]", "{}", """{"value":1,"kye":"a"}""", """{"value":1} x""", """{"messages":[]}""", """{"messages":[{"value":1}],"key":"a"}""",
            """{"key":1,"value":1}""", """{"headers":{"a":1},"value":1}""", """{"value":1,"value":2}""",
            $$"""{"key":"{{new string('k', 1025)}}","value":1}""",
        })
        {
            Assert.Contains("Nothing was taken", (await node.SendAsync("notifications", wrong, 400)).GetProperty("error").GetString());
        }

        Assert.Contains("userId is missing", (await node.SendAsync("user-activity", """{"action":"a"}""", 400)).GetProperty("error").GetString());
        Assert.Contains("value must be a number",
            (await node.SendAsync("metric", """{"metricName":"a","value":"x"}""", 400)).GetProperty("error").GetString());
        await node.SendAsync("a b", """{"value":1}""", 400);
        await node.SendAsync("none", """{"value":1}""", 404);
        await node.SendAsync("notifications", """{"value":1}""", 413, contentOf: 3000);
        await node.SendAsync("notifications", """{"value":1}""", 415, coding: "zstd");
        await node.SendAsync("notifications", """{"value":1}""", 400, ("Idempotency-Key", new string('k', 256)));
    }

    [Fact]
    public async Task An_idempotency_key_gives_the_same_positions_and_refuses_another_body()
    {
        await using Node node = await Node.StartAsync();
        JsonElement first = await node.SendAsync("notifications", """{"key":"a","value":1}""", 200, ("Idempotency-Key", "one"));
        JsonElement again = await node.SendAsync("notifications", """{"key":"a","value":1}""", 200, ("Idempotency-Key", "one"));
        Assert.Equal(first.ToString(), again.ToString());
        await node.SendAsync("notifications", """{"key":"a","value":2}""", 422, ("Idempotency-Key", "one"));
    }

    [Fact]
    public async Task A_key_sends_to_its_topics_alone_and_no_more_than_it_may()
    {
        await using Node node = await Node.StartAsync(keys: """
            {"keys":[{"name":"few","sha256":"HASH","topics":["notifications"],"rate":1,"burst":2}]}
            """);
        await node.SendAsync("notification", """{"type":"a","message":"b"}""", 200, ("X-Api-Key", Node.Key));
        await node.SendAsync("metric", """{"metricName":"a","value":1}""", 403, ("X-Api-Key", Node.Key));
        await node.SendAsync("notification", """{"type":"a","message":"b"}""", 401);
        await node.SendAsync("notification", """{"type":"a","message":"b"}""", 401, ("X-Api-Key", "estat_wrong"));
        await node.SendAsync("notifications", """{"messages":[{"value":1},{"value":2},{"value":3}]}""", 429, ("X-Api-Key", Node.Key));
    }

    [Fact]
    public async Task A_full_log_says_that_nothing_was_taken()
    {
        await using Node node = await Node.StartAsync(
            ("TOPICS_MAX_SIZE_BYTES", "1048576"), ("TOPICS_SEGMENT_BYTES", "1048576"), ("TOPICS_MAX_BODY_SIZE", "1048576"),
            ("TOPICS_MAX_MESSAGE_BYTES", "1048576"));
        string large = $$"""{"value":"{{new string('x', 600_000)}}"}""";
        await node.SendAsync("notifications", large);
        await node.SendAsync("notifications", large);
        JsonElement refused = await node.SendAsync("notifications", """{"value":1}""", 503);
        Assert.Equal("urn:estat:problem:not-taken", refused.GetProperty("type").GetString());
        Assert.Contains("TOPICS_MAX_SIZE_BYTES", refused.GetProperty("detail").GetString());
    }

    [Fact]
    public async Task A_topic_that_cannot_be_made_is_404_however_often_it_is_tried()
    {
        await using Node node = await Node.StartAsync(("TOPICS_AUTO_CREATE", "true"), ("TOPICS_MAX_TOPICS", "5"));
        await node.SendAsync("fifth", """{"value":1}""");
        JsonElement refused = await node.SendAsync("sixth", """{"value":1}""", 404);
        Assert.Contains("TOPICS_MAX_TOPICS", refused.GetProperty("detail").GetString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_wrong_line_is_named_by_type_and_number()
    {
        await using Node node = await Node.StartAsync();
        foreach (string wrong in new[]
        {
            "not json", "[]", """{"value":1,"x":2}""", """{"value":1} x""", """{"\ud800":1}""", """{"key":1,"value":1}""",
        })
        {
            JsonElement refused = await node.SendAsync("notifications", "{\"value\":1}\n\n" + wrong, 400, Lines);
            Assert.Equal(("urn:estat:problem:bad-line", 3), (refused.GetProperty("type").GetString(), refused.GetProperty("line").GetInt32()));
        }

        JsonElement other = await node.SendAsync("notifications", "{", 400);
        Assert.Equal("urn:estat:problem", other.GetProperty("type").GetString());
        Assert.False(other.TryGetProperty("line", out _));
    }

    [Fact]
    public async Task What_is_wrong_with_a_body_is_said_in_the_words_of_what_was_asked()
    {
        await using Node node = await Node.StartAsync();
        Assert.EndsWith(
            "Invalid chunk size. Nothing was taken.", await node.SendBadChunkAsync("POST /api/produce/notifications"), StringComparison.Ordinal);
        Assert.EndsWith(
            "Invalid chunk size.", await node.SendBadChunkAsync("PATCH /api/errors/00000000-0000-8000-8000-000000000000"), StringComparison.Ordinal);
    }

    // Without a database: nothing here needs one.
    private sealed class Node : IAsyncDisposable
    {
        internal const string Key = "estat_0123456789abcdef0123456789abcdef";
        private readonly TempFolder _folder = new();
        private ServerProcess _process = null!;
        private ContractJudge _contract = null!;

        internal static Task<Node> StartAsync(params (string Name, string Value)[] options) => StartAsync(null, options);

        internal static async Task<Node> StartAsync(string? keys, params (string Name, string Value)[] options)
        {
            var node = new Node();
            var all = new Dictionary<string, string>
            {
                ["SERVE"] = "topics", ["TOPICS_SINK"] = "false", ["TOPICS_DIR"] = node._folder["topics"], ["TOPICS_MAX_BODY_SIZE"] = "2000",
                ["TOPICS_MAX_MESSAGE_BYTES"] = "2000",
            };
            if (keys is not null)
            {
                await File.WriteAllTextAsync(
                    node._folder["keys.json"],
                    keys.Replace("HASH", Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(Key))), StringComparison.Ordinal));
                all["WRITE_KEYS_FILE"] = node._folder["keys.json"];
            }

            foreach ((string name, string value) in options)
            {
                all[name] = value;
            }

            node._process = await ServerProcess.StartAsync(all);
            node._contract = new ContractJudge(
                JsonNode.Parse(await node._process.Client.GetStringAsync(new Uri("/openapi.json", UriKind.Relative)))!);
            return node;
        }

        internal Task<JsonElement> SendAsync(string topic, string body, int status = 200, params (string Name, string Value)[] headers) =>
            SendAsync(topic, body, status, Json, null, headers: headers);

        internal async Task<JsonElement> SendAsync(
            string topic, string body, int status = 200, string type = Json, string? coding = null, int contentOf = 0,
            (string Name, string Value)[]? headers = null)
        {
            byte[] bytes = Encoding.UTF8.GetBytes(body + new string(' ', contentOf));
            using var request = new HttpRequestMessage(HttpMethod.Post, new Uri($"/api/produce/{Uri.EscapeDataString(topic)}", UriKind.Relative))
            {
                Content = new ByteArrayContent(coding == "gzip" ? Pack(bytes) : bytes),
            };
            request.Content.Headers.ContentType = MediaTypeHeaderValue.Parse(type);
            if (coding is not null)
            {
                request.Content.Headers.ContentEncoding.Add(coding);
            }

            foreach ((string name, string value) in headers ?? [])
            {
                request.Headers.TryAddWithoutValidation(name, value);
            }

            using HttpResponseMessage answer = await _process.Client.SendAsync(request);
            string text = await answer.Content.ReadAsStringAsync();
            Assert.True((int)answer.StatusCode == status, $"{topic} {body[..Math.Min(80, body.Length)]}: {(int)answer.StatusCode} {text}");
            _contract.Judge("POST", $"/api/produce/{topic}", answer, text);
            using var json = JsonDocument.Parse(text);
            return json.RootElement.Clone();
        }

        /// <summary>The detail of the answer to a body whose chunk is larger than any number.</summary>
        internal async Task<string> SendBadChunkAsync(string request)
        {
            using var client = new System.Net.Sockets.TcpClient();
            await client.ConnectAsync(_process.BaseAddress.Host, _process.BaseAddress.Port);
            await using System.Net.Sockets.NetworkStream stream = client.GetStream();
            await stream.WriteAsync(Encoding.ASCII.GetBytes(
                $"{request} HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
                + "FFFFFFFF\r\n"));
            using var reader = new StreamReader(stream);
            string answer = await reader.ReadToEndAsync();
            using var json = JsonDocument.Parse(answer[answer.IndexOf('{', StringComparison.Ordinal)..]);
            return json.RootElement.GetProperty("detail").GetString()!;
        }

        public async ValueTask DisposeAsync()
        {
            await _process.DisposeAsync();
            _folder.Dispose();
        }

        private static byte[] Pack(byte[] bytes)
        {
            using var packed = new MemoryStream();
            using (var gzip = new GZipStream(packed, CompressionLevel.Fastest))
            {
                gzip.Write(bytes);
            }

            return packed.ToArray();
        }
    }
}
