// POST /collect: what was sent comes back, however it was sent.
using System.IO.Compression;
using System.Net;
using System.Text;
using Estat.Testing;

namespace Estat.Api.Tests.Http;

public sealed class CollectTests
{
    public static TheoryData<string> BodyNames => [.. Bodies.All.Keys];

    [Theory]
    [MemberData(nameof(BodyNames))]
    public async Task A_body_is_stored_as_it_was_sent(string name)
    {
        byte[] body = Bodies.All[name];
        await using RunningServer server = await RunningServer.StartAsync();

        using var content = new ByteArrayContent(body);
        using HttpResponseMessage answer = await server.Client.PostAsync(new Uri("/collect", UriKind.Relative), content);

        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        Assert.Empty(await answer.Content.ReadAsByteArrayAsync());
        Assert.Equal("disk", Assert.Single(answer.Headers.GetValues("X-Estat-Ack")));
        Assert.Equal([Bodies.Stored(body)], await server.DrainBodiesAsync());
    }

    [Theory]
    [InlineData("text/plain; charset=euc-kr", 51949, true)]
    [InlineData("text/plain; charset=\"UTF-16\"", 1200, true)]
    [InlineData("text/plain; charset=utf-16", 1201, true)] // with a byte order mark, which is no part of the text
    [InlineData("text/plain;charset=ISO-8859-1", 51949, false)] // what a client calls its bytes is what they are
    [InlineData("text/plain;charset=UTF-8", 65001, true)]
    [InlineData("text/plain;charset='utf-8'", 65001, true)]
    [InlineData("text/plain", 65001, true)]
    public async Task A_body_is_stored_as_the_text_that_it_is_in_the_charset_of_its_Content_Type(string mediaType, int codePage, bool isTrue)
    {
        const string Event = "{\"상품\":\"가방\"}";
        Encoding charset = CodePagesEncodingProvider.Instance.GetEncoding(codePage) ?? Encoding.GetEncoding(codePage);
        byte[] body = [.. codePage == 1201 ? charset.Preamble.ToArray() : [], .. charset.GetBytes(Event)];
        await using RunningServer server = await RunningServer.StartAsync();
        foreach (string coding in new[] { "identity", "gzip" })
        {
            using var content = new ByteArrayContent(Encoded.As(coding, body));
            content.Headers.TryAddWithoutValidation("Content-Type", mediaType);
            content.Headers.ContentEncoding.Add(coding);
            using HttpResponseMessage answer = await server.Client.PostAsync(new Uri("/collect", UriKind.Relative), content);
            Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        }

        string stored = isTrue ? Event : Encoding.Latin1.GetString(body);
        Assert.Equal([stored, stored], await server.DrainBodiesAsync());
    }

    [Fact]
    public async Task A_body_in_a_charset_that_is_not_known_is_415_and_not_stored()
    {
        await using RunningServer server = await RunningServer.StartAsync();
        using var content = new ByteArrayContent("x"u8.ToArray());
        content.Headers.TryAddWithoutValidation("Content-Type", "text/plain; charset=klingon");

        using HttpResponseMessage answer = await server.Client.PostAsync(new Uri("/collect", UriKind.Relative), content);

        Assert.Equal(HttpStatusCode.UnsupportedMediaType, answer.StatusCode);
        Assert.Contains("UTF-8", await Problems.DetailOfAsync(answer), StringComparison.Ordinal);
        Assert.Empty(await server.DrainBodiesAsync());
    }

    [Fact]
    public Task Bodies_sent_in_chunks_are_stored_whole() => EveryBodyArrivesAsync(async (connection, body) =>
    {
        await connection.SendAsync(RawHttp.Post("Transfer-Encoding: chunked\r\n"));
        foreach (byte[] chunk in body.Chunk(Math.Max(1, body.Length / 7)))
        {
            await connection.SendAsync($"{chunk.Length:X};name=value\r\n");
            await connection.SendAsync(chunk);
            await connection.SendAsync("\r\n");
        }

        await connection.SendAsync("0\r\nTrailer: ignored\r\n\r\n");
    });

