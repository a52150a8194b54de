// One object that the store does not give is named, and the rest counts; a store that gives nothing ends it. And what other tools leave beside
// events.
using System.Text.Json;
using Amazon.S3.Model;
using Estat.Cli.Tests.Support;
using Estat.Testing;

namespace Estat.Cli.Tests.Lake;

[Collection(LakeTests.Name)]
public sealed class RefusedObjectTests(LakeBucket lake)
{
    [Theory]
    [InlineData("InvalidObjectState", "restore it first")]
    [InlineData("AccessDenied", "Check the credentials and the bucket's policy")]
    [InlineData("KMS.DisabledException", "Check the KMS key")]
    public async Task An_object_that_is_refused_is_named_and_the_rest_counts(string code, string advice)
    {
        (string refused, int others) = await OneAndOthersAsync();
        await using RefusingStore store = await RefusingStore.StartAsync(
            lake.Rgw.Endpoint, path => path.EndsWith(refused, StringComparison.Ordinal) ? code : null);
        Dictionary<string, string> environment = lake.Environment(lake.Name, store.Url);

        (int exit, string output) = await EstatCommand.RunAsync(environment, "query", "--json", "--by", "day", "--quiet");
        Assert.Equal(1, exit);
        Assert.Contains($"{refused}: the store does not give it: 403 {code} refused", output, StringComparison.Ordinal);
        Assert.Contains(advice, output, StringComparison.Ordinal);
        Assert.Equal(others, Summary(output).GetProperty("matched").GetInt32());

        (exit, output) = await EstatCommand.RunAsync(environment, "verify", "--json", "--quiet");
        Assert.Equal(1, exit);
        Assert.Contains($"{{\"kind\":\"unreadable\",\"key\":\"{refused}\"", output, StringComparison.Ordinal);
        JsonElement summary = Summary(output);
        Assert.Equal((true, others, 1), (summary.GetProperty("complete").GetBoolean(), summary.GetProperty("events").GetInt32(),
            summary.GetProperty("found").GetProperty("unreadable").GetInt32()));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_replay_takes_the_rest_and_says_what_it_could_not_take(bool intoFolder)
    {
        (string refused, int others) = await OneAndOthersAsync();
        using var folder = new TempFolder();
        await using RefusingStore store = await RefusingStore.StartAsync(
            lake.Rgw.Endpoint, path => path.EndsWith(refused, StringComparison.Ordinal) ? "InvalidObjectState" : null);
        await using ServerProcess server = await ServerProcess.StartAsync(SendTests.LocalServer(folder));
        string to = intoFolder ? folder["copy"] : server.BaseAddress.ToString();
        (int exit, string output) = await EstatCommand.RunAsync(
            lake.Environment(lake.Name, store.Url), "replay", "--to", to, "--json", "--quiet", "--checkpoint", folder["checkpoint"]);
        Assert.True(exit == 1, output);
        Assert.Contains($"{{\"failed\":\"{refused}\",\"reason\":\"the store does not give it: 403 InvalidObjectState", output,
            StringComparison.Ordinal);
        JsonElement summary = Summary(output);
        Assert.Equal((true, 1), (summary.GetProperty("complete").GetBoolean(), summary.GetProperty("failed").GetInt32()));
        if (intoFolder)
        {
            Assert.Equal(others, StoredEvents.FromFolder(folder["copy"]).Count);
        }
        else
        {
            Assert.Equal(others, summary.GetProperty("events").GetInt32());
        }
    }

    [Fact]
    public async Task One_object_of_the_quarantine_that_is_archived_keeps_nobody_from_the_others()
    {
        string bucket = await lake.Rgw.CreateBucketAsync();
        foreach (string name in new[] { "1700000000_a-1_1.gz", "1700000000_a-1_2.gz" })
        {
            await lake.Rgw.Client.PutObjectAsync(new PutObjectRequest { BucketName = bucket, Key = $"raw_dlq/{name}", ContentBody = "broken" });
        }

        using var folder = new TempFolder();
        await using RefusingStore store = await RefusingStore.StartAsync(
            lake.Rgw.Endpoint, path => path.EndsWith("_1.gz", StringComparison.Ordinal) ? "InvalidObjectState" : null);
        var options = new Dictionary<string, string>(SendTests.LocalServer(folder));
        options.Remove("STORAGE_DIR");
        foreach ((string name, string value) in lake.Environment(bucket, store.Url))
        {
            options[name] = value;
        }

        await using ServerProcess server = await ServerProcess.StartAsync(options);
        using JsonDocument list = JsonDocument.Parse(await server.Client.GetStringAsync(new Uri("/admin/quarantine", UriKind.Relative)));
        string?[] reasons = [.. list.RootElement.GetProperty("objects").EnumerateArray().Select(found => found.GetProperty("reason").GetString())];
        Assert.Equal(2, reasons.Length);
        Assert.Contains("InvalidObjectState", reasons[0], StringComparison.Ordinal);

        (int exit, string output) = await EstatCommand.RunAsync(options, "verify", "--json", "--quiet");
        Assert.True(exit == 0, output);
        Assert.Contains("\"quarantined\":\"raw_dlq/1700000000_a-1_2.gz\"", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_store_that_gives_no_object_at_all_ends_it_and_so_do_credentials_that_expire()
    {
        foreach (string code in new[] { "AccessDenied", "ExpiredToken" })
        {
            await using RefusingStore store = await RefusingStore.StartAsync(lake.Rgw.Endpoint, _ => code);
            (int exit, string output) = await EstatCommand.RunAsync(lake.Environment(lake.Name, store.Url), "verify", "--json", "--quiet");
            Assert.Equal(1, exit);
            Assert.Contains($"estat: s3://{lake.Name}: GET", output, StringComparison.Ordinal);
            Assert.DoesNotContain("summary", output, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task Markers_of_other_tools_are_no_findings_and_hold_no_events()
    {
        string bucket = await lake.Rgw.CreateBucketAsync();
        string key = (await lake.ObjectsAsync(lake.Name)).Keys.First();
        await lake.Rgw.Client.CopyObjectAsync(
            new CopyObjectRequest { SourceBucket = lake.Name, SourceKey = key, DestinationBucket = bucket, DestinationKey = key });
        string day = key[..(key.LastIndexOf("/hr=", StringComparison.Ordinal) + 1)];
        foreach ((string marker, string content) in new[] { ("raw_$folder$", ""), ("raw/_SUCCESS", ""),
            ($"{day}_SUCCESS", "{\n \"name\": \"S3A\"\n}\n"), ($"{day}hr=00_$folder$", ""), ("raw/mine/", "") })
        {
            await lake.Rgw.Client.PutObjectAsync(new PutObjectRequest { BucketName = bucket, Key = marker, ContentBody = content });
        }

        Dictionary<string, string> environment = lake.Environment(bucket);
        (int exit, string output) = await EstatCommand.RunAsync(environment, "verify", "--json", "--quiet");
        Assert.True(exit == 0, output);
        Assert.Equal((1, 4), (Summary(output).GetProperty("objects").GetInt32(), Summary(output).GetProperty("markers").GetInt32()));
        (exit, output) = await EstatCommand.RunAsync(environment, "query", "--json", "--by", "day", "--quiet");
        Assert.True(exit == 0, output);

        await lake.Rgw.Client.PutObjectAsync(new PutObjectRequest { BucketName = bucket, Key = "raw/x_$folder$", ContentBody = "something" });
        (exit, output) = await EstatCommand.RunAsync(environment, "verify", "--json", "--quiet");
        Assert.Equal(1, exit);
        Assert.Contains("{\"kind\":\"foreign-key\",\"key\":\"raw/x_$folder$\"", output, StringComparison.Ordinal);
    }

    private async Task<(string Refused, int Others)> OneAndOthersAsync()
    {
        string key = (await lake.ObjectsAsync(lake.Name)).Keys.Skip(1).First();
        GetObjectMetadataResponse head = await lake.Rgw.Client.GetObjectMetadataAsync(lake.Name, key, TestContext.Current.CancellationToken);
        return (key, LakeBucket.Events - int.Parse(head.Metadata["estat-events"], System.Globalization.CultureInfo.InvariantCulture));
    }

    private static JsonElement Summary(string output) =>
        JsonDocument.Parse(output.Split('\n').First(line => line.StartsWith("{\"summary\"", StringComparison.Ordinal))).RootElement.GetProperty(
            "summary");
}
