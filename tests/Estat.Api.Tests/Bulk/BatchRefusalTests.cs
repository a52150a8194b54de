// POST /collect/batch: what is not taken, and that it leaves no event behind.
using System.Text;
using System.Text.Json;
using Estat.Api.Tests.Http;

namespace Estat.Api.Tests.Bulk;

public sealed class BatchRefusalTests
{
    [Theory]
    [InlineData("""[{"a":1},{"a":2}""")]
    [InlineData("""[{"a":1},{"a":""")]
    [InlineData("""[{"a":1},""")]
    [InlineData("""[{"a":1},]""")]
    [InlineData("""[{"a":1} {"a":2}]""")]
    [InlineData("""[{"a":1},,{"a":2}]""")]
    [InlineData("""[{"a":1}]]""")]
    [InlineData("""[{"a":1}][{"a":2}]""")]
    [InlineData("""[{"a":1}] trailing""")]
    [InlineData("""[{"a":1}},{"a":2}]""")]
    [InlineData("""[{"a":1},{a:2}]""")]
    [InlineData("""[{"a":1},{'a':2}]""")]
    [InlineData("""[{"a":1},undefined]""")]
    [InlineData("""[{"a":1},NaN]""")]
    [InlineData("""[{"a":1},01]""")]
    [InlineData("""[{"a":1},"\x"]""")]
    [InlineData("[\"a\",\"b\nc\"]")]
    [InlineData("[1,/* comment */2]")]
    [InlineData("[1\0]")]
    [InlineData("[")]
    [InlineData("""{"a":1}{"a":2""")]
    [InlineData("""{"a":1},{"a":2}""")]
    [InlineData("""{"a":1}}{"a":2}""")]
    [InlineData("{\"a\":1}\na line that is no JSON")]
    [InlineData("1\0")]
    [InlineData(" \n")]
    public async Task A_broken_array_is_400_and_nothing_of_it_is_stored(string body)
    {
        await using RunningServer server = await RunningServer.StartAsync();

        (int status, string detail) = await server.PostBatchAsync(Encoding.UTF8.GetBytes(body), "application/json");

        Assert.Equal(400, status);
        Assert.Contains("Nothing was taken", detail, StringComparison.Ordinal);
        await StoresOnlyWhatIsGoodAsync(server);
    }

    [Fact]
    public async Task Gzip_that_does_not_say_so_is_400_instead_of_one_garbled_event()
    {
        await using RunningServer server = await RunningServer.StartAsync();

        (int status, string detail) = await server.PostBatchAsync(Encoded.As("gzip", "{\"a\":1}\n{\"a\":2}"));

        Assert.Equal(400, status);
        Assert.Contains("Content-Encoding", detail, StringComparison.Ordinal);
        await StoresOnlyWhatIsGoodAsync(server);
    }

    [Theory]
    [InlineData("425A6839314159265359", "bzip2")]
    [InlineData("28B52FFD0458", "zstd")]
    [InlineData("FD377A585A000004", "xz")]
    [InlineData("377ABCAF271C0004", "7z")]
    [InlineData("504B030414000000", "zip")]
    [InlineData("04224D186440A7", "lz4")]
    [InlineData("FF060000734E61507059", "snappy")]
    [InlineData("504152311504152C", "Parquet")]
    [InlineData("4F626A0104166176", "Avro")]
    [InlineData("4152524F57310000FFFFFFFF", "Arrow")]
    [InlineData("7B002200640022003A0031007D000A00", "UTF-16")]
    [InlineData("007B00220064", "UTF-16")]
    public async Task What_is_recognisably_something_else_is_415_instead_of_garbled_events(string hex, string name)
    {
        await using RunningServer server = await RunningServer.StartAsync();
        byte[] body = [.. Convert.FromHexString(hex), .. "\nmore\n"u8];

        (int status, string detail) = await server.PostBatchAsync(body, "application/x-ndjson");
        (int packed, string packedDetail) = await server.PostBatchAsync(Encoded.As("gzip", body), "application/x-ndjson", "gzip");

        Assert.Equal((415, 415), (status, packed));
        Assert.Contains(name, detail, StringComparison.Ordinal);
        Assert.Equal(detail, packedDetail);
        await StoresOnlyWhatIsGoodAsync(server);
    }

    [Fact]
    public async Task A_tar_is_415_instead_of_garbled_events()
    {
        await using RunningServer server = await RunningServer.StartAsync();
        using var tar = new MemoryStream();
        await using (var writer = new System.Formats.Tar.TarWriter(tar, leaveOpen: true))
        {
            await writer.WriteEntryAsync(new System.Formats.Tar.PaxTarEntry(
                System.Formats.Tar.TarEntryType.RegularFile, "a.ndjson") { DataStream = new MemoryStream("{}\n"u8.ToArray()) });
        }

        (int status, string detail) = await server.PostBatchAsync(tar.ToArray());

        Assert.Equal(415, status);
        Assert.Contains("tar", detail, StringComparison.Ordinal);
        await StoresOnlyWhatIsGoodAsync(server);
    }

