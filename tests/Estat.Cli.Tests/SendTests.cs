// `estat send` against a real server over a real S3.
using System.Globalization;
using System.Text.Json;
using Estat.Cli.Tests.Support;
using Estat.Testing;

namespace Estat.Cli.Tests;

[Collection(RgwTests.Name)]
public sealed class SendTests(Rgw rgw)
{
    private const int Events = 100_000;
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_file_that_is_interrupted_again_and_again_while_the_server_restarts_is_stored_once(bool isGzip)
    {
        rgw.OrSkip();
        int events = isGzip ? Events / 5 : Events;
        using var folder = new TempFolder();
        string bucket = await rgw.Gateway.CreateBucketAsync();
        Dictionary<string, string> options = rgw.EnvironmentFor(bucket, folder);
        string file = WriteEvents(folder, events, isGzip);
        string url = $"http://{options["HTTP_ADDR"]}";
        ServerProcess server = await ServerProcess.StartAsync(options);
        try
        {
            for (int round = 1; round <= 3; round++)
            {
                long before = CheckpointEvents(file);
                await using ChildProcess sending = EstatCommand.Start(
                    new Dictionary<string, string>(), "send", file, "--url", url, "--events", "500", "--rate", $"{events / 5}");
                await UntilSentAsync(file, before + (events / 10), sending);
                if (round == 2)
                {
                    server.Terminate();
                    Assert.Equal(0, await server.WaitForExitAsync(Limit));
                    await server.DisposeAsync();
                    server = await ServerProcess.StartAsync(options);
                    await UntilSentAsync(file, CheckpointEvents(file) + (events / 20), sending);
                }

                sending.Interrupt();
                Assert.Equal(130, await sending.WaitForExitAsync(Limit));
                Assert.Contains(sending.Output,
                    line => line.Contains("to continue at line", StringComparison.Ordinal) && line.Contains(file, StringComparison.Ordinal));
            }

            (int code, string output) = await EstatCommand.RunAsync("send", file, "--url", url, "--json");
            Assert.True(code == 0, output);
            Assert.Contains($"\"accepted_in_all\":{events},\"rejected\":0,\"uncertain\":0", output, StringComparison.Ordinal);
            (code, output) = await EstatCommand.RunAsync("send", file, "--url", url);
            Assert.Equal(0, code);
            Assert.Contains("was sent completely before", output, StringComparison.Ordinal);
            server.Terminate();
            Assert.Equal(0, await server.WaitForExitAsync(Limit));
        }
        finally
        {
            await server.DisposeAsync();
        }

        IReadOnlyList<StoredEvent> stored = await StoredEvents.FromBucketAsync(rgw.Gateway.Client, bucket, "raw/");
        Audit audit = Audit.Of(Enumerable.Range(1, events).Select(number => (long)number), stored.Select(NumberOf));
        Assert.True(audit.Clean && audit.FoundOnce == events && audit.NeverAcknowledged.Count == 0, audit.ToString());
        Assert.All(stored.Take(1000), line => Assert.Matches(@"^events\.ndjson(\.gz)?-[0-9a-f]{8}@\d+$", line.Id));
    }