    [Fact]
    public Task Bodies_sent_a_few_bytes_at_a_time_are_stored_whole() => EveryBodyArrivesAsync(async (connection, body) =>
    {
        byte[] request = [.. Encoding.Latin1.GetBytes(RawHttp.Post($"Content-Length: {body.Length}\r\n")), .. body];
        foreach (byte[] piece in request.Chunk(Math.Max(3, request.Length / 300)))
        {
            await connection.SendAsync(piece);
        }
    });

    [Fact]
    public Task Bodies_announced_with_Expect_are_asked_for_and_stored() => EveryBodyArrivesAsync(async (connection, body) =>
    {
        await connection.SendAsync(RawHttp.Post($"Content-Length: {body.Length}\r\nExpect: 100-continue\r\n"));
        Assert.Equal(100, (await connection.ReadAnswerAsync()).Status);
        await connection.SendAsync(body);
    });

    [Theory]
    [InlineData("gzip")]
    [InlineData("x-gzip")]
    [InlineData("GZIP")]
    [InlineData("br")]
    [InlineData("identity")]
    public Task Encoded_bodies_are_stored_decoded(string coding) => EveryBodyArrivesAsync(async (connection, body) =>
    {
        byte[] encoded = Encoded.As(coding, body);
        await connection.SendAsync(RawHttp.Post($"Content-Encoding: {coding}\r\nContent-Length: {encoded.Length}\r\n"));
        await connection.SendAsync(encoded);
    });

    [Fact]
    public async Task Pipelined_requests_are_answered_and_stored_in_order()
    {
        const int Count = 500;
        await using RunningServer server = await RunningServer.StartAsync();
        using RawHttp connection = await server.ConnectAsync();

        await connection.SendAsync(string.Concat(Enumerable.Range(0, Count).Select(i =>
            i % 3 == 2 ? RawHttp.Post("Transfer-Encoding: chunked\r\n") + $"{$"event {i}".Length:x}\r\nevent {i}\r\n0\r\n\r\n"
                : RawHttp.Post($"Content-Length: {$"event {i}".Length}\r\n") + $"event {i}")));

        for (int i = 0; i < Count; i++)
        {
            Assert.Equal(200, (await connection.ReadAnswerAsync()).Status);
        }

        Assert.Equal(Enumerable.Range(0, Count).Select(i => $"event {i}"), await server.DrainBodiesAsync());
    }

    [Fact]
    public async Task A_client_of_HTTP_1_0_is_served()
    {
        await using RunningServer server = await RunningServer.StartAsync();
        using RawHttp connection = await server.ConnectAsync();

        await connection.SendAsync("POST /collect HTTP/1.0\r\nContent-Length: 3\r\n\r\nold");

        Assert.Equal(200, (await connection.ReadAnswerAsync()).Status);
        await connection.UntilClosedAsync();
        Assert.Equal(["old"], await server.DrainBodiesAsync());
    }

    [Fact]
    public async Task Random_bytes_are_stored_as_the_text_that_they_are()
    {
        var random = new Random(20260101);
        var bodies = new List<byte[]>();
        for (int i = 0; i < 400; i++)
        {
            // Half of them mostly ASCII, so that the seams between valid and invalid are met as well.
            var body = new byte[1 + random.Next(200)];
            random.NextBytes(body);
            bodies.Add(i % 2 == 0 ? body : [.. body.Select(value => value < 0xC0 ? (byte)(value & 0x7F) : value)]);
        }

        await using RunningServer server = await RunningServer.StartAsync();
        foreach (byte[] body in bodies)
        {
            Assert.Equal(HttpStatusCode.OK, await server.PostAsync(body));
        }

        Assert.Equal(bodies.Select(Bodies.Stored), await server.DrainBodiesAsync());
    }

