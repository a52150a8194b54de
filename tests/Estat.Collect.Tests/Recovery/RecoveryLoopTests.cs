// What lies in the DLQ goes to RAW when it is sound and to the quarantine when it is not; nothing of it is ever lost or doubled.
using System.Text;
using Estat.Base.Storage;
using Estat.Collect.Batching;
using Estat.Collect.Conservation;
using Estat.Collect.Dlq;
using Estat.Collect.Options;
using Estat.Lake.Names;
using Microsoft.Extensions.Logging;

namespace Estat.Collect.Tests.Recovery;

public sealed class RecoveryLoopTests : IAsyncDisposable
{
    private static readonly TimeSpan Second = TimeSpan.FromSeconds(1);
    private readonly TempFolder _folder = new();
    private readonly FolderPlace _place = new();

    private string Dlq => _folder["dlq"];

    public async ValueTask DisposeAsync()
    {
        await _place.DisposeAsync();
        _folder.Dispose();
    }

    [Fact]
    public async Task A_sound_file_goes_to_RAW_under_the_key_that_its_meta_names()
    {
        string key = DlqFiles.NewKey().Replace("raw/", "an/earlier/prefix/", StringComparison.Ordinal);
        DlqFiles.Put(Dlq, key, ["a", "b"]);
        using RecoveryRig rig = Start();
        Assert.True(await rig.TickAsync());
        Assert.Equal([key], await _place.KeysAsync());
        Assert.Equal(["a", "b"], await _place.BodiesAsync());
        Assert.Empty(DlqFiles.NamesIn(Dlq));
        Assert.Equal(new Balance(0, 2, 2, 0, 0, 0, 0, 0), rig.Ledger.Read());
        Assert.Equal((0, 0), (rig.Dlq.Files, rig.Dlq.Bytes));
    }

    [Theory]
    [InlineData("missing", null)]
    [InlineData("empty", "")]
    [InlineData("no JSON", "{\"num_events\": 2, \"ke")]
    [InlineData("null", "null")]
    [InlineData("without its fields", "{}")]
    [InlineData("with another form", "{\"num_events\":2,\"key\":\"k\",\"created\":\"2026-01-01T00:00:00Z\",\"reason\":\"\",\"next_due\":\"2026-01-01T00:00:00Z\",\"sha256\":\"\",\"form\":\"zstd\"}")]
    [InlineData("without a key",
        "{\"num_events\":2,\"key\":null,\"created\":\"2026-01-01T00:00:00Z\",\"reason\":\"\",\"next_due\":\"2026-01-01T00:00:00Z\",\"sha256\":\"\"}")]
    [InlineData("zeros, as after a power cut", "\0\0\0\0\0\0\0\0")]
    public async Task Without_a_readable_meta_the_name_says_the_key_and_the_content_the_seal(string what, string? meta)
    {
        string key = DlqFiles.NewKey();
        string payload = DlqFiles.Put(Dlq, key, ["a", "b"], withMeta: false);
        if (meta is not null)
        {
            File.WriteAllText(payload + ".meta.json", meta);
            File.SetLastWriteTimeUtc(payload + ".meta.json", DateTime.UnixEpoch);
        }

        using RecoveryRig rig = Start();
        Assert.True(await rig.TickAsync(), what);
        Assert.Equal([key], await _place.KeysAsync());
        Assert.Equal(["a", "b"], await _place.BodiesAsync());
        Assert.Equal(new Balance(0, 2, 2, 0, 0, 0, 0, 0), rig.Ledger.Read());
        Assert.Empty(DlqFiles.NamesIn(Dlq));
    }

    [Fact]
    public async Task A_file_without_meta_is_counted_once_however_often_it_is_tried()
    {
        DlqFiles.Put(Dlq, DlqFiles.NewKey(), ["a", "b"], withMeta: false);
        using RecoveryRig rig = Start();
        rig.Store.Fails = StorageFailure.Transient;
        for (int n = 0; n < 6; n++)
        {
            Assert.False(await rig.TickAsync());
        }

        rig.Store.Fails = null;
        await rig.RecoverAllAsync();
        Assert.Equal(new Balance(0, 2, 2, 0, 0, 0, 0, 0), rig.Ledger.Read());
    }