    [Theory]
    [InlineData("text/plain; charset=klingon")]
    [InlineData("application/x-ndjson; charset=utf-7")]
    public async Task A_charset_that_is_not_known_is_415_and_what_to_send_is_told(string mediaType)
    {
        await using RunningServer server = await RunningServer.StartAsync();

        (int status, string detail) = await server.PostBatchAsync("a\nb"u8.ToArray(), mediaType);

        Assert.Equal(415, status);
        Assert.Contains("UTF-8", detail, StringComparison.Ordinal);
        await StoresOnlyWhatIsGoodAsync(server);
    }

    [Fact]
    public async Task A_batch_that_is_over_its_limit_as_UTF_8_is_413()
    {
        const int Limit = 30_000;
        await using RunningServer server = await RunningServer.StartAsync(options => options with
        {
            Collect = options.Collect with { MaxBatchBodySize = Limit, MaxBodySize = Limit },
        });
        byte[] Body(int characters) => [0xFF, 0xFE, .. Encoding.Unicode.GetBytes(new string('한', characters))];

        Assert.Equal(200, (await server.PostBatchAsync(Body(Limit / 3))).Status);
        Assert.Equal(413, (await server.PostBatchAsync(Body((Limit / 3) + 1))).Status);

        Assert.Equal([new string('한', Limit / 3)], await server.DrainBodiesAsync());
    }

    [Fact]
    public async Task An_array_that_nests_without_end_is_400()
    {
        await using RunningServer server = await RunningServer.StartAsync();

        Assert.Equal(400, (await server.PostBatchAsync(Encoding.ASCII.GetBytes(new string('[', 1_000_000)))).Status);

        await StoresOnlyWhatIsGoodAsync(server);
    }

    [Theory]
    [InlineData("")]
    [InlineData("\n")]
    [InlineData(" \r\n\t\r\n")]
    [InlineData("\uFEFF")]
    public async Task A_batch_without_an_event_is_400(string body)
    {
        await using RunningServer server = await RunningServer.StartAsync();

        (int status, string detail) = await server.PostBatchAsync(Encoding.UTF8.GetBytes(body));

        Assert.Equal(400, status);
        Assert.Contains("empty", detail, StringComparison.Ordinal);
        await StoresOnlyWhatIsGoodAsync(server);
    }

    [Theory]
    [InlineData("gzip")]
    [InlineData("br")]
    public async Task Compressed_data_that_is_cut_off_anywhere_is_400(string coding)
    {
        byte[] whole = Encoded.As(coding, string.Join('\n', Enumerable.Range(0, 40).Select(i => $"event {i * 7919}")));
        await using RunningServer server = await RunningServer.StartAsync();
        for (int length = 1; length < whole.Length; length++)
        {
            (int status, string detail) = await server.PostBatchAsync(whole[..length], coding: coding);
            Assert.True(status == 400, $"{length} of {whole.Length} bytes: {status} {detail}");
        }

        await StoresOnlyWhatIsGoodAsync(server);
    }

    [Theory]
    [InlineData("gzip")]
    [InlineData("br")]
    public async Task Compressed_data_that_is_damaged_or_goes_on_is_400(string coding)
    {
        byte[] whole = Encoded.As(coding, string.Join('\n', Enumerable.Range(0, 200).Select(i => $"event {i * 7919}")));
        byte[] damaged = [.. whole];
        damaged[whole.Length / 2] ^= 0x55;
        await using RunningServer server = await RunningServer.StartAsync();

        Assert.Equal(400, (await server.PostBatchAsync("no compressed data"u8.ToArray(), coding: coding)).Status);
        foreach (byte[] more in new byte[][] { [0, 1, 2, 3, 4, 5, 6, 7], [0], new byte[512], [0x1F], [0x1F, 0x8B], whole[..^1],
            whole[..10], whole[..2] })
        {
            Assert.Equal(400, (await server.PostBatchAsync([.. whole, .. more], coding: coding)).Status);
        }

        if (coding == "br")
        {
            Assert.Equal(400, (await server.PostBatchAsync([.. whole, .. whole], coding: coding)).Status);
        }
        else
        {
            // br has no check sum: what is damaged may decode to something else.
            Assert.Equal(400, (await server.PostBatchAsync(damaged, coding: coding)).Status);
        }

        await StoresOnlyWhatIsGoodAsync(server);
    }

    [Theory]
    [InlineData("deflate")]
    [InlineData("zstd")]
    [InlineData("gzip, gzip")]
    [InlineData("nonsense")]
    public async Task An_unknown_encoding_is_415_and_told_the_known_ones(string coding)
    {
        await using RunningServer server = await RunningServer.StartAsync();

        Assert.Equal(415, (await server.PostBatchAsync("x"u8.ToArray(), coding: coding)).Status);

        await StoresOnlyWhatIsGoodAsync(server);
    }

