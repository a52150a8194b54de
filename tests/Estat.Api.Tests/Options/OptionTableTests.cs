// Options come from three places, are checked before anything starts, and say in one line what is wrong with them.
using System.Net;
using Estat.Api.Options;
using Estat.Base.Options;
using Estat.Http.Options;
using Estat.Testing;

namespace Estat.Api.Tests.Options;

public sealed class OptionTableTests : IDisposable
{
    // For these the default is said in words, as it follows from the machine or is long.
    private static readonly string[] DefaultsInWords = ["ACK_ALLOWED", "PARTITIONS", "TRUSTED_PROXIES", "HTTP_TLS_KEY"];

    // These are not repeated: a log is no place for keys and passwords.
    private static readonly string[] HoldsSecrets = ["WRITE_KEYS", "TOPICS_DATABASE", "KAFKA_*"];

    private static readonly Dictionary<string, string> WrongValues = new()
    {
        ["SERVE"] = "collect,everything",
        ["REQUESTS_STORE"] = "redis",
        ["TOPICS_LOG"] = "pulsar",
        ["TOPICS_REPLICATION"] = "-1",
        ["KAFKA_*"] = "x",
        ["REQUESTS_TABLE"] = "a table",
        ["REQUESTS_DYNAMODB_ENDPOINT"] = "127.0.0.1:8000",
        ["REQUESTS_SEAL_AFTER"] = "1ms",
        ["REQUESTS_DECIDER_LEASE"] = "1ms",
        ["REQUESTS_DLQ_URL"] = "dead-letters",
        ["REQUESTS_SQS_ENDPOINT"] = "127.0.0.1:9324",
        ["REQUESTS_DIR"] = "re\0quests",
        ["REQUESTS_USER_HEADER"] = "X User",
        ["REQUESTS_MAX_BODY_SIZE"] = "64KB",
        ["REQUESTS_MAX_ATTEMPTS"] = "0",
        ["REQUESTS_QUEUE"] = "1",
        ["REQUESTS_MAX_WAITERS"] = "-1",
        ["REQUESTS_QUEUE_BYTES"] = "1023",
        ["REQUESTS_WEBHOOK_CALLS"] = "1",
        ["REQUESTS_WEBHOOK_NETWORKS"] = "10.0.0.0/33",
        ["REQUESTS_CACHE"] = "all",
        ["REQUESTS_USER_RATE"] = "0",
        ["REQUESTS_LEASE"] = "30",
        ["REQUESTS_OUTCOME_INTERVAL"] = "1ms",
        ["REQUESTS_OUTCOME_BATCH"] = "0",
        ["REQUESTS_MIN_FREE_BYTES"] = "10%",
        ["REQUESTS_BODY_RETENTION"] = "30d",
        ["TOPICS_DIR"] = "to\0pics",
        ["TOPICS_PARTITIONS"] = "0",
        ["TOPICS_AUTO_CREATE"] = "perhaps",
        ["TOPICS_MAX_TOPICS"] = "3",
        ["TOPICS_RETENTION"] = "7d",
        ["TOPICS_MAX_SIZE_BYTES"] = "10GB",
        ["TOPICS_SEGMENT_BYTES"] = "1",
        ["TOPICS_MIN_FREE_BYTES"] = "10%",
        ["TOPICS_QUEUE_BYTES"] = "1",
        ["TOPICS_MAX_BODY_SIZE"] = "8MB",
        ["TOPICS_MAX_MESSAGE_BYTES"] = "63",
        ["TOPICS_MAX_MESSAGES"] = "0",
        ["TOPICS_DEDUP"] = "0",
        ["TOPICS_DEDUP_MAX"] = "0",
        ["TOPICS_SINK"] = "sometimes",
        ["TOPICS_SINK_NAME"] = "my sink",
        ["TOPICS_DATABASE"] = "db.internal",
        ["TOPICS_DATABASE_FILE"] = "pass\0word",
        ["TOPICS_MIGRATE"] = "once",
        ["TOPICS_BATCH"] = "all",
        ["TOPICS_BATCH_BYTES"] = "1",
        ["TOPICS_TAKEOVER"] = "10",
        ["TOPICS_ORDER"] = "newest-first",
        ["TOPICS_KEEP"] = "30d",
        ["TOPICS_QUERY_CONNECTIONS"] = "0",
        ["TOPICS_QUERY_TIMEOUT"] = "1ms",
        ["HTTP_ADDR"] = "8080",
        ["ACK"] = "perhaps",
        ["RAW_BUCKET"] = "s3://events",
        ["RAW_PREFIX"] = "/raw",
        ["DLQ_PREFIX"] = "raw/../other",
        ["AWS_REGION"] = "Seoul, Korea",
        ["S3_ENDPOINT"] = "localhost:9000",
        ["S3_TIMEOUT"] = "3",
        ["S3_SSE"] = "aws:kms:mine",
        ["S3_SSE_KMS_KEY_ID"] = "a key",
        ["S3_ACL"] = "public-read",
        ["S3_STORAGE_CLASS"] = "DEEP_ARCHIVE",
        ["S3_EXPECT_CONTINUE"] = "perhaps",
        ["S3_APP_RETRIES"] = "-1",
        ["ACK_ALLOWED"] = "memory,paper",
        ["SPOOL_DIR"] = "sp\0ool",
        ["SPOOL_VOLATILE"] = "maybe",
        ["SPOOL_MAX_SIZE_BYTES"] = "1000",
        ["STORED_MAX_WAIT"] = "500",
        ["STORAGE_DIR"] = "da\0ta",
        ["DLQ_DIR"] = "d\0lq",
        ["DLQ_MAX_AGE"] = "1d",
        ["DLQ_MAX_SIZE_BYTES"] = "18GB",
        ["DLQ_FULL"] = "block",
        ["DISK_MIN_FREE_BYTES"] = "10%",
        ["RECOVERY_INTERVAL"] = "1ms",
        ["PARTITIONS"] = "0",
        ["CHANNEL_SIZE"] = "4,000",
        ["CHANNEL_BYTES"] = "1024",
        ["BATCH_SIZE"] = "0",
        ["BATCH_BYTES"] = "99999999999999999999",
        ["FLUSH_INTERVAL"] = "0",
        ["GZIP_LEVEL"] = "10",
        ["UPLOAD_QUEUE"] = "0",
        ["UPLOAD_CONCURRENCY"] = "many",
        ["MAX_BODY_SIZE"] = "16KB",
        ["MAX_BATCH_BODY_SIZE"] = "0x100",
        ["INFLIGHT_BYTES"] = "1",
        ["UNREAD_BYTES"] = "1",
        ["BODY_TIMEOUT"] = "-3s",
        ["HEADER_TIMEOUT"] = "2h",
        ["KEEPALIVE_TIMEOUT"] = "forever",
        ["MAX_CONNECTIONS"] = "1e6",
        ["CORS_ORIGINS"] = "shop.example",
        ["TRUSTED_PROXIES"] = "10.0.0.0/33",
        ["CAPTURE_COOKIE"] = "sometimes",
        ["WRITE_KEYS_FILE"] = "ke\0ys.json",
        ["WRITE_KEYS"] = "shop=short",
        ["OPEN_INGEST"] = "sometimes",
        ["IP_RATE"] = "fast",
        ["IP_BURST"] = "0",
        ["ADMIN_TOKEN"] = "short",
        ["ADMIN_TOKEN_FILE"] = "/no/such/file",
        ["HTTP_TLS_CERT"] = "c\0ert",
        ["HTTP_TLS_KEY"] = "k\0ey",
        ["SHUTDOWN_TIMEOUT"] = "10ms",
        ["SOCKETS"] = "outline",
        ["HTTP_FAST_DOOR"] = "ajar",
        ["LOG_LEVEL"] = "loud",
        ["LOG_FORMAT"] = "xml",
        ["OTEL_EXPORTER_OTLP_ENDPOINT"] = "collector:4317",
        ["OTEL_TRACES_SAMPLER"] = "sometimes",
        ["OTEL_TRACES_SAMPLER_ARG"] = "1.5",
        ["JWT_ISSUER"] = "\u007f",
        ["JWT_AUDIENCE"] = "\u007f",
        ["JWT_JWKS_FILE"] = "ke\0ys.json",
        ["JWT_CLAIM"] = "\u007f",
        ["JWT_CLOCK_SKEW"] = "1h",
        ["JWT_CACHE"] = "1",
        ["JWT_FAILURE_RATE"] = "0",
    };

