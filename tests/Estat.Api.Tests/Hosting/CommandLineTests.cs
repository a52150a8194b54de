// The server as a process: what its command line takes, says and ends with.
using System.Text.Json;
using Estat.Api.Options;
using Estat.Base.Options;
using Estat.Testing;

namespace Estat.Api.Tests.Hosting;

public sealed class CommandLineTests
{
    private static readonly string[] LogLevels = ["trace", "debug", "information", "warning", "error", "critical"];

    public static TheoryData<string, string> WrongValues => new()
    {
        { "HTTP_ADDR", "8080" }, { "ACK", "paper" }, { "ACK_ALLOWED", "all" }, { "SPOOL_VOLATILE", "yes" }, { "SPOOL_MAX_SIZE_BYTES", "1" },
            { "STORED_MAX_WAIT", "0" }, { "RAW_BUCKET", "a/b" }, { "RAW_PREFIX", "/raw" }, { "DLQ_PREFIX", "raw" },
            { "AWS_REGION", "here and there" },
        { "S3_ENDPOINT", "ftp://host" }, { "S3_TIMEOUT", "3" }, { "S3_SSE", "aes" }, { "S3_SSE_KMS_KEY_ID", "a key" }, { "S3_ACL", "public-read" },
        { "S3_STORAGE_CLASS", "GLACIER" },
        { "S3_EXPECT_CONTINUE", "never" }, { "S3_APP_RETRIES", "-1" }, { "DLQ_MAX_AGE", "1d" }, { "DLQ_MAX_SIZE_BYTES", "1GB" },
        { "DLQ_FULL", "drop" }, { "DISK_MIN_FREE_BYTES", "some" }, { "RECOVERY_INTERVAL", "0" }, { "PARTITIONS", "0" }, { "CHANNEL_SIZE", "0" },
        { "CHANNEL_BYTES", "1" }, { "BATCH_SIZE", "1e3" }, { "BATCH_BYTES", "0" }, { "FLUSH_INTERVAL", "-1s" }, { "GZIP_LEVEL", "10" },
        { "UPLOAD_QUEUE", "0" }, { "UPLOAD_CONCURRENCY", "0" }, { "MAX_BODY_SIZE", "0" }, { "MAX_BATCH_BODY_SIZE", "100" },
        { "INFLIGHT_BYTES", "0" }, { "UNREAD_BYTES", "0" },
        { "BODY_TIMEOUT", "soon" }, { "HEADER_TIMEOUT", "1ms" }, { "KEEPALIVE_TIMEOUT", "0" }, { "MAX_CONNECTIONS", "0" },
        { "CORS_ORIGINS", "shop.example" }, { "TRUSTED_PROXIES", "10.0.0.0/99" }, { "CAPTURE_COOKIE", "yes" }, { "SHUTDOWN_TIMEOUT", "0" },
        { "SOCKETS", "outline" }, { "HTTP_FAST_DOOR", "ajar" },
        { "HTTP_TLS_KEY", "lone.pem" }, { "WRITE_KEYS", "shop=short" }, { "OPEN_INGEST", "yes" }, { "IP_RATE", "0" }, { "IP_BURST", "-1" },
        { "ADMIN_TOKEN", "short" }, { "ADMIN_TOKEN_FILE", "/no/such/file" }, { "LOG_LEVEL", "loud" },
        { "OTEL_EXPORTER_OTLP_ENDPOINT", "collector:4317" },
        { "LOG_FORMAT", "xml" }, { "OTEL_TRACES_SAMPLER", "often" }, { "OTEL_TRACES_SAMPLER_ARG", "2" },
        { "JWT_ISSUER", "a\tb" }, { "JWT_AUDIENCE", "a\tb" }, { "JWT_JWKS_FILE", "a\0b" }, { "JWT_CLAIM", "a\tb" }, { "JWT_CLOCK_SKEW", "6m" },
        { "JWT_CACHE", "0" }, { "JWT_FAILURE_RATE", "-1" },
        { "SERVE", "events" }, { "REQUESTS_USER_HEADER", "X User" }, { "REQUESTS_MAX_BODY_SIZE", "-1" }, { "REQUESTS_MAX_ATTEMPTS", "0" },
        { "REQUESTS_QUEUE", "1" }, { "REQUESTS_QUEUE_BYTES", "1" }, { "REQUESTS_MAX_WAITERS", "many" }, { "REQUESTS_CACHE", "0" },
        { "REQUESTS_USER_RATE", "0" }, { "REQUESTS_LEASE", "0" }, { "REQUESTS_WEBHOOK_CALLS", "0" }, { "REQUESTS_WEBHOOK_NETWORKS", "shop.example" },
        { "REQUESTS_OUTCOME_INTERVAL", "0" }, { "REQUESTS_OUTCOME_BATCH", "0" }, { "REQUESTS_MIN_FREE_BYTES", "-1" },
        { "REQUESTS_BODY_RETENTION", "1s" }, { "REQUESTS_STORE", "redis" }, { "REQUESTS_TABLE", "t" }, { "REQUESTS_SEAL_AFTER", "0" },
        { "REQUESTS_DYNAMODB_ENDPOINT", "table" }, { "REQUESTS_DECIDER_LEASE", "1" }, { "REQUESTS_DLQ_URL", "queue" },
        { "REQUESTS_SQS_ENDPOINT", "queue" },
        { "TOPICS_PARTITIONS", "1001" }, { "TOPICS_AUTO_CREATE", "yes" }, { "TOPICS_MAX_TOPICS", "3" }, { "TOPICS_RETENTION", "0" },
        { "TOPICS_MAX_SIZE_BYTES", "10GB" }, { "TOPICS_SEGMENT_BYTES", "1" }, { "TOPICS_MIN_FREE_BYTES", "10%" }, { "TOPICS_QUEUE_BYTES", "1" },
        { "TOPICS_MAX_BODY_SIZE", "8MB" }, { "TOPICS_MAX_MESSAGE_BYTES", "63" }, { "TOPICS_MAX_MESSAGES", "0" }, { "TOPICS_DEDUP", "0" },
        { "TOPICS_DEDUP_MAX", "0" }, { "TOPICS_SINK", "sometimes" }, { "TOPICS_SINK_NAME", "my sink" }, { "TOPICS_DATABASE", "db.internal" },
        { "TOPICS_DATABASE_FILE", "a\0b" }, { "TOPICS_MIGRATE", "no" }, { "TOPICS_BATCH", "all" }, { "TOPICS_BATCH_BYTES", "1" },
        { "TOPICS_TAKEOVER", "10" }, { "TOPICS_ORDER", "hold" }, { "TOPICS_KEEP", "30d" }, { "TOPICS_QUERY_CONNECTIONS", "0" },
        { "TOPICS_QUERY_TIMEOUT", "1ms" },
        { "TOPICS_LOG", "paper" },
        { "TOPICS_REPLICATION", "many" },
    };