    [Fact]
    public async Task A_line_that_is_not_taken_is_named_by_its_number_kept_and_makes_the_exit_code_1()
    {
        using var folder = new TempFolder();
        await using ServerProcess server = await ServerProcess.StartAsync(LocalServer(folder));
        string file = folder["mixed.ndjson"];
        string large = $"\"{new string('x', 20_000)}\"";
        await File.WriteAllTextAsync(file, $"{{\"n\":1}}\n\n{large}\n{{\"n\":2}}", TestContext.Current.CancellationToken);
        (int code, string output) = await EstatCommand.RunAsync(
            "send", file, "--url", server.BaseAddress.ToString(), "--rejects", folder["rejected"]);
        Assert.Equal(1, code);
        Assert.Contains("line 3: larger than 16384 bytes", output, StringComparison.Ordinal);
        Assert.Contains("2 events acknowledged", output, StringComparison.Ordinal);
        Assert.Equal(large + "\n", await File.ReadAllTextAsync(folder["rejected"], TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task A_file_that_changed_since_is_not_gone_on_with()
    {
        using var folder = new TempFolder();
        string file = WriteEvents(folder, 10, isGzip: false);
        await using ServerProcess server = await ServerProcess.StartAsync(LocalServer(folder));
        Assert.Equal(0, (await EstatCommand.RunAsync("send", file, "--url", server.BaseAddress.ToString())).Code);
        await File.AppendAllTextAsync(file, "{\"n\":11}\n", TestContext.Current.CancellationToken);
        (int code, string output) = await EstatCommand.RunAsync("send", file, "--url", server.BaseAddress.ToString());
        Assert.Equal(1, code);
        Assert.Contains("is not the file that", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Without_a_server_it_gives_up_after_its_patience_and_says_how_to_go_on_but_shows_no_key()
    {
        using var folder = new TempFolder();
        string file = WriteEvents(folder, 10, isGzip: false);
        (int code, string output) = await EstatCommand.RunAsync(
            "send", file, "--url", $"http://127.0.0.1:{FreePort.Next()}", "--patience", "500ms", "--key", "very-secret-key");
        Assert.Equal(1, code);
        Assert.Contains("does not answer", output, StringComparison.Ordinal);
        Assert.Contains("to continue at line 1: estat send", output, StringComparison.Ordinal);
        Assert.DoesNotContain("very-secret-key", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_checkpoint_may_be_named_without_a_folder()
    {
        using var folder = new TempFolder();
        await using ServerProcess server = await ServerProcess.StartAsync(LocalServer(folder));
        (int code, string output) = await EstatCommand.RunAsync(
            "send", WriteEvents(folder, 10, isGzip: false), "--url", server.BaseAddress.ToString(), "--checkpoint", "cp.json");
        Assert.True(code == 0, output);
    }

    [Fact]
    public async Task A_damaged_gzip_whose_begin_was_refused_is_told_as_refused()
    {
        using var folder = new TempFolder();
        await using FakeNode node = await FakeNode.StartAsync(context =>
        {
            context.Response.StatusCode = 401;
            return Task.CompletedTask;
        });
        string file = WriteEvents(folder, 20_000, isGzip: true);
        byte[] content = await File.ReadAllBytesAsync(file, TestContext.Current.CancellationToken);
        content[^6] ^= 1;
        await File.WriteAllBytesAsync(file, content, TestContext.Current.CancellationToken);
        (int code, string output) = await EstatCommand.RunAsync("send", file, "--url", node.Url);
        Assert.Equal(1, code);
        Assert.DoesNotContain("damaged", output, StringComparison.Ordinal);
        Assert.Contains("401", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_damaged_gzip_is_told_after_what_stands_before_the_damage_was_sent()
    {
        using var folder = new TempFolder();
        await using ServerProcess server = await ServerProcess.StartAsync(LocalServer(folder));
        string file = WriteEvents(folder, 20_000, isGzip: true);
        byte[] content = await File.ReadAllBytesAsync(file, TestContext.Current.CancellationToken);
        content[^6] ^= 1; // its CRC: what was unpacked with its last bytes is lost, no more
        await File.WriteAllBytesAsync(file, content, TestContext.Current.CancellationToken);
        (int code, string output) = await EstatCommand.RunAsync("send", file, "--url", server.BaseAddress.ToString());
        Assert.Equal(1, code);
        Assert.Contains("its gzip is damaged", output, StringComparison.Ordinal);
        Assert.Matches(@"\b19,\d{3} events acknowledged", output);
        Assert.Contains("to continue at line 19,", output, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Of_a_gzip_that_is_cut_whole_lines_are_sent_the_unfinished_one_is_named_and_the_mended_file_goes_on()
    {
        using var folder = new TempFolder();
        await using ServerProcess server = await ServerProcess.StartAsync(LocalServer(folder));
        string file = folder["c.gz"];
        const string Whole = "seq 1 2000 | sed 's/.*/{\"k\":&}/' | gzip";
        await Command.SucceedAsync(Limit, "sh", "-c", $"{Whole} | head -c 2000 >{file}");
        (int code, string output) = await EstatCommand.RunAsync("send", file, "--url", server.BaseAddress.ToString());
        Assert.Equal(1, code);
        Assert.Contains("the gzip data is cut off; the 903 events before that were sent; line 904 is unfinished and was not sent", output,
            StringComparison.Ordinal);
        Assert.Contains("to continue at line 904:", output, StringComparison.Ordinal);

        await Command.SucceedAsync(Limit, "sh", "-c", $"{Whole} >{file}");
        (code, output) = await EstatCommand.RunAsync("send", file, "--url", server.BaseAddress.ToString(), "--json");
        Assert.True(code == 0, output);
        Assert.Contains("\"accepted_in_all\":2000,\"rejected\":0,\"uncertain\":0", output, StringComparison.Ordinal);
        server.Terminate();
        Assert.Equal(0, await server.WaitForExitAsync(Limit));
        IReadOnlyList<StoredEvent> stored = StoredEvents.FromFolder(folder["data"]);
        Assert.Equal(
            Enumerable.Range(1, 2000), stored.Select(line => JsonDocument.Parse(line.Body).RootElement.GetProperty("k").GetInt32()).Order());
    }

    [Theory]
    [InlineData(100, 2)] // in the second member's content
    [InlineData(4, 0)] // in its trailer: the content is whole, the file is not
    public async Task Of_several_members_of_which_the_last_is_cut_nothing_unfinished_is_sent(int missing, int unfinished)
    {
        using var folder = new TempFolder();
        await using ServerProcess server = await ServerProcess.StartAsync(LocalServer(folder));
        string first = WriteEvents(folder, 300, isGzip: true);
        byte[] member = await File.ReadAllBytesAsync(first, TestContext.Current.CancellationToken);
        string file = folder["two.gz"];
        await File.WriteAllBytesAsync(file, [.. member, .. member[..^missing]], TestContext.Current.CancellationToken);
        (int code, string output) = await EstatCommand.RunAsync("send", file, "--url", server.BaseAddress.ToString());
        Assert.Equal(1, code);
        Assert.Contains("the gzip data is cut off", output, StringComparison.Ordinal);
        Assert.Equal(unfinished > 0, output.Contains("is unfinished and was not sent", StringComparison.Ordinal));
        server.Terminate();
        Assert.Equal(0, await server.WaitForExitAsync(Limit));
        Assert.All(StoredEvents.FromFolder(folder["data"]), line => JsonDocument.Parse(line.Body).Dispose());
    }

    [Theory]
    [InlineData("bzip2", "bzip2", "bzip2 -dc ")]
    [InlineData("xz", "xz", "xz -dc ")]
    [InlineData("iconv -t UTF-16", "UTF-16", "iconv -f UTF-16 -t UTF-8 ")]
    [InlineData("iconv -t UTF-16LE", "UTF-16 without a byte order mark", "iconv -f UTF-16 -t UTF-8 ")]
    [InlineData("bzip2 | gzip", "bzip2", "events.packed | bzip2 -dc ")]
    [InlineData("gzip | gzip", "gzip in gzip", "events.packed | gzip -dc ")]
    public async Task What_is_recognisably_no_lines_of_text_is_refused_by_name_and_nothing_of_it_is_sent(string packed, string format, string advice)
    {
        using var folder = new TempFolder();
        await using FakeNode node = await FakeNode.StartAsync(_ => throw new InvalidOperationException("nothing may be sent"));
        string file = folder["events.packed"];
        await Command.SucceedAsync(Limit, "sh", "-c", $"seq 1 2000 | sed 's/.*/{{\"k\":&}}/' | {packed} >{file}");

        (int code, string output) = await EstatCommand.RunAsync("send", file, "--url", node.Url);

        Assert.Equal(1, code);
        Assert.Contains($"{file}: is {format}, not lines of text; nothing was sent.", output, StringComparison.Ordinal);
        Assert.Contains(advice, output, StringComparison.Ordinal);
        Assert.Equal(0, CheckpointEvents(file));
    }

    [Fact]
    public async Task A_byte_order_mark_at_the_beginning_is_no_part_of_the_first_event()
    {
        using var folder = new TempFolder();
        await using ServerProcess server = await ServerProcess.StartAsync(LocalServer(folder));
        string file = folder["windows.ndjson"];
        await File.WriteAllTextAsync(file, "\uFEFF{\"n\":1}\r\n{\"n\":2}\r\n", TestContext.Current.CancellationToken);
        (int code, string output) = await EstatCommand.RunAsync("send", file, "--url", server.BaseAddress.ToString(), "--events", "1", "--json");
        Assert.True(code == 0, output);
        server.Terminate();
        Assert.Equal(0, await server.WaitForExitAsync(Limit));
        Assert.Equal(["{\"n\":1}", "{\"n\":2}"], StoredEvents.FromFolder(folder["data"]).Select(line => line.Body).Order(StringComparer.Ordinal));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_last_line_without_its_end_is_a_line_where_the_file_ended_well(bool isGzip)
    {
        using var folder = new TempFolder();
        await using ServerProcess server = await ServerProcess.StartAsync(LocalServer(folder));
        string file = folder["events"];
        await Command.SucceedAsync(Limit, "sh", "-c", $"printf '{{\"n\":1}}\\n{{\"n\":2}}' {(isGzip ? "| gzip " : "")}>{file}");
        (int code, string output) = await EstatCommand.RunAsync("send", file, "--url", server.BaseAddress.ToString(), "--json");
        Assert.True(code == 0, output);
        Assert.Contains("\"accepted\":2", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_stands_before_a_read_that_fails_is_given_and_the_line_in_which_it_failed_is_not()
    {
        using var reader = new Send.RequestReader(new FailingStream("one\ntwo\nhal"u8.ToArray()), 1000, 1 << 20, []);
        Send.SendRequest? request = await reader.NextAsync(TestContext.Current.CancellationToken);
        Assert.Equal((2, 8L), (request!.Lines.Count, request.To));
        await Assert.ThrowsAsync<IOException>(() => reader.NextAsync(TestContext.Current.CancellationToken));
        Assert.Equal((8L, 3L), (reader.Offset, reader.UnfinishedLine));
    }

    internal static Dictionary<string, string> LocalServer(TempFolder folder) => new()
    {
        ["STORAGE_DIR"] = folder["data"],
        ["SPOOL_DIR"] = folder["spool"],
        ["DLQ_DIR"] = folder["dlq"],
        ["SPOOL_VOLATILE"] = "true",
        ["DISK_MIN_FREE_BYTES"] = "1000000",
    };

    internal static string WriteEvents(TempFolder folder, int events, bool isGzip)
    {
        string file = folder[isGzip ? "events.ndjson.gz" : "events.ndjson"];
        using FileStream target = File.Create(file);
        using Stream content = isGzip ? new System.IO.Compression.GZipStream(target, System.IO.Compression.CompressionLevel.Fastest) : target;
        using var text = new StreamWriter(content);
        for (int number = 1; number <= events; number++)
        {
            text.Write(string.Create(CultureInfo.InvariantCulture,
                $"{{\"n\":{number},\"page\":\"/상품/{number % 977}\",\"visitor\":\"{(ulong)number * 0x9E3779B97F4A7C15UL:x}\"}}\n"));
        }

        return file;
    }

    internal static long NumberOf(StoredEvent stored)
    {
        using var json = JsonDocument.Parse(stored.Body);
        return json.RootElement.GetProperty("n").GetInt64();
    }

    private static async Task UntilSentAsync(string file, long events, ChildProcess sending)
    {
        long seen = 0;
        await Wait.UntilAsync(
            () =>
            {
                sending.ThrowIfEnded("it was interrupted");
                seen = CheckpointEvents(file);
                return seen >= events;
            },
            Limit, $"{events} events to be acknowledged", () => $"{seen}; {sending.AllOutput}");
    }

    private static long CheckpointEvents(string file)
    {
        string checkpoint = file + ".estat-send";
        if (!File.Exists(checkpoint))
        {
            return 0;
        }

        using var json = JsonDocument.Parse(File.ReadAllBytes(checkpoint));
        return json.RootElement.GetProperty("events").GetInt64();
    }

    // A disk that gives some bytes and then an error.
    private sealed class FailingStream(byte[] bytes) : MemoryStream(bytes)
    {
        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) =>
            Position == Length ? ValueTask.FromException<int>(new IOException("Input/output error")) : base.ReadAsync(buffer, cancellationToken);
    }
}