    private readonly TempFolder _folder = new();

    private string SettingsFile => _folder["appsettings.json"];

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void A_wrong_value_of_any_option_is_told_in_one_line_with_name_value_and_what_it_takes()
    {
        Assert.All(OptionTable.All, option =>
        {
            string wrong = WrongValues[option.Name];
            OptionException error = Assert.Throws<OptionException>(() => Bind(environment: [(option.Name, wrong)]));
            Assert.StartsWith(HoldsSecrets.Contains(option.Name) ? $"{option.Name}: must be "
                : $"{option.Name}={wrong}: must be ", error.Message, StringComparison.Ordinal);
            Assert.DoesNotContain('\n', error.Message);
        });
    }

    [Fact]
    public void A_wrong_value_of_several_lines_is_told_in_one()
    {
        OptionException error = Assert.Throws<OptionException>(() => Bind(environment: [("RAW_PREFIX", "raw\r\nother")]));
        Assert.DoesNotContain('\n', error.Message);
        Assert.DoesNotContain('\r', error.Message);
    }

    [Fact]
    public void The_default_that_is_documented_is_the_default()
    {
        EstatOptions untouched = new();
        foreach (OptionSpec<EstatOptions> option in OptionTable.All.Where(option => option.Default.Length > 0
            && !DefaultsInWords.Contains(option.Name)))
        {
            EstatOptions bound = option.Apply(untouched, option.Default);
            Assert.Equal(untouched.Http.CorsOrigins, bound.Http.CorsOrigins);
            Assert.Equal(untouched.Serve, bound.Serve);
            HttpOptions http = bound.Http with { CorsOrigins = untouched.Http.CorsOrigins };
            Assert.True(bound with { Http = http, Serve = untouched.Serve } == untouched, $"{option.Name}={option.Default} is not the default");
        }
    }

