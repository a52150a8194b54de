// The quarantine of a real bucket: what lies there is shown, tried again, and given up.
using System.Text.Json;
using Estat.Testing;

namespace Estat.Api.Tests.Administration;

public sealed class QuarantinePagesTests(RealS3 s3)
{
    [Fact]
    public async Task The_quarantine_of_a_bucket_is_listed_tried_again_and_discarded()
    {
        using var folder = new TempFolder();
        string bucket = await s3.Rgw.CreateBucketAsync();
        await using ServerProcess server = await ServerProcess.StartAsync(s3.Options(bucket, folder));
        server.Client.DefaultRequestHeaders.Add("X-Estat-Admin", "1");
        // As a node lays there what gzip had failed, and what nobody can read.
        const string Line = "{\"ts\":1,\"ip\":\"\",\"user_agent\":\"\",\"body\":\"late\"}\n";
        string mended = $"raw_dlq/1700000000_{new string('a', 32)}-1_1.jsonl";
        string broken = $"raw_dlq/1700000000_{new string('a', 32)}-1_2.jsonl.gz";
        await PutAsync(bucket, mended, Line, events: 1);
        await PutAsync(bucket, broken, "no gzip \u0001", events: 7);

        JsonElement list = await GetAsync(server, "/admin/quarantine?limit=1");
        Assert.Equal(mended, list.GetProperty("next").GetString());
        list = await GetAsync(server, $"/admin/quarantine?after={mended}");
        JsonElement listed = Assert.Single(list.GetProperty("objects").EnumerateArray());
        Assert.Equal((broken, 7, "a test's wish"),
            (listed.GetProperty("key").GetString(), listed.GetProperty("events").GetInt64(), listed.GetProperty("reason").GetString()));
        Assert.Equal("no gzip \u0001", (await GetAsync(server, $"/admin/quarantine/preview?key={broken}")).GetProperty("lines")[0].GetString());

        Assert.Equal("failed", (await SendAsync(server, HttpMethod.Post, $"/admin/quarantine/retry?key={broken}")).GetProperty("outcome")
            .GetString());
        Assert.Equal("stored", (await SendAsync(server, HttpMethod.Post, $"/admin/quarantine/retry?key={mended}")).GetProperty("outcome")
            .GetString());
        Assert.Equal(7, (await SendAsync(server, HttpMethod.Delete, $"/admin/quarantine?key={broken}&events=7")).GetProperty("discarded").GetInt64());
        Assert.Empty((await GetAsync(server, "/admin/quarantine")).GetProperty("objects").EnumerateArray());

        Assert.Equal([$"raw/dt=2023-11-14/hr=22/1700000000_{new string('a', 32)}-1_1.jsonl.gz"], (await s3.Rgw.Client.ListObjectsV2Async(
            new Amazon.S3.Model.ListObjectsV2Request { BucketName = bucket })).S3Objects.Select(found => found.Key));
        Dictionary<string, long> at = AdministeredServer.Conserved(await GetAsync(server, "/admin/state"));
        Assert.Equal((8, 1, 7, 0), (at["found"], at["stored"], at["dropped"], at["quarantined"]));
        server.Terminate();
        await server.WaitForExitAsync(AdministeredServer.Patience);
    }

    private async Task PutAsync(string bucket, string key, string text, int events)
    {
        var request = new Amazon.S3.Model.PutObjectRequest { BucketName = bucket, Key = key, ContentBody = text };
        request.Metadata.Add("estat-events", events.ToString(System.Globalization.CultureInfo.InvariantCulture));
        request.Metadata.Add("estat-bytes", "1");
        request.Metadata.Add("estat-sha256", new string('0', 64));
        request.Metadata.Add("estat-last-sequence", "1");
        request.Metadata.Add("estat-reason", "a test's wish");
        await s3.Rgw.Client.PutObjectAsync(request);
    }

    private static Task<JsonElement> GetAsync(ServerProcess server, string path) => SendAsync(server, HttpMethod.Get, path);

    private static async Task<JsonElement> SendAsync(ServerProcess server, HttpMethod method, string path)
    {
        using var request = new HttpRequestMessage(method, path);
        using HttpResponseMessage answer = await server.Client.SendAsync(request);
        string text = await answer.Content.ReadAsStringAsync();
        Assert.True(answer.IsSuccessStatusCode, text);
        using var document = JsonDocument.Parse(text);
        return document.RootElement.Clone();
    }
}
