// The oracle itself: what it calls lost, doubled, refused but found, elsewhere.
using System.IO.Compression;
using System.Text;
using Amazon.S3;
using Amazon.S3.Model;
using Estat.Testing;

namespace Estat.Api.Tests.Chaos;

public sealed class LevelAuditTests(RealS3 s3)
{
    private const string Key = "raw/dt=2026-01-02/hr=03/1_a_1.jsonl.gz";

    [Fact]
    public void An_event_found_once_is_in_order_and_a_lost_or_doubled_one_is_told_at_its_level()
    {
        SendReport report = Report((AckNames.Memory, Acknowledged(1, 2)), (AckNames.Disk, Acknowledged(3, 4, 5)));

        var levels = Audit.ByLevel(report, [Raw(1), Raw(2), Raw(3), Raw(4), Raw(4)]);

        Assert.True(levels[AckNames.Memory].Numbers.Clean);
        Assert.Equal(2, levels[AckNames.Memory].Numbers.FoundOnce);
        Assert.Equal([5], levels[AckNames.Disk].Numbers.Lost);
        Assert.Equal([4], levels[AckNames.Disk].Numbers.Duplicated);
        Assert.Equal(1, levels[AckNames.Disk].Numbers.FoundOnce);
    }

    [Fact]
    public void Found_in_two_places_is_doubled_also_if_it_was_never_acknowledged()
    {
        var level = new LevelReport { Unknown = { 7 } };

        LevelAudit audit = Audit.ByLevel(Report((AckNames.Disk, level)), [Raw(7), new FoundEvent(7, "x", FoundPlace.Quarantine)])[AckNames.Disk];

        Assert.Equal([7], audit.Numbers.Duplicated);
        Assert.Equal([7], audit.Numbers.NeverAcknowledged);
    }

    [Fact]
    public void A_refused_event_that_is_found_is_told_and_one_of_unknown_fate_is_not()
    {
        var level = new LevelReport { Unknown = { 7 }, Refused = { 8, 9 } };

        LevelAudit audit = Audit.ByLevel(Report((AckNames.Disk, level)), [Raw(7), Raw(8)])[AckNames.Disk];

        Assert.Equal([8], audit.RefusedButFound);
        Assert.Equal([7, 8], audit.Numbers.NeverAcknowledged);
        Assert.True(audit.Numbers.Clean);
    }

    [Fact]
    public void An_event_in_another_object_than_its_answer_named_is_told_and_one_in_the_rest_of_it_is_not()
    {
        var level = new LevelReport { Acknowledged = { [1] = Key, [2] = Key, [3] = Key, [4] = null, [5] = Key } };

        LevelAudit audit = Audit.ByLevel(
            Report((AckNames.Stored, level)),
            [Raw(1), Raw(2, Key.Replace(".jsonl", "_rest.jsonl", StringComparison.Ordinal)), Raw(3, "raw/else.jsonl.gz"), Raw(4),
                Raw(5, Key.Replace("_1.", "_11.", StringComparison.Ordinal))])[AckNames.Stored];

        Assert.Equal([3, 5], audit.Elsewhere);
    }

    [Fact]
    public void Ids_are_found_between_bytes_that_are_no_text_in_what_is_left_of_a_gzip_and_only_if_they_are_whole()
    {
        byte[] frames = [0, 255, 10, .. Line(12), 200, 1, 0, .. Line(13), .. Encoding.UTF8.GetBytes("{\"body\":\"{\\\"id\\\":\\\"0123abcd-14")];
        using var packed = new MemoryStream();
        using (var gzip = new GZipStream(packed, CompressionLevel.Fastest, leaveOpen: true))
        {
            gzip.Write(frames);
        }

        Assert.Equal([12, 13], Findings.NumbersIn(frames, "0123abcd"));
        Assert.Equal([12, 13], Findings.NumbersIn(packed.ToArray(), "0123abcd"));
        Assert.Equal([12, 13], Findings.NumbersIn(packed.ToArray()[..^8], "0123abcd"));
        Assert.Empty(Findings.NumbersIn(frames, "aaaaaaaa"));
    }

