// `estat verify` over a real bucket: silent where all is well, and never where something is not.
using System.Text.Json;
using Amazon.S3.Model;
using Estat.Cli.Tests.Support;
using Estat.Testing;

namespace Estat.Cli.Tests.Lake;

[Collection(LakeTests.Name)]
public sealed class VerifyTests(LakeBucket lake)
{
    [Fact]
    public async Task A_clean_bucket_has_no_finding_and_every_event_is_there_once()
    {
        (int code, string output) = await EstatCommand.RunAsync(
            lake.Environment(lake.Name), "verify", "--unique-by", "$.n", "--json", "--quiet", "--memory-mb", "1");
        Assert.Equal((0, 1), (code, output.Split('\n').Length));
        JsonElement summary = JsonDocument.Parse(output).RootElement.GetProperty("summary");
        Assert.Equal((LakeBucket.Events, true), (summary.GetProperty("events").GetInt32(), summary.GetProperty("complete").GetBoolean()));
        Assert.Equal(summary.GetProperty("objects").GetInt32(), summary.GetProperty("sealed").GetInt32());
        Assert.True(summary.GetProperty("hash_bytes_on_disk").GetInt64() > 0, "1 MB of hashes did not spill");
    }

    [Fact]
    public async Task Each_kind_of_damage_is_found_where_it_is()
    {
        string bucket = await lake.Rgw.CreateBucketAsync();
        string[] keys = [.. (await lake.ObjectsAsync(lake.Name)).Keys.Take(8)];
        string other = keys[0].Replace("_1.jsonl.gz", "_999999.jsonl.gz", StringComparison.Ordinal);
        string rest = keys[7].Replace(".jsonl.gz", "_rest.jsonl.gz", StringComparison.Ordinal);
        byte[][] all = [.. await Task.WhenAll(keys.Select(ReadAsync))];
        await PutAsync(bucket, keys[0], all[0], keys[0]);
        await PutAsync(bucket, other, all[0], keys[0]);                                      // the same object twice
        await PutAsync(bucket, keys[1], all[1][..^5], keys[1]);                              // cut in its trailer
        byte[] flipped = [.. all[2]];
        flipped[flipped.Length / 2] ^= 0x10;
        await PutAsync(bucket, keys[2], flipped, keys[2]);
        await PutAsync(bucket, keys[3], all[3], keys[4]);                                    // somebody else's seal
        await PutAsync(bucket, keys[4], Gzip([.. Gunzip(all[4]), .. "{\"ts\":1\n"u8]), keys[4]); // a broken line, and one too many
        await lake.Rgw.Client.PutObjectAsync(new PutObjectRequest { BucketName = bucket, Key = "raw/notes.txt", ContentBody = "mine" });
        await lake.Rgw.Client.PutObjectAsync(new PutObjectRequest { BucketName = bucket, Key = keys[6], InputStream = new MemoryStream(all[6]) });
        await PutAsync(bucket, keys[7], all[7], keys[7]);
        await PutAsync(bucket, rest, Gzip(Gunzip(all[5])), keys[5]);                         // a remainder that repeats its original
        byte[] doubled = Gunzip(all[5]);
        int line = doubled.AsSpan().IndexOf((byte)'\n') + 1;
        await PutAsync(bucket, keys[5], Gzip([.. doubled, .. doubled[..line]]), keys[5]);    // one event twice
        (int code, string output) = await EstatCommand.RunAsync(
            lake.Environment(bucket), "verify", "--unique-by", "$.n", "--json", "--quiet", "--findings", "100000");
        Assert.Equal(1, code);
        HashSet<(string, string)> found = [.. output.Split('\n').Select(text => JsonDocument.Parse(text).RootElement)
            .Where(element => element.TryGetProperty("kind", out _))
                .Select(element => (element.GetProperty("kind").GetString()!, element.GetProperty("key").GetString()!))];
        string gzipTwice = string.CompareOrdinal(keys[0], other) < 0 ? other : keys[0];
        HashSet<(string, string)> expected =
        [
            ("duplicate-object", gzipTwice), ("duplicate-event", gzipTwice), ("gzip", keys[1]), ("gzip", keys[2]), ("seal", keys[3]),
            ("line", keys[4]), ("seal", keys[4]),
            ("foreign-key", "raw/notes.txt"), ("no-seal", keys[6]), ("metadata", keys[6]), ("overlap", rest), ("seal", keys[5]),
            ("duplicate-event", keys[5]),
        ];
        expected.ExceptWith(found);
        Assert.Empty(expected);
        found.RemoveWhere(pair => pair.Item1 == "duplicate-event"); // of the remainder too, in either place
        Assert.Equal(11, found.Count);
        Assert.Contains($"\"key\":\"{keys[4]}\",\"line\":{Gunzip(all[4]).Count(b => b == '\n') + 1}", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Interrupted_it_goes_on_from_its_checkpoint_and_finds_what_lies_on_either_side()
    {
        using var folder = new TempFolder();
        using FaultProxy proxy = FaultProxy.Start(lake.Rgw.Port);
        proxy.Fault = Fault.Slow(30_000);
        string[] args = ["verify", "--prefix", "", "--unique-by", "$.n", "--json", "--checkpoint", folder.Path, "--parallel", "2"];
        string covered;
        await using (ChildProcess first = EstatCommand.Start(lake.Environment(lake.Name, proxy.Endpoint), args))
        {
            await Wait.UntilAsync(() => first.AllOutput.Contains("a.txt", StringComparison.Ordinal), LakeBucket.Limit, "the first finding");
            first.Interrupt();
            Assert.Equal(130, await first.WaitForExitAsync(LakeBucket.Limit));
            covered = first.AllOutput;
        }

        Assert.Contains("the same command continues from there", covered, StringComparison.Ordinal);
        Assert.Contains("\"complete\":false", covered, StringComparison.Ordinal);
        (int code, string output) = await EstatCommand.RunAsync(lake.Environment(lake.Name), args);
        Assert.Equal(1, code); // a.txt, which the first run told
        Assert.DoesNotContain("\"key\":\"a.txt\"", output, StringComparison.Ordinal);
        Assert.Contains($"\"events\":{LakeBucket.Events},", output, StringComparison.Ordinal);
        Assert.Contains("\"found\":{\"foreign-key\":1}", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Its_checkpoint_has_one_owner_and_goes_on_with_the_time_that_it_began_with()
    {
        using var folder = new TempFolder();
        using FaultProxy proxy = FaultProxy.Start(lake.Rgw.Port);
        proxy.Fault = Fault.Slow(30_000);
        string[] args = ["verify", "--since", "24h", "--json", "--checkpoint", folder.Path, "--parallel", "2"];
        await using (ChildProcess first = EstatCommand.Start(lake.Environment(lake.Name, proxy.Endpoint), args))
        {
            await Wait.UntilAsync(() =>
                first.AllOutput.Contains(" object", StringComparison.Ordinal), LakeBucket.Limit, "an object to be verified", () => first.AllOutput);
            (int refused, string why) = await EstatCommand.RunAsync(lake.Environment(lake.Name), args);
            Assert.Equal(1, refused);
            Assert.Contains("another process owns this folder", why, StringComparison.Ordinal);
            first.Interrupt();
            Assert.Equal(130, await first.WaitForExitAsync(LakeBucket.Limit));
        }

        (int code, string output) = await EstatCommand.RunAsync(lake.Environment(lake.Name), args);
        Assert.True(code == 0, output);
        Assert.Contains("continuing after", output, StringComparison.Ordinal);
        Assert.Contains($"\"events\":{LakeBucket.Events},", output, StringComparison.Ordinal);
    }

    private static byte[] Gunzip(byte[] content) => StoredEvents.Decompress("object", content);

    private static byte[] Gzip(byte[] content)
    {
        using var stream = new MemoryStream();
        using (var gzip = new System.IO.Compression.GZipStream(stream, System.IO.Compression.CompressionLevel.Fastest))
        {
            gzip.Write(content);
        }

        return stream.ToArray();
    }

    private async Task<byte[]> ReadAsync(string key)
    {
        using GetObjectResponse answer = await lake.Rgw.Client.GetObjectAsync(lake.Name, key);
        using var copy = new MemoryStream();
        await answer.ResponseStream.CopyToAsync(copy);
        return copy.ToArray();
    }

    // With the metadata of an object of the lake.
    private async Task PutAsync(string bucket, string key, byte[] content, string sealOf)
    {
        GetObjectMetadataResponse head = await lake.Rgw.Client.GetObjectMetadataAsync(lake.Name, sealOf);
        var request = new PutObjectRequest { BucketName = bucket, Key = key, InputStream = new MemoryStream(content),
            ContentType = head.Headers.ContentType };
        request.Headers.ContentEncoding = head.Headers.ContentEncoding;
        foreach (string name in head.Metadata.Keys)
        {
            request.Metadata[name] = head.Metadata[name];
        }

        await lake.Rgw.Client.PutObjectAsync(request);
    }
}