    [Theory]
    [InlineData("a continuation byte alone", new byte[] { (byte)'a', 0x80, (byte)'b' })]
    [InlineData("an overlong slash", new byte[] { 0xC0, 0xAF })]
    [InlineData("an overlong NUL", new byte[] { 0xE0, 0x80, 0x80, (byte)'x' })]
    [InlineData("a surrogate pair in CESU-8", new byte[] { 0xED, 0xA0, 0xBD, 0xED, 0xB8, 0x80 })]
    [InlineData("beyond Unicode", new byte[] { 0xF4, 0x90, 0x80, 0x80, (byte)'x' })]
    [InlineData("five bytes", new byte[] { 0xF8, 0x88, 0x80, 0x80, 0x80 })]
    [InlineData("cut off after two of three", new byte[] { (byte)'"', 0xED, 0x95 })]
    [InlineData("cut off after three of four", new byte[] { 0xF0, 0x9F, 0x98, (byte)'"' })]
    [InlineData("UTF-16", new byte[] { 0xFF, 0xFE, (byte)'a', 0, (byte)'b', 0 })]
    [InlineData("Korean in EUC-KR", new byte[] { 0xC7, 0xD1, 0xB1, 0xDB })]
    public async Task Each_bad_sequence_becomes_one_replacement_character(string what, byte[] body)
    {
        await using RunningServer server = await RunningServer.StartAsync();

        Assert.Equal(HttpStatusCode.OK, await server.PostAsync(body));

        StoredEvent stored = Assert.Single(await server.DrainAsync());
        Assert.True(Encoding.UTF8.GetString(body) == stored.Body, $"{what}: {stored.RawLine}");
        Assert.Contains('\uFFFD', stored.Body);
    }

    [Fact]
    public async Task One_byte_over_MAX_BODY_SIZE_is_413_however_it_is_sent()
    {
        byte[] body = new byte[Bodies.Largest + 1];
        Random.Shared.NextBytes(body);
        await using RunningServer server = await RunningServer.StartAsync();

        async Task Refused(string headers, params byte[][] parts)
        {
            using RawHttp connection = await server.ConnectAsync();
            await connection.SendAsync(RawHttp.Post(headers));
            foreach (byte[] part in parts)
            {
                await connection.SendAsync(part);
            }

            RawAnswer answer = await connection.ReadAnswerAsync();
            Assert.Equal(413, answer.Status);
            Assert.Contains("16384", answer.Detail, StringComparison.Ordinal);
        }

        await Refused($"Content-Length: {body.Length}\r\n", body);
        await Refused("Transfer-Encoding: chunked\r\n", Encoding.Latin1.GetBytes($"{body.Length:x}\r\n"), body, "\r\n0\r\n\r\n"u8.ToArray());
        foreach (string coding in new[] { "gzip", "br" })
        {
            // Small as sent, too large decoded; and too large as sent.
            byte[] small = Encoded.As(coding, new byte[Bodies.Largest + 1]);
            await Refused($"Content-Encoding: {coding}\r\nContent-Length: {small.Length}\r\n", small);
            byte[] large = Encoded.As(coding, body);
            Assert.True(large.Length > Bodies.Largest);
            await Refused($"Content-Encoding: {coding}\r\nTransfer-Encoding: chunked\r\n",
                Encoding.Latin1.GetBytes($"{large.Length:x}\r\n"), large, "\r\n0\r\n\r\n"u8.ToArray());
        }

        Assert.Equal(HttpStatusCode.OK, await server.PostAsync("good"));
        Assert.Equal(["good"], await server.DrainBodiesAsync());
    }

    [Fact]
    public async Task A_body_that_is_announced_as_too_large_is_refused_before_it_is_sent()
    {
        await using RunningServer server = await RunningServer.StartAsync();
        using RawHttp connection = await server.ConnectAsync();

        await connection.SendAsync(RawHttp.Post("Content-Length: 16385\r\nExpect: 100-continue\r\n"));

        Assert.Equal(413, (await connection.ReadAnswerAsync()).Status);
        Assert.Empty(await server.DrainAsync());
    }

