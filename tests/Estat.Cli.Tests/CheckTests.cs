// `estat check` where everything is right, and where one thing is wrong.
using System.Text.Json;
using Estat.Cli.Tests.Support;
using Estat.Testing;

namespace Estat.Cli.Tests;

[Collection(RgwTests.Name)]
public sealed class CheckTests(Rgw rgw)
{
    [Fact]
    public async Task A_good_configuration_is_ready_to_run_and_leaves_nothing_in_the_bucket()
    {
        rgw.OrSkip();
        using var folder = new TempFolder();
        string bucket = await rgw.Gateway.CreateBucketAsync();
        (int code, string output) = await EstatCommand.RunAsync(rgw.EnvironmentFor(bucket, folder), "check");
        Assert.True(code == 0, output);
        Assert.Contains("created, refused a second time, read, listed", output, StringComparison.Ordinal);
        Assert.Contains("Ready to run", output, StringComparison.Ordinal);
        Assert.Empty((await rgw.Gateway.Client.ListObjectsV2Async(new() { BucketName = bucket }, TestContext.Current.CancellationToken)).S3Objects
            ?? []);
        Assert.False(Directory.Exists(folder["spool"]));
    }

    [Fact]
    public async Task Wrong_credentials_a_missing_bucket_and_an_S3_that_is_down_are_told_apart_each_with_a_fix()
    {
        rgw.OrSkip();
        using var folder = new TempFolder();
        Dictionary<string, string> options = rgw.EnvironmentFor(await rgw.Gateway.CreateBucketAsync(), folder);
        var finding = await BadAsync(new(options) { ["AWS_SECRET_ACCESS_KEY"] = "wrong" }, "bucket");
        Assert.Contains("403", finding.Text, StringComparison.Ordinal);
        finding = await BadAsync(new(options) { ["RAW_BUCKET"] = "no-such-bucket" }, "bucket");
        Assert.Contains("NoSuchBucket", finding.Text, StringComparison.Ordinal);
        finding = await BadAsync(new(options) { ["S3_ENDPOINT"] = $"http://127.0.0.1:{FreePort.Next()}" }, "bucket");
        Assert.Contains("cannot be reached", finding.Text, StringComparison.Ordinal);
        Assert.Contains("keeps events on its disk", finding.Fix, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_policy_without_s3_GetObject_is_told_by_name_with_where_to_allow_it()
    {
        rgw.OrSkip();
        using var folder = new TempFolder();
        string bucket = await rgw.Gateway.CreateBucketAsync();
        string statement = $$"""{"Effect":"Deny","Principal":"*","Action":["s3:GetObject"],"Resource":["arn:aws:s3:::{{bucket}}/raw_dlq/*"]}""";
        await rgw.Gateway.Client.PutBucketPolicyAsync(
            new() { BucketName = bucket, Policy = $$"""{"Version":"2012-10-17","Statement":[{{statement}}]}""" },
            TestContext.Current.CancellationToken);

        (string text, string fix) = await BadAsync(rgw.EnvironmentFor(bucket, folder), "bucket");

        Assert.Contains("GET raw_dlq/", text, StringComparison.Ordinal);
        Assert.Contains("403 AccessDenied", text, StringComparison.Ordinal);
        Assert.StartsWith("allow s3:GetObject on raw/* and raw_dlq/* of the bucket", fix, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_policy_without_s3_GetObject_on_events_alone_is_told_as_well()
    {
        using var folder = new TempFolder();
        using StoreStub s3 = StoreStub.Start();
        s3.Instead = request => request.HttpMethod == "HEAD" && request.Url!.AbsolutePath.Contains("/raw/", StringComparison.Ordinal)
            ? StubAnswer.Error(403, "AccessDenied") : null;

        (string text, string fix) = await BadAsync(OptionsFor(s3, folder), "bucket");

        Assert.Contains("HEAD raw/", text, StringComparison.Ordinal);
        Assert.StartsWith("allow s3:GetObject on raw/* and raw_dlq/* of the bucket", fix, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_store_whose_uploads_need_a_HEAD_that_is_refused_is_told_and_the_probe_is_deleted_all_the_same()
    {
        using var folder = new TempFolder();
        using StoreStub s3 = StoreStub.Start();
        s3.ETag = _ => "\"as of SSE-KMS\"";
        // It may be asked for what is not there, as it is for keys that a policy does not name.
        s3.Instead = request => request.HttpMethod == "HEAD" && s3.Keys.Any(key => request.Url!.AbsolutePath.EndsWith(key, StringComparison.Ordinal))
            ? StubAnswer.Error(403, "AccessDenied") : null;

        (string text, string fix) = await BadAsync(OptionsFor(s3, folder), "bucket");

        Assert.Contains("HEAD raw_dlq/", text, StringComparison.Ordinal);
        Assert.Contains("s3:GetObject", fix, StringComparison.Ordinal);
        Assert.Empty(s3.Keys);
    }

    [Fact]
    public async Task A_clock_that_is_wrong_is_told_by_S3s()
    {
        rgw.OrSkip();
        Assert.SkipUnless(FakeClock.Available(out string reason), reason);
        using var folder = new TempFolder();
        using var clock = new FakeClock();
        clock.Set(TimeSpan.FromMinutes(-20));
        Dictionary<string, string> options = rgw.EnvironmentFor(await rgw.Gateway.CreateBucketAsync(), folder);
        options["S3_TIMEOUT"] = "30s";
        foreach ((string name, string value) in clock.Environment)
        {
            options[name] = value;
        }

        Assert.Contains("behind storage's", (await BadAsync(options, "clock")).Text, StringComparison.Ordinal);
        Assert.Contains("This machine's clock is off: set it by NTP", (await BadAsync(options, "bucket")).Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_store_that_overwrites_is_told_and_the_probe_is_deleted_all_the_same()
    {
        using var folder = new TempFolder();
        using StoreStub s3 = StoreStub.Start();
        s3.Overwrites = true;
        Assert.Contains(
            "took a second object under the same object key", (await BadAsync(OptionsFor(s3, folder), "bucket")).Text, StringComparison.Ordinal);
        Assert.Empty(s3.Keys);
    }

    [Fact]
    public async Task An_access_point_is_asked_under_its_own_name_in_its_own_region()
    {
        using var folder = new TempFolder();
        await using AwsStandIn aws = await AwsStandIn.StartAsync();
        var options = new Dictionary<string, string>(SendTests.LocalServer(folder))
        {
            ["RAW_BUCKET"] = "arn:aws:s3:eu-west-1:123456789012:accesspoint/events",
            ["AWS_ACCESS_KEY_ID"] = "key",
            ["AWS_SECRET_ACCESS_KEY"] = "secret",
            ["HTTP_ADDR"] = $"127.0.0.1:{FreePort.Next()}",
            ["HTTPS_PROXY"] = aws.Url,
        };
        options.Remove("STORAGE_DIR");
        Assert.Contains("cannot be reached", (await BadAsync(options, "bucket")).Text, StringComparison.Ordinal);
        Assert.Equal(["events-123456789012.s3-accesspoint.eu-west-1.amazonaws.com:443"], aws.Tunnels.Distinct());

        foreach (string refused in new[] { "arn:aws:s3::123456789012:accesspoint/mfzwi23gnjvgw.mrap",
            "arn:aws:s3-object-lambda:eu-west-1:123456789012:accesspoint/a", "arn:aws:s3:::bucket" })
        {
            options["RAW_BUCKET"] = refused;
            (int code, string output) = await EstatCommand.RunAsync(options, "check");
            Assert.Equal((2, true), (code, output.Contains("the ARN of an access point of one region", StringComparison.Ordinal)));
        }
    }

    [Fact]
    public async Task A_disk_that_is_full_or_read_only_is_told_before_a_start_fails_on_it()
    {
        Assert.SkipUnless(SmallDisk.Available(out string reason), reason);
        using var folder = new TempFolder();
        using var disk = new SmallDisk(1 << 20);
        Dictionary<string, string> options = SendTests.LocalServer(folder);
        options["HTTP_ADDR"] = $"127.0.0.1:{FreePort.Next()}";
        options["SPOOL_DIR"] = disk.Path;
        disk.Fill();
        Assert.Contains("cannot be written", (await BadAsync(options, "spool")).Text, StringComparison.Ordinal);
        await Command.SucceedAsync(TimeSpan.FromSeconds(30), "mount", "-o", "remount,ro", disk.Path);
        Assert.Contains("Read-only", (await BadAsync(options, "spool")).Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_disk_that_has_bytes_and_no_inodes_is_told_as_that()
    {
        Assert.SkipUnless(SmallDisk.Available(out string reason), reason);
        using var folder = new TempFolder();
        using var disk = new SmallDisk(4 << 20);
        await Command.SucceedAsync(TimeSpan.FromSeconds(30), "mount", "-o", "remount,nr_inodes=2", disk.Path);
        await File.WriteAllTextAsync(Path.Combine(disk.Path, "last"), "", TestContext.Current.CancellationToken);
        Dictionary<string, string> options = SendTests.LocalServer(folder);
        options["HTTP_ADDR"] = $"127.0.0.1:{FreePort.Next()}";
        options["SPOOL_DIR"] = disk.Path;
        Assert.StartsWith("No inodes are left on its disk (df -i)", (await BadAsync(options, "spool")).Fix, StringComparison.Ordinal);
        options["SPOOL_DIR"] = folder["spool"];
        options["STORAGE_DIR"] = disk.Path;
        Assert.Contains("No inodes are left on its disk (df -i)", (await BadAsync(options, "storage")).Text, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Beside_a_running_server_its_folders_and_port_are_known_as_its_own(bool tls)
    {
        using var folder = new TempFolder();
        Dictionary<string, string> options = SendTests.LocalServer(folder);
        if (tls)
        {
            TestCertificate.Create(DateTimeOffset.UtcNow, TimeSpan.FromDays(90)).WriteTo(folder);
            options["HTTP_TLS_CERT"] = folder["tls.crt"];
            options["HTTP_TLS_KEY"] = folder["tls.key"];
        }

        options["HTTP_ADDR"] = $"127.0.0.1:{FreePort.Next()}";
        await using ServerProcess server = await ServerProcess.StartAsync(options);
        (int code, string output) = await EstatCommand.RunAsync(options, "check");
        Assert.True(code == 0, output);
        Assert.Contains("a running server owns it", output, StringComparison.Ordinal);
        Assert.Contains("another Estat listens there", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_broken_file_of_keys_and_a_certificate_that_is_none_are_told_each_with_a_fix()
    {
        using var folder = new TempFolder();
        await File.WriteAllTextAsync(folder["keys.json"], """{"keys":[{"name":"shop"}]}""", TestContext.Current.CancellationToken);
        await File.WriteAllTextAsync(folder["cert.pem"], "mine", TestContext.Current.CancellationToken);
        var options = new Dictionary<string, string>
        {
            ["HTTP_ADDR"] = $"127.0.0.1:{FreePort.Next()}", ["STORAGE_DIR"] = folder["data"], ["SPOOL_DIR"] = folder["spool"],
                ["DLQ_DIR"] = folder["dlq"], ["SPOOL_VOLATILE"] = "true",
            ["WRITE_KEYS_FILE"] = folder["keys.json"], ["HTTP_TLS_CERT"] = folder["cert.pem"],
        };
        Assert.Contains("sha256", (await BadAsync(options, "write keys")).Text, StringComparison.Ordinal);
        Assert.Contains("HTTP_TLS_CERT", (await BadAsync(options, "tls")).Text, StringComparison.Ordinal);
    }

    private static Dictionary<string, string> OptionsFor(StoreStub s3, TempFolder folder)
    {
        var options = new Dictionary<string, string>(SendTests.LocalServer(folder))
        {
            ["RAW_BUCKET"] = "bucket",
            ["S3_ENDPOINT"] = s3.Endpoint.ToString(),
            ["AWS_REGION"] = "us-east-1",
            ["AWS_ACCESS_KEY_ID"] = "key",
            ["AWS_SECRET_ACCESS_KEY"] = "secret",
            ["HTTP_ADDR"] = $"127.0.0.1:{FreePort.Next()}",
        };
        options.Remove("STORAGE_DIR");
        return options;
    }

    private static async Task<(string Text, string Fix)> BadAsync(Dictionary<string, string> options, string check)
    {
        (int code, string output) = await EstatCommand.RunAsync(options, "check", "--json");
        Assert.True(code == 1, output);
        using var json = JsonDocument.Parse(output.Split('\n').First(line => line.StartsWith('{')));
        Assert.False(json.RootElement.GetProperty("ok").GetBoolean());
        JsonElement finding = json.RootElement.GetProperty("findings").EnumerateArray()
            .First(found => found.GetProperty("check").GetString() == check && found.GetProperty("verdict").GetString() == "Bad");
        return (finding.GetProperty("text").GetString()!, finding.GetProperty("fix").GetString()!);
    }
}