    [Fact]
    public void The_seed_s_options_have_the_seed_s_defaults()
    {
        EstatOptions options = Bind();
        Assert.Equal((":8080", 16384, 4000, 4, 5000),
            (options.Http.HttpAddr, options.Collect.MaxBodySize, options.Collect.ChannelSize, options.Collect.UploadQueue,
                options.Collect.BatchSize));
        Assert.Equal(("raw", "raw_dlq", 2), (options.Collect.Storage.RawPrefix, options.Collect.Storage.DlqPrefix, options.Collect.S3AppRetries));
        Assert.Equal(
            (TimeSpan.FromSeconds(120), TimeSpan.FromSeconds(3), TimeSpan.FromHours(24)),
            (options.Collect.FlushInterval, options.Collect.Storage.S3Timeout, options.Collect.DlqMaxAge));
        Assert.Equal(19_327_352_832, options.Collect.DlqMaxSizeBytes);
        Assert.Null(options.Collect.Storage.RawBucket);
    }

    [Theory]
    [InlineData("7", "8", "9", 7)]
    [InlineData(null, "8", "9", 8)]
    [InlineData(null, null, "9", 9)]
    [InlineData(null, null, null, 5000)]
    [InlineData(null, "", "9", 9)]
    [InlineData(null, "  ", "9", 9)]
    [InlineData(null, "8 ", "9", 8)]
    public void The_command_line_goes_before_the_environment_and_that_before_the_file(
        string? argument, string? variable, string? setting, int expected)
    {
        File.WriteAllText(SettingsFile, setting is null ? "{}" : $$"""{ "BATCH_SIZE": {{setting}} }""");
        EstatOptions options = Bind(
            argument is null ? [] : [$"--BATCH_SIZE={argument}"], variable is null ? [] : [("BATCH_SIZE", variable)]);
        Assert.Equal(expected, options.Collect.BatchSize);
    }

    [Fact]
    public void An_argument_may_stand_apart_from_its_value()
    {
        Assert.Equal("events", Bind(["--RAW_BUCKET", "events", "--batch_size=3"]).Collect.Storage.RawBucket);
        Assert.Equal(3, Bind(["--RAW_BUCKET", "events", "--batch_size=3"]).Collect.BatchSize);
    }