    [Theory]
    [InlineData("/collect", 1 << 20)]
    [InlineData("/collect", 9 << 20)]
    [InlineData("/collect/batch", 9 << 20)]
    [InlineData("/collect/batch", 20 << 20)]
    public async Task A_client_that_sends_all_of_a_far_too_large_body_still_gets_its_413(string path, int size)
    {
        await using RunningServer server = await RunningServer.StartAsync();
        foreach (bool isChunked in new[] { false, true })
        {
            using var request = new HttpRequestMessage(HttpMethod.Post, path) { Content = new ByteArrayContent(new byte[size]) };
            request.Headers.TransferEncodingChunked = isChunked;
            using HttpResponseMessage answer = await server.Client.SendAsync(request);
            Assert.Equal(HttpStatusCode.RequestEntityTooLarge, answer.StatusCode);
            await Problems.DetailOfAsync(answer);
        }
    }

    [Fact]
    public async Task MAX_BODY_SIZE_can_be_set()
    {
        await using RunningServer server = await RunningServer.StartAsync(options => options with
        {
            Collect = options.Collect with { MaxBodySize = 10 },
        });

        Assert.Equal(HttpStatusCode.OK, await server.PostAsync("0123456789"));
        Assert.Equal(HttpStatusCode.RequestEntityTooLarge, await server.PostAsync("0123456789x"));
        Assert.Equal(["0123456789"], await server.DrainBodiesAsync());
    }

    [Fact]
    public async Task Events_of_many_clients_are_each_stored_once_and_only_in_sealed_objects()
    {
        const int Clients = 16;
        const int EventsEach = 250;
        await using RunningServer server = await RunningServer.StartAsync(options => options with
        {
            Collect = options.Collect with { Partitions = 4, BatchSize = 300 },
        });

        await Task.WhenAll(Enumerable.Range(0, Clients).Select(async client =>
        {
            for (int i = 0; i < EventsEach; i++)
            {
                Assert.Equal(HttpStatusCode.OK, await server.PostAsync($"{client}/{i}"));
            }
        }));

        IReadOnlyList<string> stored = await server.DrainBodiesAsync();
        Assert.Equal(
            Enumerable.Range(0, Clients).SelectMany(client => Enumerable.Range(0, EventsEach).Select(i => $"{client}/{i}"))
                .Order(StringComparer.Ordinal),
            stored.Order(StringComparer.Ordinal));
        Assert.All(StoredEvents.ObjectsFromFolder(server.StorageDir), stored => Assert.InRange(stored.Events.Count, 1, 300));
    }

    [Fact]
    public async Task An_event_is_stored_after_FLUSH_INTERVAL_without_any_more_of_them()
    {
        await using RunningServer server = await RunningServer.StartAsync(options => options with
        {
            Collect = options.Collect with { FlushInterval = TimeSpan.FromMilliseconds(50) },
        });

        Assert.Equal(HttpStatusCode.OK, await server.PostAsync("alone"));

        await Wait.UntilAsync(() => StoredEvents.FromFolder(server.StorageDir).Count == 1, TimeSpan.FromSeconds(20), "the event's object");
    }

    // Sends every body on one connection, each after the answer to the one before.
    private static async Task EveryBodyArrivesAsync(Func<RawHttp, byte[], Task> send)
    {
        await using RunningServer server = await RunningServer.StartAsync();
        using RawHttp connection = await server.ConnectAsync();
        foreach ((string name, byte[] body) in Bodies.All)
        {
            await send(connection, body);
            int status = (await connection.ReadAnswerAsync()).Status;
            Assert.True(status == 200, $"{name}: {status}");
        }

        Assert.Equal(Bodies.All.Values.Select(Bodies.Stored), await server.DrainBodiesAsync());
    }
}

/// <summary>Compressed bodies.</summary>
internal static class Encoded
{
    internal static byte[] As(string coding, byte[] body)
    {
        using var encoded = new MemoryStream();
        switch (coding.ToUpperInvariant())
        {
            case "GZIP" or "X-GZIP":
                using (var gzip = new GZipStream(encoded, CompressionLevel.Fastest, leaveOpen: true))
                {
                    gzip.Write(body);
                }

                break;
            case "BR":
                using (var brotli = new BrotliStream(encoded, CompressionLevel.Fastest, leaveOpen: true))
                {
                    brotli.Write(body);
                }

                break;
            default:
                encoded.Write(body);
                break;
        }

        return encoded.ToArray();
    }

    internal static byte[] As(string coding, string body) => As(coding, Encoding.UTF8.GetBytes(body));
}