    [Fact]
    public async Task A_file_that_no_node_named_is_stored_all_the_same()
    {
        Directory.CreateDirectory(Dlq);
        string payload = _folder["dlq/brought by hand.jsonl.gz"];
        File.WriteAllBytes(payload, EventLines.Gzip(EventLines.Encode(["a"])));
        File.SetLastWriteTimeUtc(payload, new DateTime(2026, 1, 2, 3, 4, 5, DateTimeKind.Utc));
        using RecoveryRig rig = Start();
        await rig.RecoverAllAsync();
        Assert.Equal(["raw/dt=2026-01-02/hr=03/brought by hand.jsonl.gz"], await _place.KeysAsync());
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_file_cut_anywhere_goes_to_the_quarantine_as_it_is(bool withMeta)
    {
        string[] bodies = EventLines.Bodies(40);
        byte[] whole = EventLines.ReadAll(Batches.Of("raw/a.jsonl.gz", bodies).OpenContent());
        var cut = new Dictionary<string, byte[]>();
        for (int length = 0; length < whole.Length; length++)
        {
            string key = DlqFiles.NewKey();
            cut.Add($"raw_dlq/{ObjectKeys.NameOf(key)}.jsonl.gz", whole[..length]);
            DlqFiles.Put(Dlq, key, bodies, whole[..length], withMeta);
        }

        using RecoveryRig rig = Start();
        await rig.RecoverAllAsync();
        Assert.Equal(cut.Keys.Order(StringComparer.Ordinal), await _place.KeysAsync());
        foreach ((string key, byte[] bytes) in cut)
        {
            Assert.Equal(bytes, await _place.ReadAsync(key));
        }

        long events = withMeta ? 40 * cut.Count : 0;
        Assert.Equal(new Balance(0, events, 0, 0, 0, 0, events, 0), rig.Ledger.Read());
        Assert.Equal(cut.Count, rig.Metrics.Value("estat_files_quarantined_total"));
    }

    [Fact]
    public async Task A_file_with_a_flipped_bit_goes_to_RAW_only_if_its_lines_are_the_sealed_ones()
    {
        string[] bodies = EventLines.Bodies(40);
        byte[] whole = EventLines.ReadAll(Batches.Of("raw/a.jsonl.gz", bodies).OpenContent());
        var flipped = new Dictionary<string, byte[]>();
        for (int at = 0; at < whole.Length; at++)
        {
            byte[] bytes = [.. whole];
            bytes[at] ^= (byte)(1 << (at % 8));
            string key = DlqFiles.NewKey();
            flipped.Add(key, bytes);
            DlqFiles.Put(Dlq, key, bodies, bytes, withMeta: at % 2 == 0);
        }

        using RecoveryRig rig = Start();
        await rig.RecoverAllAsync();
        var keys = (await _place.KeysAsync()).ToHashSet();
        Assert.Equal(flipped.Count, keys.Count);
        int quarantined = 0;
        foreach ((string key, byte[] bytes) in flipped)
        {
            if (keys.Contains(key))
            {
                Assert.Equal(bodies, EventLines.DecodeGzip(await _place.ReadAsync(key)));
            }
            else
            {
                quarantined++;
                Assert.Equal(bytes, await _place.ReadAsync($"raw_dlq/{ObjectKeys.NameOf(key)}.jsonl.gz"));
            }
        }

        Assert.InRange(quarantined, flipped.Count - 10, flipped.Count); // gzip's header has a few bytes that nobody reads
    }

    [Theory]
    [InlineData("nothing")]
    [InlineData("zeros")]
    [InlineData("plain JSONL")]
    [InlineData("gzip of nothing")]
    [InlineData("gzip of text")]
    [InlineData("gzip with an empty line")]
    [InlineData("gzip of two values in a line")]
    [InlineData("gzip without the last newline")]
    [InlineData("two gzip members")]
    [InlineData("other bytes follow it")]
    [InlineData("zeros behind it")]
    public async Task What_is_no_gzip_JSONL_goes_to_the_quarantine_as_it_is(string what)
    {
        byte[] lines = EventLines.Encode(["a", "b"]);
        byte[] gzip = EventLines.Gzip(lines);
        byte[] content = what switch
        {
            "nothing" => [],
            "zeros" => new byte[5000],
            "plain JSONL" => lines,
            "gzip of nothing" => EventLines.Gzip([]),
            "gzip of text" => EventLines.Gzip(Encoding.UTF8.GetBytes("not JSON, though a whole line\n")),
            "gzip with an empty line" => EventLines.Gzip([.. lines, (byte)'\n']),
            "gzip of two values in a line" => EventLines.Gzip([.. lines[..^1], .. lines]),
            "gzip without the last newline" => EventLines.Gzip(lines[..^1]),
            "two gzip members" => [.. gzip, .. gzip],
            "other bytes follow it" => [.. gzip, .. "foreign"u8],
            _ => [.. gzip, .. new byte[4096]],
        };
        string key = DlqFiles.NewKey();
        DlqFiles.Put(Dlq, key, ["a", "b"], content, withMeta: false);
        using RecoveryRig rig = Start();
        await rig.RecoverAllAsync();
        string quarantine = $"raw_dlq/{ObjectKeys.NameOf(key)}.jsonl.gz";
        Assert.Equal([quarantine], await _place.KeysAsync());
        Assert.Equal(content, await _place.ReadAsync(quarantine));
    }

    [Fact]
    public async Task Sound_lines_that_are_not_the_sealed_ones_go_to_the_quarantine()
    {
        string key = DlqFiles.NewKey();
        DlqFiles.Put(Dlq, key, ["a", "b"], EventLines.Gzip(EventLines.Encode(["a", "x"])));
        using RecoveryRig rig = Start();
        await rig.RecoverAllAsync();
        Assert.Equal([$"raw_dlq/{ObjectKeys.NameOf(key)}.jsonl.gz"], await _place.KeysAsync());
        Assert.Equal(new Balance(0, 2, 0, 0, 0, 0, 2, 0), rig.Ledger.Read());
    }

    [Theory]
    [InlineData("sound")]
    [InlineData("cut")]
    [InlineData("not the sealed lines")]
    [InlineData("gzip of text")]
    public async Task A_crash_between_upload_and_removal_costs_no_second_object(string what)
    {
        byte[]? payload = what switch
        {
            "sound" => null,
            "cut" => EventLines.Gzip(EventLines.Encode(["a", "b"]))[..^5],
            "not the sealed lines" => EventLines.Gzip(EventLines.Encode(["x"])),
            _ => EventLines.Gzip(Encoding.UTF8.GetBytes("text\n")),
        };
        string key = DlqFiles.NewKey();
        for (int start = 0; start < 3; start++)
        {
            DlqFiles.Put(Dlq, key, ["a", "b"], payload);
            using RecoveryRig rig = Start();
            await rig.RecoverAllAsync();
            Assert.Equal(0, rig.Metrics.Value("estat_key_conflicts_total"));
        }

        Assert.Single(await _place.KeysAsync());
    }

    [Fact]
    public async Task A_batch_that_could_not_be_compressed_goes_to_the_quarantine_from_the_DLQ_too()
    {
        string key = DlqFiles.NewKey();
        byte[] lines = EventLines.Encode(["a", "b"]);
        DlqFiles.Put(Dlq, key, ["a", "b"], lines, change: meta => meta with { Form = BatchForm.Raw });
        using RecoveryRig rig = Start();
        await rig.RecoverAllAsync();
        Assert.Equal([$"raw_dlq/{ObjectKeys.NameOf(key)}.jsonl"], await _place.KeysAsync());
        Assert.Equal(["a", "b"], EventLines.Decode(await _place.ReadAsync($"raw_dlq/{ObjectKeys.NameOf(key)}.jsonl")));
        Assert.Equal(new Balance(0, 2, 0, 0, 0, 0, 2, 0), rig.Ledger.Read());
    }

    [Fact]
    public async Task Nothing_is_tried_while_uploads_are_busy()
    {
        bool idle = false;
        DlqFiles.Put(Dlq, DlqFiles.NewKey(), ["a"]);
        using var rig = new RecoveryRig(_place, Dlq, idle: () => idle);
        Assert.False(await rig.TickAsync());
        Assert.Equal(0, rig.Store.Creates);
        idle = true;
        Assert.True(await rig.TickAsync());
    }

    [Fact]
    public async Task Each_failure_of_a_file_doubles_its_wait_up_to_a_minute_and_a_restart_forgets_none()
    {
        string payload = DlqFiles.Put(Dlq, DlqFiles.NewKey(), ["a"]);
        var time = new ManualTimeProvider();
        foreach (int failures in new[] { 1, 2, 3, 4, 5, 6, 7, 8, 9 })
        {
            // A new process each time.
            using RecoveryRig rig = Start(time);
            rig.Store.Fails = StorageFailure.Refused;
            Assert.False(await rig.TickAsync());
            Assert.False(await rig.TickAsync());
            Assert.False(await rig.TickAsync());
            Assert.Equal(1, rig.Store.Creates);
            DlqMeta meta = DlqDirectory.ReadMeta(payload)!;
            double full = Math.Min(60, Math.Pow(2, failures - 1));
            Assert.Equal(failures, meta.Attempts);
            Assert.InRange((meta.NextDue - time.UtcNow).TotalSeconds, full / 2, full);
            Assert.Contains("switched off", meta.Reason, StringComparison.Ordinal);
            time.Advance(meta.NextDue - time.UtcNow);
        }

        using RecoveryRig last = Start(time);
        await last.RecoverAllAsync();
        Assert.Equal(["a"], await _place.BodiesAsync());
    }

    [Fact]
    public async Task What_the_store_refuses_is_told_once_and_an_outage_not_for_each_file()
    {
        DlqFiles.Put(Dlq, DlqFiles.NewKey(), ["a"]);
        var time = new ManualTimeProvider();
        using RecoveryRig rig = Start(time);
        foreach (StorageFailure failure in new[] { StorageFailure.Transient, StorageFailure.Refused, StorageFailure.Refused })
        {
            rig.Store.Fails = failure;
            await rig.TickAsync();
            time.Advance(TimeSpan.FromMinutes(2));
        }

        Assert.Equal(3, rig.Store.Creates);
        Assert.Contains("refused", Assert.Single(rig.Log.Of(LogLevel.Warning)), StringComparison.OrdinalIgnoreCase);
    }

    [Fact]
    public async Task An_old_file_raises_the_alarm_once_and_is_uploaded_all_the_same()
    {
        DateTimeOffset opened = new ManualTimeProvider().UtcNow - TimeSpan.FromHours(24);
        DlqFiles.Put(Dlq, DlqFiles.NewKey(opened), ["old"]);
        DlqFiles.Put(Dlq, DlqFiles.NewKey(opened + Second), ["young"]);
        var time = new ManualTimeProvider();
        using (RecoveryRig rig = Start(time))
        {
            rig.Store.Fails = StorageFailure.Refused;
            await rig.TickAsync();
            await rig.TickAsync();
            Assert.Equal(1, rig.Metrics.Value("dlq_files_expired_total"));
        }

        using RecoveryRig restarted = Start(time);
        time.Advance(TimeSpan.FromSeconds(0.99));
        await restarted.TickAsync();
        await restarted.TickAsync();
        Assert.Equal(0, restarted.Metrics.Value("dlq_files_expired_total"));
        time.Advance(Second);
        await restarted.RecoverAllAsync();
        Assert.Equal(["old", "young"], await _place.BodiesAsync());
        Assert.Equal(0, restarted.Ledger.Read().Dropped);
    }

    [Fact]
    public async Task Old_files_on_a_full_disk_are_uploaded_though_no_meta_can_be_written()
    {
        Assert.SkipUnless(SmallDisk.Available(out string reason), reason);
        using var disk = new SmallDisk(256 * 1024);
        DateTimeOffset opened = new ManualTimeProvider().UtcNow - TimeSpan.FromDays(3);
        DlqFiles.Put(disk.Path, DlqFiles.NewKey(opened), ["a"]);
        DlqFiles.Put(disk.Path, DlqFiles.NewKey(opened), ["b"]);
        using var rig = new RecoveryRig(_place, disk.Path);
        File.WriteAllBytes(Path.Combine(disk.Path, "filler"), new byte[disk.FreeBytes]);
        rig.Store.Fails = StorageFailure.Refused;
        await rig.TickAsync();
        await rig.TickAsync();
        rig.Store.Fails = null;
        for (int n = 0; n < 6; n++)
        {
            await rig.TickAsync();
        }

        Assert.Equal(["filler"], DlqFiles.NamesIn(disk.Path));
        Assert.Equal(["a", "b"], await _place.BodiesAsync());
    }

    [Fact]
    public async Task That_a_full_disk_takes_no_new_due_times_is_told_once_and_not_for_each_attempt()
    {
        Assert.SkipUnless(SmallDisk.Available(out string reason), reason);
        using var disk = new SmallDisk(256 * 1024);
        Array.ForEach([1, 2, 3], _ => DlqFiles.Put(disk.Path, DlqFiles.NewKey(), ["a"]));
        disk.Fill();
        using var rig = new RecoveryRig(_place, disk.Path);
        rig.Store.Fails = StorageFailure.Refused;
        string[] NotNoted() => [.. rig.Log.Of(LogLevel.Warning).Where(line => line.Contains("Could not save", StringComparison.Ordinal))];
        for (int n = 0; n < 9; n++)
        {
            await rig.TickAsync();
        }

        Assert.True(rig.Store.Creates > 3, $"{rig.Store.Creates} attempts");
        Assert.Single(NotNoted());

        File.Delete(Path.Combine(disk.Path, "ballast"));
        for (int n = 0; n < 3; n++)
        {
            await rig.TickAsync();
        }

        disk.Fill();
        rig.Time.Advance(Backoff.Dlq.Longest);
        await rig.TickAsync();
        Assert.Equal(2, NotNoted().Length);
    }

    [Fact]
    public async Task A_thousand_files_that_fail_do_not_keep_the_next_one_from_its_turn()
    {
        const int Stuck = 1000;
        for (int n = 0; n < Stuck; n++)
        {
            DlqFiles.Put(Dlq, DlqFiles.NewKey(Batches.Opened.AddSeconds(-Stuck + n)), ["stuck"]);
        }

        string good = DlqFiles.NewKey(Batches.Opened);
        DlqFiles.Put(Dlq, good, ["good"]);
        var time = new ManualTimeProvider(Batches.Opened);
        using RecoveryRig rig = Start(time);
        rig.Store.Fails = StorageFailure.Refused;
        rig.Store.FailsFor = key => key != good;
        int ticks = 0;
        for (; ticks < 3 * Stuck && rig.Ledger.Read().Stored == 0; ticks++)
        {
            await rig.TickAsync();
            time.Advance(Second);
        }

        Assert.Equal(["good"], await _place.BodiesAsync());
        Assert.InRange(rig.Store.Creates, 1, ticks); // one file a tick
    }

    [Theory]
    [InlineData("../../outside.jsonl.gz")]
    [InlineData("")]
    public async Task A_meta_that_names_an_impossible_key_keeps_no_other_file_from_its_turn(string key)
    {
        string bad = DlqFiles.Put(Dlq, DlqFiles.NewKey(), ["bad"], change: meta => meta with { Key = key });
        DlqFiles.Put(Dlq, DlqFiles.NewKey(Batches.Opened.AddHours(1)), ["good"]);
        using RecoveryRig rig = Start();
        for (int n = 0; n < 4; n++)
        {
            await rig.TickAsync();
        }

        Assert.Equal(["good"], await _place.BodiesAsync());
        Assert.True(File.Exists(bad));
    }

    private RecoveryRig Start(ManualTimeProvider? time = null) => new(_place, Dlq, time, new CollectOptions { DlqMaxAge = TimeSpan.FromHours(24) });
}