    [Theory]
    [InlineData("--BATCHSIZE=3")]
    [InlineData("BATCH_SIZE=3")]
    [InlineData("-BATCH_SIZE=3")]
    [InlineData("--urls=http://*:80")]
    [InlineData("start")]
    public void An_argument_that_is_no_option_is_told(string argument)
    {
        OptionException error = Assert.Throws<OptionException>(() => Bind([argument]));
        Assert.StartsWith($"{argument}: no such option", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("--RAW_BUCKET")]
    [InlineData("--RAW_BUCKET", "--BATCH_SIZE=3")]
    [InlineData("--RAW_BUCKET", "--BATCH_SIZE", "3")]
    public void An_argument_without_its_value_is_told(params string[] arguments)
    {
        OptionException error = Assert.Throws<OptionException>(() => Bind(arguments));
        Assert.StartsWith("--RAW_BUCKET: has no value", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Names_that_differ_only_in_case_in_the_environment_are_no_obstacle()
    {
        // Very common: HTTP_PROXY beside http_proxy.
        EstatOptions options = Bind(environment: [("http_proxy", "http://proxy"), ("HTTP_PROXY", "http://proxy"), ("BATCH_SIZE", "3")]);
        Assert.Equal(3, options.Collect.BatchSize);
    }

    [Fact]
    public void Foreign_variables_of_the_environment_are_ignored() =>
        Assert.Equal(new EstatOptions().Collect.BatchSize, Bind(environment: [("PATH", "/bin"), ("BATCH", "3"), ("A:B", "c")]).Collect.BatchSize);

    [Theory]
    [InlineData("{ \"BATCH_SIZE\": 3")]
    [InlineData("BATCH_SIZE=3")]
    [InlineData("[]")]
    [InlineData("{ \"BATCH_SIZE\": 3, \"BATCH_SIZE\": 4 }")]
    [InlineData("")]
    public void A_broken_settings_file_is_told_in_one_line(string json)
    {
        File.WriteAllText(SettingsFile, json);
        OptionException error = Assert.Throws<OptionException>(() => Bind());
        Assert.StartsWith(SettingsFile, error.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', error.Message);
    }

    [Fact]
    public void A_wrong_value_in_the_settings_file_is_told()
    {
        File.WriteAllText(SettingsFile, """{ "GZIP_LEVEL": 0 }""");
        Assert.StartsWith("GZIP_LEVEL=0", Assert.Throws<OptionException>(() => Bind()).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_bulk_body_smaller_than_an_event_is_refused()
    {
        OptionException error = Assert.Throws<OptionException>(() => Bind(["--MAX_BODY_SIZE=2000", "--MAX_BATCH_BODY_SIZE=1999"]));
        Assert.Contains("MAX_BODY_SIZE (2000)", error.Message, StringComparison.Ordinal);
        Assert.Equal(2000, Bind(["--MAX_BODY_SIZE=2000", "--MAX_BATCH_BODY_SIZE=2000"]).Collect.MaxBatchBodySize);
    }

    [Theory]
    [InlineData("events")]
    [InlineData("events/bad")]
    public void The_quarantine_may_not_lie_under_the_objects_prefix(string prefix) =>
        Assert.Throws<OptionException>(() => Bind(["--RAW_PREFIX=events", $"--DLQ_PREFIX={prefix}"]));

    [Fact]
    public void The_quarantine_may_be_named_like_the_objects_prefix_and_more() =>
        Assert.Equal("events_dlq", Bind(["--RAW_PREFIX=events", "--DLQ_PREFIX=events_dlq"]).Collect.Storage.DlqPrefix);

    [Theory]
    [InlineData("events")]
    [InlineData("arn:aws:s3:eu-west-1:123456789012:accesspoint/events")]
    [InlineData("arn:aws-cn:s3:cn-north-1:123456789012:accesspoint:events")]
    public void A_bucket_is_a_name_or_an_access_point_of_one_region(string bucket) =>
        Assert.Equal(bucket, Bind([$"--RAW_BUCKET={bucket}"]).Collect.Storage.RawBucket);

    [Theory]
    [InlineData("arn:aws:s3::123456789012:accesspoint/mfzwi23gnjvgw.mrap")]
    [InlineData("arn:aws:s3:::events")]
    [InlineData("arn:aws:s3:eu-west-1:123456789012:accesspoint/")]
    [InlineData("arn:aws:s3-object-lambda:eu-west-1:123456789012:accesspoint/events")]
    [InlineData("arn:aws:s3:eu-west-1:123456789012:accesspoint/events", "--S3_ENDPOINT=http://127.0.0.1:9000")]
    public void What_is_no_access_point_of_one_region_is_refused(string bucket, params string[] besides) =>
        Assert.StartsWith("RAW_BUCKET=", Assert.Throws<OptionException>(() => Bind([$"--RAW_BUCKET={bucket}", .. besides])).Message,
            StringComparison.Ordinal);

    [Fact]
    public void A_KMS_key_wants_KMS_and_a_storage_class_of_a_store_s_own_is_taken()
    {
        Assert.Throws<OptionException>(() => Bind(["--S3_SSE_KMS_KEY_ID=alias/a", "--S3_SSE=AES256"]));
        EstatOptions options = Bind(
            ["--S3_SSE_KMS_KEY_ID=alias/a", "--S3_SSE=aws:kms", "--S3_STORAGE_CLASS=COLD_ec4-2", "--S3_EXPECT_CONTINUE=false"]);
        Assert.Equal(
            ("aws:kms", "alias/a", "COLD_ec4-2", false),
                (options.Collect.Storage.S3Sse, options.Collect.Storage.S3SseKmsKeyId, options.Collect.Storage.S3StorageClass,
                    options.Collect.Storage.S3ExpectContinue));
    }

    [Theory]
    [InlineData("none", "")]
    [InlineData("NONE", "")]
    [InlineData("203.0.113.7", "203.0.113.7/32")]
    [InlineData("10.0.0.0/8, 2001:db8::/32 ,::1", "10.0.0.0/8 2001:db8::/32 ::1/128")]
    [InlineData("::ffff:10.0.0.0/104,::ffff:192.0.2.1", "10.0.0.0/8 192.0.2.1/32")]
    public void Trusted_proxies_are_addresses_networks_or_none(string text, string expected) =>
        Assert.Equal(expected, string.Join(' ', Bind([$"--TRUSTED_PROXIES={text}"]).Http.TrustedProxies));

    [Theory]
    [InlineData("010.0.0.0/8")] // octal to some
    [InlineData("10.0.0.09")]
    [InlineData("127.1")]
    [InlineData("0x7f.0.0.1")]
    [InlineData("2130706433")]
    [InlineData("[::1]")]
    [InlineData("[::1]:80")]
    [InlineData("fe80::1%eth0")]
    [InlineData("fe80::%1/64")]
    [InlineData("::ffff:0:0/90")]
    [InlineData("10.0.0.0/")]
    [InlineData("10.0.0.0/8, proxy.example")]
    public void An_address_that_is_not_written_as_one_is_no_trusted_proxy(string text) =>
        Assert.Throws<OptionException>(() => Bind([$"--TRUSTED_PROXIES={text}"]));

    [Fact]
    public void Loopback_and_private_ranges_are_trusted_unless_told_otherwise()
    {
        IReadOnlyList<IPNetwork> trusted = Bind().Http.TrustedProxies;
        foreach (string address in new[] { "127.0.0.1", "::1", "10.1.2.3", "172.31.0.1", "192.168.1.1", "100.64.0.1", "fd00::1" })
        {
            Assert.Contains(trusted, network => network.Contains(IPAddress.Parse(address)));
        }

        foreach (string address in new[] { "8.8.8.8", "172.32.0.1", "100.128.0.1", "2001:db8::1" })
        {
            Assert.DoesNotContain(trusted, network => network.Contains(IPAddress.Parse(address)));
        }
    }

    [Theory]
    [InlineData("*", "*")]
    [InlineData("https://shop.example", "https://shop.example")]
    [InlineData("https://a.example, http://localhost:3000", "https://a.example http://localhost:3000")]
    [InlineData("https://한국.example:443,null", "https://xn--3e0b707e.example null")]
    public void Origins_are_a_star_or_a_list(string text, string expected) =>
        Assert.Equal(expected, string.Join(' ', Bind([$"--CORS_ORIGINS={text}"]).Http.CorsOrigins));

    [Theory]
    [InlineData("https://shop.example/")]
    [InlineData("https://shop.example/path")]
    [InlineData("https://shop.example?x=1")]
    [InlineData("https://shop.example#top")]
    [InlineData("https://user@shop.example")]
    [InlineData("ftp://shop.example")]
    [InlineData("https://shop.example, file://")]
    public void What_no_browser_sends_as_an_origin_is_refused(string text) =>
        Assert.Throws<OptionException>(() => Bind([$"--CORS_ORIGINS={text}"]));

    [Fact]
    public void Help_lists_every_option_with_what_it_takes()
    {
        string help = OptionBinding.Help(OptionTable.All);
        Assert.All(OptionTable.All, option =>
        {
            Assert.Contains($"  {option.Name}{Environment.NewLine}", help, StringComparison.Ordinal);
            Assert.Contains($"takes {option.Takes}", help, StringComparison.Ordinal);
        });
    }

    private EstatOptions Bind(string[]? arguments = null, (string Name, string Value)[]? environment = null) => OptionTable.Bind(
        arguments ?? [], (environment ?? []).Select(pair => KeyValuePair.Create(pair.Name, (string?)pair.Value)), SettingsFile);
}