    [Theory]
    [MemberData(nameof(WrongValues))]
    public void A_wrong_value_is_named_with_its_option_and_what_it_takes(string name, string value)
    {
        OptionSpec<EstatOptions> option = OptionTable.All.Single(option => option.Name == name);

        OptionException inEnvironment = Assert.Throws<OptionException>(() => OptionTable.Bind([], [new(name, value)], "appsettings.json"));
        OptionException asArgument = Assert.Throws<OptionException>(() => OptionTable.Bind([$"--{name}={value}"], [], "appsettings.json"));

        string shown = name is "WRITE_KEYS" or "TOPICS_DATABASE" ? name : $"{name}={value}"; // a log is no place for keys and passwords
        Assert.StartsWith($"{shown}: must be ", inEnvironment.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', inEnvironment.Message);
        Assert.Equal(inEnvironment.Message, asArgument.Message);
        Assert.True(inEnvironment.Message.Length > $"{shown}: must be ".Length, option.Takes);
    }

    [Fact]
    public void Every_option_with_a_wrong_value_is_tried_above()
    {
        // KAFKA_* are librdkafka's: KafkaOptionTests has them.
        string[] takeAnyText = ["WRITE_KEYS_FILE", "HTTP_TLS_CERT", "STORAGE_DIR", "SPOOL_DIR", "DLQ_DIR", "REQUESTS_DIR", "TOPICS_DIR", "KAFKA_*"];
        Assert.Equal(
            OptionTable.All.Select(option => option.Name).Except(takeAnyText).Order(StringComparer.Ordinal),
            WrongValues.Select(row => row.Data.Item1).Order(StringComparer.Ordinal));
    }

    [Theory]
    [InlineData("CHANNEL_SIZE=many", "", "CHANNEL_SIZE=many: must be a whole number from 1 to")]
    [InlineData("FLUSH_INTERVAL=120", "", "FLUSH_INTERVAL=120: must be a duration")]
    [InlineData("", "--ACK=paper", "ACK=paper: must be")]
    [InlineData("", "--NO_SUCH_THING=1", "--NO_SUCH_THING=1: no such option")]
    [InlineData("", "serve", "serve: no such option")]
    [InlineData("", "--BATCH_SIZE", "--BATCH_SIZE: has no value")]
    public async Task A_wrong_option_ends_the_start_with_2_and_one_line(string environment, string argument, string says)
    {
        using var folder = new TempFolder();

        (int exitCode, string output, string errors) = await ServerCommand.RunAsync(
            folder.Path, environment.Length == 0 ? [] : [environment], argument.Length == 0 ? [] : [argument]);

        Assert.Equal(2, exitCode);
        Assert.Empty(output);
        Assert.StartsWith($"estat: {says}", ServerCommand.OnlyLine(errors), StringComparison.Ordinal);
        Assert.Empty(Directory.EnumerateFileSystemEntries(folder.Path));
    }

    [Theory]
    [InlineData("--help")]
    [InlineData("-h")]
    [InlineData("-?")]
    public async Task Help_lists_every_option_with_its_default(string argument)
    {
        using var folder = new TempFolder();

        (int exitCode, string output, string errors) = await ServerCommand.RunAsync(folder.Path, ["CHANNEL_SIZE=wrong"], [argument]);

        Assert.Equal(0, exitCode);
        Assert.Empty(errors);
        string[] lines = output.Split('\n');
        Assert.All(OptionTable.All, option =>
        {
            int at = Array.IndexOf(lines, $"  {option.Name}");
            Assert.True(at >= 0, $"{option.Name} is missing");
            Assert.Contains(option.Takes, lines[at + 2], StringComparison.Ordinal);
            Assert.Contains(option.Default, lines[at + 2], StringComparison.Ordinal);
        });
    }

    [Fact]
    public async Task Version_is_one_line()
    {
        using var folder = new TempFolder();

        (int exitCode, string output, string errors) = await ServerCommand.RunAsync(folder.Path, [], ["--version"]);

        Assert.Equal((0, ""), (exitCode, errors));
        Assert.Matches(@"^estat \d+\.\d+\.\d+", ServerCommand.OnlyLine(output));
    }

    [Fact]
    public async Task A_taken_port_is_told_in_one_line()
    {
        await using RunningServer other = await RunningServer.StartAsync();
        using var folder = new TempFolder();

        (int exitCode, string output, string errors) = await ServerCommand.RunAsync(folder.Path, [$"HTTP_ADDR=127.0.0.1:{other.Port}"], []);

        Assert.Equal((1, ""), (exitCode, output));
        Assert.StartsWith($"estat: HTTP_ADDR=127.0.0.1:{other.Port}: ", ServerCommand.OnlyLine(errors), StringComparison.Ordinal);
        Assert.Contains("in use", errors, StringComparison.OrdinalIgnoreCase);
    }

    [Fact]
    public async Task An_address_of_another_machine_is_told_in_one_line()
    {
        using var folder = new TempFolder();

        (int exitCode, string output, string errors) = await ServerCommand.RunAsync(folder.Path, ["HTTP_ADDR=192.0.2.1:8080"], []);

        Assert.Equal((1, ""), (exitCode, output));
        Assert.StartsWith("estat: HTTP_ADDR=192.0.2.1:8080: ", ServerCommand.OnlyLine(errors), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_DLQ_that_another_process_owns_is_told_in_one_line()
    {
        using var folder = new TempFolder();
        await using ServerProcess owner = await ServerProcess.StartAsync(new Dictionary<string, string> { ["DLQ_DIR"] = folder["dlq"] });

        (int exitCode, string output, string errors) = await ServerCommand.RunAsync(
            folder.Path, [$"DLQ_DIR={folder["dlq"]}", "HTTP_ADDR=127.0.0.1:0"], []);

        Assert.Equal((1, ""), (exitCode, output));
        Assert.StartsWith($"estat: DLQ_DIR={folder["dlq"]}: another process owns this folder", ServerCommand.OnlyLine(errors),
            StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_spool_that_another_process_owns_is_told_in_one_line()
    {
        using var folder = new TempFolder();
        await using ServerProcess owner = await ServerProcess.StartAsync(new Dictionary<string, string> { ["SPOOL_DIR"] = folder["spool"] });

        (int exitCode, string output, string errors) = await ServerCommand.RunAsync(
            folder.Path, [$"SPOOL_DIR={folder["spool"]}", "HTTP_ADDR=127.0.0.1:0"], []);

        Assert.Equal((1, ""), (exitCode, output));
        Assert.StartsWith($"estat: SPOOL_DIR={folder["spool"]}: another process owns this folder", ServerCommand.OnlyLine(errors),
            StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_spool_that_forgets_is_told_in_one_line()
    {
        Assert.SkipUnless(SmallDisk.Available(out string reason), reason);
        using var folder = new TempFolder();
        using var disk = new SmallDisk(1 << 20);

        (int exitCode, string output, string errors) = await ServerCommand.RunAsync(
            folder.Path, [$"SPOOL_DIR={disk.Path}/spool", "HTTP_ADDR=127.0.0.1:0"], []);

        Assert.Equal((1, ""), (exitCode, output));
        Assert.StartsWith($"estat: SPOOL_DIR={disk.Path}/spool: is a tmpfs", ServerCommand.OnlyLine(errors), StringComparison.Ordinal);
        Assert.Contains("SPOOL_VOLATILE=true", errors, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("STORAGE_DIR")]
    [InlineData("SPOOL_DIR")]
    [InlineData("DLQ_DIR")]
    public async Task A_folder_that_is_a_file_is_told_in_one_line(string option)
    {
        using var folder = new TempFolder();
        await File.WriteAllTextAsync(folder["file"], "");

        (int exitCode, string output, string errors) = await ServerCommand.RunAsync(
            folder.Path, [$"{option}={folder["file"]}", "HTTP_ADDR=127.0.0.1:0"], []);

        Assert.Equal((1, ""), (exitCode, output));
        Assert.StartsWith($"estat: {option}={folder["file"]}: ", ServerCommand.OnlyLine(errors), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Appsettings_are_read_and_yield_to_the_environment_which_yields_to_arguments()
    {
        using var folder = new TempFolder();
        await File.WriteAllTextAsync(folder["appsettings.json"],
            """{"BATCH_SIZE": 1, "CHANNEL_SIZE": 2, "CAPTURE_COOKIE": true, "GZIP_LEVEL": "3"}""");

        EstatOptions options = OptionTable.Bind(
            ["--BATCH_SIZE=11"], [new("BATCH_SIZE", "111"), new("CHANNEL_SIZE", "22")], folder["appsettings.json"]);
        await File.WriteAllTextAsync(folder["appsettings.json"], """{"BATCH_SIZE": "wrong"}""");
        (int exitCode, _, string errors) = await ServerCommand.RunAsync(folder.Path, [], []);

        Assert.Equal((11, 22, true, 3),
            (options.Collect.BatchSize, options.Collect.ChannelSize, options.Collect.CaptureCookie, options.Collect.GzipLevel));
        Assert.Equal(2, exitCode);
        Assert.StartsWith("estat: BATCH_SIZE=wrong: must be", ServerCommand.OnlyLine(errors), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("""{"BATCH_SIZES": 1}""", "appsettings.json: BATCH_SIZES: no such option")]
    [InlineData("""{"Logging": {"LogLevel": {"Default": "Debug"}}}""", "appsettings.json: Logging: no such option")]
    public async Task A_key_of_appsettings_that_is_no_option_ends_the_start(string content, string words)
    {
        using var folder = new TempFolder();
        await File.WriteAllTextAsync(folder["appsettings.json"], content);

        (int exitCode, string output, string errors) = await ServerCommand.RunAsync(folder.Path, [], []);

        Assert.Equal((2, ""), (exitCode, output));
        Assert.StartsWith("estat: " + words, ServerCommand.OnlyLine(errors), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_file_named_env_is_read_and_yields_to_the_environment()
    {
        using var folder = new TempFolder();
        await File.WriteAllTextAsync(folder[".env"], "# by hand\nexport BATCH_SIZE=wrong # that\nGZIP_LEVEL='10'\n");
        (int code, _, string errors) = await ServerCommand.RunAsync(folder.Path, [], []);
        (int codeBeside, _, string errorsBeside) = await ServerCommand.RunAsync(folder.Path, ["BATCH_SIZE=1"], []);
        await File.WriteAllTextAsync(folder[".env"], "BATCH_SIZE=1\nADMIN_TOKEN secret-secret-secret\n");
        (int codeBroken, _, string errorsBroken) = await ServerCommand.RunAsync(folder.Path, [], []);

        Assert.Equal((2, 2, 2), (code, codeBeside, codeBroken));
        Assert.StartsWith("estat: BATCH_SIZE=wrong: must be", ServerCommand.OnlyLine(errors), StringComparison.Ordinal);
        Assert.StartsWith("estat: GZIP_LEVEL=10: must be", ServerCommand.OnlyLine(errorsBeside), StringComparison.Ordinal);
        Assert.StartsWith("estat: .env, line 2: must be NAME=value", ServerCommand.OnlyLine(errorsBroken), StringComparison.Ordinal);
        Assert.DoesNotContain("secret", errorsBroken, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("{broken")]
    [InlineData("[1]")]
    [InlineData("")]
    public async Task Appsettings_that_are_no_JSON_object_are_told_in_one_line(string content)
    {
        using var folder = new TempFolder();
        await File.WriteAllTextAsync(folder["appsettings.json"], content);

        (int exitCode, string output, string errors) = await ServerCommand.RunAsync(folder.Path, [], []);

        Assert.Equal((2, ""), (exitCode, output));
        Assert.StartsWith("estat: appsettings.json: ", ServerCommand.OnlyLine(errors), StringComparison.Ordinal);
    }

    [Fact]
    public void Names_of_others_in_the_environment_do_not_matter()
    {
        EstatOptions options = OptionTable.Bind(
            [], [new("http_proxy", "a"), new("HTTP_PROXY", "b"), new("GZIP_LEVEL", "2"), new("BATCH_SIZE", " ")], "none.json");

        Assert.Equal((2, new EstatOptions().Collect.BatchSize), (options.Collect.GzipLevel, options.Collect.BatchSize));
    }

    [Fact]
    public async Task Logs_are_JSON_lines_when_no_terminal_reads_them()
    {
        await using ServerProcess server = await ServerProcess.StartAsync(new Dictionary<string, string> { ["LOG_LEVEL"] = "debug" });
        for (int i = 0; i < 3; i++)
        {
            using RawHttp connection = await RawHttp.ConnectAsync(server.BaseAddress.Port);
            await connection.SendAsync("nonsense \"\u00ff\"\r\n\r\n");
            await connection.UntilClosedAsync();
        }

        server.Terminate();
        Assert.Equal(0, await server.WaitForExitAsync(TimeSpan.FromSeconds(30)));

        Assert.NotEmpty(server.Output);
        Assert.All(server.Output, line =>
        {
            using var entry = JsonDocument.Parse(line);
            Assert.Matches(@"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$", entry.RootElement.GetProperty("timestamp").GetString());
            Assert.Contains(entry.RootElement.GetProperty("level").GetString()!, LogLevels);
            Assert.NotEmpty(entry.RootElement.GetProperty("event").GetString()!);
            Assert.NotEmpty(entry.RootElement.GetProperty("category").GetString()!);
            Assert.NotEmpty(entry.RootElement.GetProperty("message").GetString()!);
        });
        using var drained = JsonDocument.Parse(server.Output[^1]);
        Assert.Equal("Drained", drained.RootElement.GetProperty("event").GetString());
        Assert.Equal(0, drained.RootElement.GetProperty("fields").GetProperty("Lost").GetInt64());
    }

    [Fact]
    public async Task Logs_are_text_where_somebody_asks_for_it()
    {
        await using ServerProcess server = await ServerProcess.StartAsync(new Dictionary<string, string> { ["LOG_FORMAT"] = "text" });

        await Wait.UntilAsync( // it is ready first, then says so
            () => server.Output.Any(line => line.Contains(" info  Listening on ", StringComparison.Ordinal)), TimeSpan.FromSeconds(30),
            "the log's line that it listens", () => string.Join('\n', server.Output));
    }

    [Fact]
    public async Task A_start_tells_of_storage_that_cannot_be_used()
    {
        await using ServerProcess server = await ServerProcess.StartAsync(new Dictionary<string, string>
        {
            ["RAW_BUCKET"] = "events", ["S3_ENDPOINT"] = "http://127.0.0.1:1", ["AWS_ACCESS_KEY_ID"] = "a", ["AWS_SECRET_ACCESS_KEY"] = "b",
        });

        DateTime deadline = DateTime.UtcNow.AddSeconds(30);
        while (!server.Output.Any(line => line.Contains("Storage does not work now", StringComparison.Ordinal)) && DateTime.UtcNow < deadline)
        {
            await Task.Delay(20, TestContext.Current.CancellationToken);
        }

        string line = server.Output.First(line => line.Contains("Storage does not work now", StringComparison.Ordinal));
        Assert.Contains("http://127.0.0.1:1 cannot be reached (Connection refused)", line, StringComparison.Ordinal);
    }

    [Fact]
    public async Task LOG_LEVEL_holds_for_the_web_server_too()
    {
        await using ServerProcess server = await ServerProcess.StartAsync(
            new Dictionary<string, string> { ["LOG_LEVEL"] = "critical", ["MAX_CONNECTIONS"] = "1" });
        for (int i = 0; i < 3; i++)
        {
            // It warns of connections that it closes for others, and of those that it turns away.
            using RawHttp idle = await RawHttp.ConnectAsync(server.BaseAddress.Port);
            using RawHttp another = await RawHttp.ConnectAsync(server.BaseAddress.Port);
            await await Task.WhenAny(idle.UntilClosedAsync(), another.UntilClosedAsync());
        }

        Assert.Empty(server.Output);
    }
}