    [Fact]
    public async Task What_lies_in_the_bucket_the_quarantine_the_DLQ_and_the_spool_is_found_and_what_is_both_in_DLQ_and_bucket_only_once()
    {
        using var folder = new TempFolder();
        string bucket = await s3.Rgw.CreateBucketAsync();
        await PutAsync(bucket, Key, Packed(Line(1)));
        await PutAsync(bucket, "raw_dlq/torn.seg", [0, .. Line(2), 0]);
        Directory.CreateDirectory(folder["dlq"]);
        Directory.CreateDirectory(folder["spool"]);
        await File.WriteAllBytesAsync(folder["dlq/1_a_1.jsonl.gz"], Packed(Line(1)));
        await File.WriteAllBytesAsync(folder["dlq/2_a_2.jsonl.gz"], Packed(Line(3)));
        await File.WriteAllBytesAsync(folder["spool/3_a_3.seg"], [7, .. Line(4), 7]);

        Findings found = await Findings.ReadAsync(s3.Rgw.Client, bucket, "raw", "raw_dlq", folder["dlq"], folder["spool"], "0123abcd");

        Assert.Equal(
            [(1, FoundPlace.Raw), (2, FoundPlace.Quarantine), (3, FoundPlace.Dlq)], found.Events.Select(e => (e.Number, e.Place)).Order());
        Assert.Equal([4], found.InSpool);
        Assert.Equal((1, 1, 2, 1), (found.RawObjects, found.QuarantineObjects, found.DlqFiles, found.SpoolFiles));
    }

    [Fact]
    public async Task Every_write_of_an_object_counts_though_only_the_last_is_left_to_see()
    {
        using var folder = new TempFolder();
        string bucket = await s3.Rgw.CreateBucketAsync();
        GatewayLog log = s3.Rgw.LogOf(bucket);
        await PutAsync(bucket, Key, Packed(Line(1)));
        await PutAsync(bucket, Key, Packed(Line(1)));
        await PutAsync(bucket, "raw/once.jsonl.gz", Packed(Line(2)));
        await Assert.ThrowsAsync<AmazonS3Exception>(() => s3.Rgw.Client.PutObjectAsync(
            new PutObjectRequest { BucketName = bucket, Key = "raw/once.jsonl.gz", ContentBody = "x", IfNoneMatch = "*", UseChunkEncoding = false }));

        Findings found = await Findings.ReadAsync(s3.Rgw.Client, bucket, "raw", "raw_dlq", folder["dlq"], folder["spool"], "0123abcd");
        IReadOnlyDictionary<string, int> writes = await log.WritesAsync();

        Assert.Equal(2, writes[Key]);
        Assert.Equal(1, writes["raw/once.jsonl.gz"]);
        Assert.Equal([1, 2], found.Events.Select(e => e.Number).Order());
        Assert.Equal([1, 1, 2], found.With(writes).Events.Select(e => e.Number).Order());
        Assert.Equal([Key], found.With(writes).WrittenAgain.Keys);
        Assert.Throws<InvalidDataException>(() => found.With(new Dictionary<string, int>()));
    }

    private static LevelReport Acknowledged(params long[] numbers)
    {
        var level = new LevelReport();
        foreach (long number in numbers)
        {
            level.Acknowledged[number] = Key;
        }

        return level;
    }

    private static FoundEvent Raw(long number, string key = Key) => new(number, key, FoundPlace.Raw);

    private static SendReport Report(params (string Level, LevelReport Report)[] levels) =>
        new(levels.SelectMany(l => l.Report.Acknowledged.Keys).ToHashSet(), 0, [], new Dictionary<int, long>(), TimeSpan.Zero)
        {
            Levels = levels.ToDictionary(l => l.Level, l => l.Report),
        };

    private static byte[] Line(long number) => Encoding.UTF8.GetBytes(
        $"{{\"ts\":1,\"ip\":\"::1\",\"user_agent\":\"\",\"body\":\"{{\\\"id\\\":\\\"0123abcd-{number}\\\",\\\"n\\\":{number}}}\"}}\n");

    private static byte[] Packed(byte[] content)
    {
        using var packed = new MemoryStream();
        using (var gzip = new GZipStream(packed, CompressionLevel.Fastest, leaveOpen: true))
        {
            gzip.Write(content);
        }

        return packed.ToArray();
    }

    private async Task PutAsync(string bucket, string key, byte[] content)
    {
        using var stream = new MemoryStream(content);
        await s3.Rgw.Client.PutObjectAsync(new PutObjectRequest { BucketName = bucket, Key = key, InputStream = stream, UseChunkEncoding = false });
    }
}
