// `estat dlq` and `estat send` at a node whose answers break off, do not end, or ask to wait.
using System.Collections.Concurrent;
using System.IO.Compression;
using System.Text;
using Estat.Cli.Dlq;
using Estat.Cli.Frame;
using Estat.Cli.Tests.Support;
using Estat.Testing;
using Microsoft.AspNetCore.Http;

namespace Estat.Cli.Tests;

public sealed class BrokenAnswersTests
{
    private const string File1 = "1-a";
    private const string Line = """{"ts":1,"ip":"203.0.113.9","user_agent":"","body":"x"}""" + "\n";
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);
    private static readonly byte[] Page = Encoding.UTF8.GetBytes(
        $$"""{"files":[{"name":"{{File1}}","events":1,"bytes":0,"created":"2026-01-01T00:00:00Z","form":"gzip"}],"total":1}""");
    private static readonly byte[] Payload = Gzip(Line);

    [Fact]
    public async Task Answers_that_break_off_are_asked_for_again_and_copies_begin_anew()
    {
        using var folder = new TempFolder();
        var cut = new ConcurrentDictionary<string, bool>();
        await using FakeNode node = await FakeNode.StartAsync(async context =>
        {
            byte[] body = context.Request.Path.Value!.EndsWith("/content", StringComparison.Ordinal) ? Payload : Page;
            if (cut.TryAdd(context.Request.Path + context.Request.QueryString, true))
            {
                await FakeNode.BeginAsync(context, body);
                context.Abort();
                return;
            }

            await context.Response.Body.WriteAsync(body);
        });
        (int code, string output) = await EstatCommand.RunAsync("dlq", "export", folder["export"], "--all", "--url", node.Url);
        Assert.True(code == 0, output);
        Assert.Equal(Payload, await File.ReadAllBytesAsync(folder[$"export/{File1}.jsonl.gz"], TestContext.Current.CancellationToken));
        Assert.InRange(cut.Count, 3, 3); // the total, the listing, the content
    }

    [Fact]
    public async Task A_copy_that_does_not_go_on_ends_at_Ctrl_C()
    {
        using var folder = new TempFolder();
        var hangs = new TaskCompletionSource();
        await using FakeNode node = await FakeNode.StartAsync(async context =>
        {
            if (!context.Request.Path.Value!.EndsWith("/content", StringComparison.Ordinal))
            {
                await context.Response.Body.WriteAsync(Page);
                return;
            }

            await FakeNode.BeginAsync(context, Payload);
            hangs.TrySetResult();
            await Task.Delay(Timeout.InfiniteTimeSpan, context.RequestAborted).ContinueWith(_ => { }, TaskScheduler.Default);
        });
        await using ChildProcess exporting = EstatCommand.Start(
            new Dictionary<string, string>(), "dlq", "export", folder["export"], "--all", "--url", node.Url);
        await hangs.Task.WaitAsync(Limit, TestContext.Current.CancellationToken);
        exporting.Interrupt();
        Assert.Equal(130, await exporting.WaitForExitAsync(TimeSpan.FromSeconds(20)));
        Assert.Contains("to continue: estat dlq export", exporting.AllOutput, StringComparison.Ordinal);
        Assert.DoesNotContain(Directory.EnumerateFiles(folder["export"]), file => file.Contains(".tmp", StringComparison.Ordinal));
    }

    [Fact]
    public async Task An_answer_that_does_not_end_is_asked_for_again_after_a_minute()
    {
        var time = new ManualTimeProvider();
        int asked = 0;
        await using FakeNode node = await FakeNode.StartAsync(async context =>
        {
            if (Interlocked.Increment(ref asked) > 1)
            {
                await context.Response.Body.WriteAsync(Page);
                return;
            }

            await FakeNode.BeginAsync(context, Page);
            await Task.Delay(Timeout.InfiniteTimeSpan, context.RequestAborted).ContinueWith(_ => { }, TaskScheduler.Default);
        });
        using var admin = new AdminClient(
            NodeOptions.ClientOf(new Uri(node.Url), token: null, key: null, connections: 1), node: null, time, CancellationToken.None);
        Task<DlqPage?> page = admin.GetAsync("admin/dlq", DlqJson.Default.DlqPage, CancellationToken.None);
        await Wait.UntilAsync(() => asked == 1, Limit, "the first request");
        await Wait.UntilAsync(
            () =>
            {
                if (asked == 1)
                {
                    time.Advance(TimeSpan.FromSeconds(1));
                }

                return page.IsCompleted;
            },
            Limit, "the second answer");
        Assert.Equal(File1, Assert.Single((await page)!.Files).Name);
    }

    [Theory]
    [InlineData("")]
    [InlineData("[]")]
    [InlineData("{}")]
    public async Task A_discard_that_is_answered_with_something_else_is_told_in_one_line(string answer)
    {
        await using FakeNode node = await FakeNode.StartAsync(context =>
            context.Response.WriteAsync(
                context.Request.Method == "DELETE" ? answer : Encoding.UTF8.GetString(Page)["{\"files\":[".Length..].Split(']')[0]));
        (int code, string output) = await EstatCommand.RunAsync("dlq", "discard", File1, "--yes", "--events", "1", "--url", node.Url);
        Assert.Equal(1, code);
        Assert.Contains("something that Estat does not send", output, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Of_a_retry_only_what_the_node_is_busy_with_is_tried_again()
    {
        var tries = new ConcurrentDictionary<string, int>();
        await using FakeNode node = await FakeNode.StartAsync(async context =>
        {
            if (context.Request.Method == "GET")
            {
                await context.Response.Body.WriteAsync(Page);
                return;
            }

            string name = context.Request.Path.Value!.Split('/')[^2];
            int attempt = tries.AddOrUpdate(name, 1, (_, before) => before + 1);
            context.Response.StatusCode = name == "busy" && attempt < 3 ? StatusCodes.Status409Conflict : StatusCodes.Status200OK;
            await context.Response.WriteAsync(name == "fails" ? """{"outcome":"failed","detail":"storage is away"}""" : """{"outcome":"stored"}""");
        });
        (int code, string output) = await EstatCommand.RunAsync("dlq", "retry", "fails", "busy", "good", "--json", "--url", node.Url);
        Assert.Equal(1, code);
        Assert.Contains("""{"stored":2,"events":0,"quarantined":0,"failed":1,"busy":0}""", output, StringComparison.Ordinal);
        Assert.Equal((1, 3, 1), (tries["fails"], tries["busy"], tries["good"]));
    }

    [Theory]
    [InlineData(429, "", false)]
    [InlineData(503, "urn:estat:problem", false)]
    [InlineData(503, "urn:estat:problem:perhaps", true)]
    [InlineData(500, "", true)]
    [InlineData(502, "", true)]
    public async Task Send_and_replay_wait_and_know_the_same_of_what_an_answer_means(int status, string type, bool isUncertain)
    {
        using var folder = new TempFolder();
        var refused = new ConcurrentDictionary<string, bool>();
        await using FakeNode node = await FakeNode.StartAsync(async context =>
        {
            if (!context.Request.Path.StartsWithSegments("/collect"))
            {
                context.Response.StatusCode = StatusCodes.Status404NotFound;
                return;
            }

            await context.Request.Body.CopyToAsync(Stream.Null);
            bool isFirst = refused.TryAdd(context.Request.Headers.UserAgent.ToString().Split('/')[0], true);
            context.Response.StatusCode = isFirst ? status : StatusCodes.Status200OK;
            await context.Response.WriteAsync(
                isFirst ? $$"""{"type":"{{type}}","detail":"Whatever the words are."}""" : """{"accepted":2,"rejected":[]}""");
        });
        string uncertain = $"\"uncertain\":{(isUncertain ? 2 : 0)}";
        string file = SendTests.WriteEvents(folder, 2, isGzip: false);
        (int code, string output) = await EstatCommand.RunAsync("send", file, "--json", "--url", node.Url);
        Assert.True(code == 0, output);
        Assert.Contains(uncertain, output, StringComparison.Ordinal);

        Directory.CreateDirectory(folder["lake/raw"]);
        await File.WriteAllBytesAsync(folder["lake/raw/a.jsonl.gz"], Gzip(Line + Line), TestContext.Current.CancellationToken);
        (code, output) = await EstatCommand.RunAsync(
            "replay", "--from", folder["lake"], "--to", node.Url, "--as", "line", "--json", "--checkpoint", folder["checkpoint"]);
        Assert.True(code == 0, output);
        Assert.Contains(uncertain, output, StringComparison.Ordinal);
        Assert.Equal(2, refused.Count);
    }

    [Theory]
    [InlineData("<html><body>Please sign in</body></html>", "x")]
    [InlineData("{\"accepted\":1,\"rejected\":[]}", "x")]
    [InlineData("<html><body>Please sign in</body></html>", "x\\ny")] // a body that goes to /collect by itself
    public async Task A_success_that_accounts_for_no_event_is_none_to_send_and_replay(string page, string body)
    {
        using var folder = new TempFolder();
        await using FakeNode portal = await FakeNode.StartAsync(async context =>
        {
            await context.Request.Body.CopyToAsync(Stream.Null);
            context.Response.StatusCode = context.Request.Path.StartsWithSegments("/collect") ? StatusCodes.Status200OK
                : StatusCodes.Status404NotFound;
            await context.Response.WriteAsync(page);
        });
        string line = Line.Replace("\"x\"", $"\"{body}\"", StringComparison.Ordinal);
        Directory.CreateDirectory(folder["lake/raw"]);
        await File.WriteAllBytesAsync(folder["lake/raw/a.jsonl.gz"], Gzip(line + line), TestContext.Current.CancellationToken);
        (int code, string output) = await EstatCommand.RunAsync(
            "replay", "--from", folder["lake"], "--to", portal.Url, "--checkpoint", folder["checkpoint"]);
        Assert.Equal(1, code);
        Assert.Contains("Does a proxy answer in its place?", output, StringComparison.Ordinal);
        (code, output) = await EstatCommand.RunAsync("send", SendTests.WriteEvents(folder, 2, isGzip: false), "--url", portal.Url);
        Assert.Equal(1, code);
        Assert.DoesNotContain("sent 2", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_request_is_sent_again_no_sooner_than_the_answer_asks()
    {
        using var folder = new TempFolder();
        var came = new ConcurrentQueue<long>();
        await using FakeNode node = await FakeNode.StartAsync(async context =>
        {
            await context.Request.Body.CopyToAsync(Stream.Null);
            came.Enqueue(TimeProvider.System.GetTimestamp());
            context.Response.StatusCode = came.Count == 1 ? StatusCodes.Status429TooManyRequests : StatusCodes.Status200OK;
            context.Response.Headers.RetryAfter = "2";
            await context.Response.WriteAsync("""{"accepted":1,"rejected":[]}""");
        });
        Assert.Equal(0, (await EstatCommand.RunAsync("send", SendTests.WriteEvents(folder, 1, isGzip: false), "--url", node.Url)).Code);
        Assert.Equal(2, came.Count);
        Assert.InRange(TimeProvider.System.GetElapsedTime(came.First(), came.Last()), TimeSpan.FromSeconds(2), Limit);
    }

    [Fact]
    public async Task What_was_taken_of_a_request_that_went_in_halves_is_not_sent_again_by_who_goes_on()
    {
        using var folder = new TempFolder();
        await File.WriteAllTextAsync(folder["lines"], "1\n2\n3\n4\n", TestContext.Current.CancellationToken);
        await using FakeNode node = await FakeNode.StartAsync(async context =>
        {
            string[] lines = (await new StreamReader(context.Request.Body).ReadToEndAsync()).Trim().Split('\n');
            context.Response.StatusCode = lines.Length > 2 ? 413 : lines[0].Contains('1', StringComparison.Ordinal) ? 200 : 503;
            await context.Response.WriteAsync("""{"detail":"Whatever the words are.","positions":[{},{}]}""");
        });
        (int code, string output) = await EstatCommand.RunAsync("produce", "t", folder["lines"], "--raw", "--patience", "100ms", "--url", node.Url);
        Assert.Equal(1, code);
        Assert.Contains("2 messages produced", output, StringComparison.Ordinal);
        Assert.Contains("--from-line 3", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_request_that_may_have_arrived_is_not_sent_again_once_the_node_may_have_forgotten_it()
    {
        using var folder = new TempFolder();
        await File.WriteAllTextAsync(folder["lines"], "1\n2\n", TestContext.Current.CancellationToken);
        await using FakeNode node = await FakeNode.StartAsync(async context =>
        {
            await context.Request.Body.CopyToAsync(Stream.Null);
            context.Abort();
        });
        (int code, string output) = await EstatCommand.RunAsync(
            "produce", "t", folder["lines"], "--raw", "--patience", "0", "--dedup", "1s", "--url", node.Url);
        Assert.True(code == 1, output);
        Assert.Contains("TOPICS_DEDUP", output, StringComparison.Ordinal);
        Assert.Contains("nobody knows whether the lines from 1 on", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Produce_goes_by_the_types_of_refusals_and_not_by_their_words()
    {
        using var folder = new TempFolder();
        await File.WriteAllTextAsync(folder["lines"], "1\n2\n3\n", TestContext.Current.CancellationToken);
        var keys = new ConcurrentQueue<bool>();
        await using FakeNode node = await FakeNode.StartAsync(async context =>
        {
            string[] lines = (await new StreamReader(context.Request.Body).ReadToEndAsync()).Trim().Split('\n');
            bool hasKey = context.Request.Headers.ContainsKey("Idempotency-Key");
            keys.Enqueue(hasKey);
            string? bad = hasKey ? """{"type":"urn:estat:problem:no-idempotency","detail":"한국어"}"""
                : lines.Length == 3 ? """{"type":"urn:estat:problem:bad-line","line":2,"detail":"한국어"}""" : null;
            context.Response.StatusCode = bad is null ? 200 : 400;
            await context.Response.WriteAsync(bad ?? """{"positions":[{},{}]}""");
        });
        (int code, string output) = await EstatCommand.RunAsync("produce", "t", folder["lines"], "--raw", "--url", node.Url);
        Assert.Equal((1, "True False False"), (code, string.Join(' ', keys)));
        Assert.Contains("line 2: 한국어", output, StringComparison.Ordinal);
        Assert.Contains("2 messages produced", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_producer_without_a_key_is_told_to_give_a_write_key()
    {
        using var folder = new TempFolder();
        await File.WriteAllTextAsync(folder["lines"], "1\n", TestContext.Current.CancellationToken);
        await using FakeNode node = await FakeNode.StartAsync(context =>
        {
            context.Response.StatusCode = StatusCodes.Status401Unauthorized;
            return context.Response.WriteAsync("""{"detail":"This request needs a key."}""");
        });
        (int code, string output) = await EstatCommand.RunAsync("produce", "t", folder["lines"], "--raw", "--url", node.Url);
        Assert.Equal(1, code);
        Assert.Contains("Give a write key", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_interrupted_order_for_all_dead_letters_ends_its_portion_and_says_how_far_it_got()
    {
        int asked = 0;
        await using FakeNode node = await FakeNode.StartAsync(async context =>
        {
            Interlocked.Increment(ref asked);
            await context.Request.Body.CopyToAsync(Stream.Null); // there is always more
            await context.Response.WriteAsync(
                """{"dryRun":false,"found":200,"done":200,"released":0,"numbers":[],"refused":[],"cursor":"7"}""");
        });
        await using ChildProcess discarding = EstatCommand.Start(
            new Dictionary<string, string>(), "dead-letters", "discard", "--all", "--yes", "--url", node.Url);
        await Wait.UntilAsync(() => Volatile.Read(ref asked) > 1, Limit, "the second portion");
        discarding.Interrupt();
        Assert.Equal(130, await discarding.WaitForExitAsync(TimeSpan.FromSeconds(20)));
        Assert.Matches("[1-9][0-9,]*00 dead letters discarded", discarding.AllOutput);
        Assert.Contains("the same command goes on", discarding.AllOutput, StringComparison.Ordinal);
    }

    private static byte[] Gzip(string text)
    {
        using var stream = new MemoryStream();
        using (var gzip = new GZipStream(stream, CompressionLevel.Fastest))
        {
            gzip.Write(Encoding.UTF8.GetBytes(text));
        }

        return stream.ToArray();
    }
}