    [Theory]
    [InlineData("identity")]
    [InlineData("gzip")]
    [InlineData("br")]
    public async Task A_batch_over_its_limit_is_413_and_one_at_it_is_not(string coding)
    {
        const int Limit = 100_000;
        await using RunningServer server = await RunningServer.StartAsync(options => options with
        {
            Collect = options.Collect with { MaxBatchBodySize = Limit },
        });
        string largest = string.Concat(Enumerable.Repeat("0123456789ABCDEFGHI\n", Limit / 20));

        Assert.Equal(200, (await server.PostBatchAsync(Encoded.As(coding, largest), coding: coding)).Status);
        (int status, string detail) = await server.PostBatchAsync(Encoded.As(coding, largest + "\n"), coding: coding);

        Assert.Equal(413, status);
        Assert.Contains("100000", detail, StringComparison.Ordinal);
        Assert.Equal(Limit / 20, (await server.DrainAsync()).Count);
    }

    [Theory]
    [InlineData("gzip")]
    [InlineData("br")]
    public async Task A_bomb_is_413_and_costs_no_memory(string coding)
    {
        byte[] bomb = Encoded.As(coding, new byte[200 << 20]);
        Assert.True(bomb.Length < 4 << 20);
        // room for all, from one address
        await using RunningServer server = await RunningServer.StartAsync(options => options with
        {
            Http = options.Http with { InflightBytes = 256 << 20 },
        });
        long before = GC.GetTotalMemory(forceFullCollection: true);

        await Task.WhenAll(Enumerable.Range(0, 4).Select(async _ =>
            Assert.Equal(413, (await server.PostBatchAsync(bomb, coding: coding)).Status)));

        Assert.True(GC.GetTotalMemory(forceFullCollection: true) - before < 100 << 20);
        await StoresOnlyWhatIsGoodAsync(server);
    }

    [Theory]
    [InlineData("{0}\n{1}\n{0}\n{1}\n{0}")]
    [InlineData("\n\n{0}\n\n{1}\n{0}\n{1}\n{0}\n")]
    [InlineData("[{0},{1},{0},{1},{0}]")]
    public async Task Too_large_events_are_rejected_by_index_and_the_others_taken(string form)
    {
        string good = "\"" + new string('g', Bodies.Largest - 2) + "\"";
        string large = "\"" + new string('l', Bodies.Largest - 1) + "\"";
        await using RunningServer server = await RunningServer.StartAsync();

        (int status, string answer) = await server.PostBatchAsync(
            Encoding.UTF8.GetBytes(form.Replace("{0}", good, StringComparison.Ordinal).Replace("{1}", large, StringComparison.Ordinal)));

        Assert.Equal(200, status);
        using var result = JsonDocument.Parse(answer);
        Assert.Equal(3, result.RootElement.GetProperty("accepted").GetInt32());
        JsonElement[] rejected = [.. result.RootElement.GetProperty("rejected").EnumerateArray()];
        Assert.Equal([1, 3], rejected.Select(event_ => event_.GetProperty("index").GetInt32()));
        Assert.All(rejected, event_ => Assert.Contains("MAX_BODY_SIZE", event_.GetProperty("reason").GetString(), StringComparison.Ordinal));
        Assert.Equal([good, good, good], await server.DrainBodiesAsync());
    }

    [Fact]
    public async Task A_batch_all_of_whose_events_are_rejected_says_so()
    {
        await using RunningServer server = await RunningServer.StartAsync(options => options with
        {
            Collect = options.Collect with { MaxBodySize = 3 },
        });

        (int status, string answer) = await server.PostBatchAsync("long\nlonger"u8.ToArray());

        Assert.Equal(200, status);
        using var result = JsonDocument.Parse(answer);
        Assert.Equal(0, result.RootElement.GetProperty("accepted").GetInt32());
        Assert.Equal(2, result.RootElement.GetProperty("rejected").GetArrayLength());
        Assert.Empty(await server.DrainAsync());
    }

    [Theory]
    [InlineData(2_000_000, "a\n")] // 2 bytes become a line of some 60
    [InlineData(250, "\u0001")] // a byte becomes 6
    public async Task A_batch_whose_lines_never_fit_INFLIGHT_BYTES_is_413_and_not_503(int times, string text)
    {
        await using RunningServer server = await RunningServer.StartAsync(options => options with
        {
            Http = options.Http with { InflightBytes = 20 << 20 },
        });
        string line = text.EndsWith('\n') ? text : new string(text[0], Bodies.Largest) + "\n";
        byte[] batch = Encoding.ASCII.GetBytes(string.Concat(Enumerable.Repeat(line, times)));
        (int status, string body) = await server.PostBatchAsync(batch);
        Assert.Equal(413, status);
        Assert.Contains("INFLIGHT_BYTES", body, StringComparison.Ordinal);
        await StoresOnlyWhatIsGoodAsync(server);
    }

    private static async Task StoresOnlyWhatIsGoodAsync(RunningServer server)
    {
        Assert.Equal(200, (await server.PostBatchAsync("good"u8.ToArray())).Status);
        Assert.Equal(["good"], await server.DrainBodiesAsync());
    }
}
