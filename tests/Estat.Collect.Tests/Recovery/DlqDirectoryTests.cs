// The DLQ's folder: pairs that are whole or not there, one owner, and an honest count.
using System.Collections.Concurrent;
using System.Runtime.InteropServices;
using System.Text.Json;
using Estat.Collect.Batching;
using Estat.Collect.Conservation;
using Estat.Collect.Dlq;
using Estat.Collect.Options;
using Estat.Lake.Names;
using Microsoft.Extensions.Logging;

namespace Estat.Collect.Tests.Recovery;

public sealed class DlqDirectoryTests : IDisposable
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(10);
    private readonly TempFolder _folder = new();
    private readonly ManualTimeProvider _time = new(DateTimeOffset.UtcNow);
    private readonly ObjectKeys _keys = new("raw", ObjectKeys.NewInstance());
    private readonly Ledger _ledger = new(() => 100, () => 0);

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void A_pair_says_what_it_is_and_when_it_is_due()
    {
        using DlqDirectory dlq = Open();
        string key = _keys.Next(Batches.Opened);
        using SealedBatch batch = Batches.Of(key, ["a", "b"]);
        dlq.Add(batch, "no answer");
        string payload = Path.Combine(dlq.Folder, ObjectKeys.NameOf(key) + ".jsonl.gz");
        Assert.Equal(["a", "b"], EventLines.DecodeGzip(File.ReadAllBytes(payload)));
        JsonElement meta = JsonDocument.Parse(File.ReadAllBytes(payload + ".meta.json")).RootElement;
        Assert.Equal((2, key), (meta.GetProperty("num_events").GetInt32(), meta.GetProperty("key").GetString()));
        Assert.Equal(("no answer", 0), (meta.GetProperty("reason").GetString(), meta.GetProperty("attempts").GetInt32()));
        Assert.Equal((Batches.Opened, batch.Seal.Sha256), (meta.GetProperty("created").GetDateTimeOffset(), meta.GetProperty("sha256").GetString()));
        DateTimeOffset due = meta.GetProperty("next_due").GetDateTimeOffset();
        Assert.InRange(due, _time.UtcNow, _time.UtcNow + TimeSpan.FromSeconds(1));
        Assert.Equal(due.UtcDateTime, File.GetLastWriteTimeUtc(payload + ".meta.json"));
        Assert.Equal((1, batch.ContentBytes), (dlq.Files, dlq.Bytes));
        Assert.Equal((98, 2), (_ledger.Read().Buffered, _ledger.Read().Dlq));
    }

    [Fact]
    public async Task The_meta_comes_first_and_goes_last_so_that_the_payload_commits_the_pair()
    {
        using DlqDirectory dlq = Open();
        var events = new ConcurrentQueue<string>();
        using var watcher = new FileSystemWatcher(dlq.Folder);
        watcher.Renamed += (_, change) => events.Enqueue($"+{Path.GetExtension(change.Name)}");
        watcher.Deleted += (_, change) => events.Enqueue($"-{Path.GetExtension(change.Name)}");
        watcher.EnableRaisingEvents = true;
        using SealedBatch batch = Batches.Of(_keys.Next(Batches.Opened), ["a"]);
        dlq.Add(batch, "no answer");
        dlq.Remove(Path.Combine(dlq.Folder, ObjectKeys.NameOf(batch.Key) + ".jsonl.gz"), 1, Place.Stored);
        await Wait.UntilAsync(() => events.Count == 4, Limit, "four changes of names", () => string.Join(' ', events));
        Assert.Equal(["+.json", "+.gz", "-.gz", "-.json"], events);
    }

    [Fact]
    public void A_payload_that_does_not_fit_the_disk_leaves_nothing_behind()
    {
        Assert.SkipUnless(SmallDisk.Available(out string reason), reason);
        using var disk = new SmallDisk(256 * 1024);
        using DlqDirectory dlq = Open(new CollectOptions { DlqDir = disk.Path });
        File.WriteAllBytes(Path.Combine(disk.Path, "filler"), new byte[disk.FreeBytes - 16384]);
        using SealedBatch batch = Batches.Of(_keys.Next(Batches.Opened), ["a"], _ => throw new InvalidOperationException("raw"));
        using SealedBatch large = Batches.Of(_keys.Next(Batches.Opened), EventLines.Bodies(2000), _ => throw new InvalidOperationException("raw"));
        dlq.Add(batch, "fits");
        long before = dlq.Bytes;
        Assert.Throws<IOException>(() => dlq.Add(large, "does not fit"));
        Assert.Equal((1, before, 1), (dlq.Files, dlq.Bytes, _ledger.Read().Dlq));
        Assert.Equal(3, DlqFiles.NamesIn(disk.Path).Length);
    }

    [Fact]
    public void A_folder_has_one_owner_at_a_time()
    {
        using (Open())
        {
            IOException error = Assert.ThrowsAny<IOException>(() => Open());
            Assert.Contains("DLQ_DIR=", error.Message, StringComparison.Ordinal);
            Assert.Contains("another process owns this folder", error.Message, StringComparison.Ordinal);
        }

        Open().Dispose();
    }

    [Fact]
    public void Stock_is_taken_of_what_an_earlier_process_left_and_its_litter_is_removed()
    {
        string first = DlqFiles.Put(_folder["dlq"], DlqFiles.NewKey(), ["a", "b"]);
        string second = DlqFiles.Put(_folder["dlq"], DlqFiles.NewKey(), ["c"], withMeta: false);
        string orphan = DlqFiles.Put(_folder["dlq"], DlqFiles.NewKey(), ["d"]);
        File.Delete(orphan);
        string temporary = _folder["dlq/.tmp-1"];
        File.WriteAllText(temporary, "");
        File.SetLastWriteTimeUtc(temporary, DateTime.UtcNow.AddMinutes(-1));
        File.WriteAllText(_folder["dlq/README"], "someone's");
        using DlqDirectory dlq = Open();
        dlq.TakeStock(TestContext.Current.CancellationToken);
        Assert.Equal((2, new FileInfo(first).Length + new FileInfo(second).Length), (dlq.Files, dlq.Bytes));
        Assert.Equal((2, 2), (_ledger.Read().Found, _ledger.Read().Dlq)); // what the second file holds shows when it is read
        Assert.Equal(
            new[] { "README", Path.GetFileName(first), Path.GetFileName(first) + ".meta.json", Path.GetFileName(second) }.Order(
                StringComparer.Ordinal),
            DlqFiles.NamesIn(dlq.Folder));
    }

    [Fact]
    public void Stock_taking_leaves_alone_what_this_process_writes_meanwhile()
    {
        using DlqDirectory dlq = Open();
        using SealedBatch batch = Batches.Of(_keys.Next(Batches.Opened), ["a"]);
        dlq.Add(batch, "no answer");
        string ownMeta = _folder["dlq/" + ObjectKeys.NameOf(_keys.Next(Batches.Opened)) + ".jsonl.gz.meta.json"];
        File.WriteAllText(ownMeta, "its payload follows");
        string ownTemporary = _folder["dlq/.tmp-own"];
        File.WriteAllText(ownTemporary, "half written");
        dlq.TakeStock(TestContext.Current.CancellationToken);
        Assert.True(File.Exists(ownMeta));
        Assert.True(File.Exists(ownTemporary));
        Assert.Equal((1, 0), (dlq.Files, _ledger.Read().Found));
    }

    [Fact]
    public void A_file_that_two_remove_is_counted_once()
    {
        using DlqDirectory dlq = Open();
        using SealedBatch batch = Batches.Of(_keys.Next(Batches.Opened), ["a", "b"]);
        dlq.Add(batch, "no answer");
        string payload = Path.Combine(dlq.Folder, ObjectKeys.NameOf(batch.Key) + ".jsonl.gz");
        Parallel.Invoke(() => dlq.Remove(payload, 2, Place.Stored), () => dlq.Remove(payload, 2, Place.Dropped));
        Balance balance = _ledger.Read();
        Assert.Equal((0, 0, 2), (dlq.Files, balance.Dlq, balance.Stored + balance.Dropped));
        Assert.Empty(DlqFiles.NamesIn(dlq.Folder));
    }

    [Fact]
    public void A_pair_counts_as_gone_with_its_payload_even_if_its_meta_stays()
    {
        using DlqDirectory dlq = Open();
        using SealedBatch batch = Batches.Of(_keys.Next(Batches.Opened), ["a", "b"]);
        dlq.Add(batch, "no answer");
        string payload = Path.Combine(dlq.Folder, ObjectKeys.NameOf(batch.Key) + ".jsonl.gz");
        File.Delete(payload + DlqDirectory.MetaExtension);
        Directory.CreateDirectory(payload + DlqDirectory.MetaExtension); // what File.Delete cannot remove
        Assert.Throws<UnauthorizedAccessException>(() => dlq.Remove(payload, 2, Place.Stored));
        Balance balance = _ledger.Read();
        Assert.Equal((0, 0, 0, 2), (dlq.Files, dlq.Bytes, balance.Dlq, balance.Stored));
    }

    [Fact]
    public void Reject_takes_what_was_acknowledged_even_past_its_capacity()
    {
        using DlqDirectory dlq = Open(new CollectOptions { DlqMaxSizeBytes = 1 });
        Assert.False(dlq.IsFull);
        AddThree(dlq);
        Assert.True(dlq.IsFull);
        Assert.Equal((3, 0), (dlq.Files, _ledger.Read().Dropped));
    }

    [Fact]
    public void Evict_deletes_the_oldest_and_counts_what_it_drops()
    {
        using SealedBatch probe = Batches.Of("raw/probe.jsonl.gz", ["event-0"]);
        using DlqDirectory dlq = Open(new CollectOptions { DlqFull = DlqFullPolicy.Evict, DlqMaxSizeBytes = (2 * probe.ContentBytes) + 4 });
        string[] keys = AddThree(dlq);
        Assert.Equal((2, 1), (dlq.Files, _ledger.Read().Dropped));
        Assert.Equal(2, _ledger.Read().Dlq);
        string[] names = DlqFiles.NamesIn(dlq.Folder);
        Assert.DoesNotContain(names, name => name.StartsWith(ObjectKeys.NameOf(keys[1]), StringComparison.Ordinal)); // the oldest, not the first
        Assert.Equal(4, names.Length);
    }

    [Fact]
    public void A_file_that_somebody_takes_away_is_named_and_counted_and_welcome_back()
    {
        var log = new LogLines();
        using DlqDirectory dlq = Open(log: log);
        string[] paths = [.. AddThree(dlq).Select(key => Path.Combine(dlq.Folder, ObjectKeys.NameOf(key) + ".jsonl.gz"))];
        dlq.Look();
        Assert.Equal((3, 0), (dlq.Files, _ledger.Read().Dropped));
        File.Move(paths[1], _folder["taken"]);
        dlq.Look();
        dlq.Look();
        Assert.Equal((2, 2, 1), (dlq.Files, _ledger.Read().Dlq, _ledger.Read().Dropped));
        string line = Assert.Single(log.Of(LogLevel.Critical));
        Assert.Contains(Path.GetFileName(paths[1]), line, StringComparison.Ordinal);
        Assert.Contains("1 acknowledged events are lost", line, StringComparison.Ordinal);

        File.Move(_folder["taken"], paths[1]);
        Assert.Equal(1, dlq.Remove(paths[1], 1, Place.Stored));
        Array.ForEach([paths[0], paths[2]], path => Assert.Equal(1, dlq.Remove(path, 1, Place.Stored)));
        Balance balance = _ledger.Read();
        Assert.Equal((0, 0, 3, 1, 1), (dlq.Files, balance.Dlq, balance.Stored, balance.Dropped, balance.Found));
    }

    [Fact]
    public void While_its_path_leads_to_another_folder_it_goes_by_what_its_own_holds()
    {
        using DlqDirectory dlq = Open();
        string[] keys = AddThree(dlq);
        Directory.Move(dlq.Folder, _folder["elsewhere"]);
        string strange = ObjectKeys.NameOf(_keys.Next(Batches.Opened));
        DlqFiles.Put(dlq.Folder, $"raw/{strange}.jsonl.gz", ["strange"]);
        string[] untouched = DlqFiles.NamesIn(dlq.Folder);
        dlq.Look();
        Assert.True(dlq.IsGone);
        Assert.True(dlq.Holds(keys[0]));
        Assert.False(dlq.Holds($"raw/{strange}.jsonl.gz"));
        Assert.Equal(1, dlq.Remove(dlq.PayloadPath(ObjectKeys.NameOf(keys[0])), 1, Place.Stored));
        Assert.Null(dlq.Remove(Path.Combine(dlq.Folder, strange + ".jsonl.gz"), 1, Place.Stored));
        Assert.Equal(untouched, DlqFiles.NamesIn(dlq.Folder));
        Assert.Equal((2, 4), (dlq.Files, DlqFiles.NamesIn(_folder["elsewhere"]).Length));
    }

    [Fact]
    public void No_line_is_written_under_its_locks()
    {
        using SealedBatch probe = Batches.Of("raw/probe.jsonl.gz", ["event-0"]);
        var log = new LogLines();
        using DlqDirectory dlq = Open(new CollectOptions { DlqFull = DlqFullPolicy.Evict, DlqMaxSizeBytes = probe.ContentBytes + 4 }, log);
        int lines = 0;
        bool isInside = false;
        log.OnLine = () =>
        {
            if (!isInside)
            {
                isInside = true;
                lines++;
                var adding = new Thread(AddOne);
                adding.Start();
                Assert.True(adding.Join(Limit), "who adds a file waits for a line of the log");
                isInside = false;
            }
        };
        AddOne();
        AddOne(); // evicts
        Assert.NotEqual(0, lines);
        lines = 0;
        Array.ForEach(Directory.GetFiles(dlq.Folder), File.Delete);
        dlq.Look(); // tells that they are lost
        Assert.Equal(1, lines);

        void AddOne()
        {
            using SealedBatch batch = Batches.Of(_keys.Next(Batches.Opened), ["event-0"]);
            dlq.Add(batch, "no answer");
        }
    }

    [Fact]
    public void A_disk_at_its_reserve_counts_as_full_while_files_wait_on_it()
    {
        using DlqDirectory dlq = Open(new CollectOptions { DiskMinFreeBytes = long.MaxValue });
        Assert.False(dlq.IsFull);
        AddThree(dlq);
        Assert.True(dlq.IsFull);
    }

    [Fact]
    public void A_folder_that_may_not_be_entered_for_a_while_does_not_end_recovery()
    {
        if (!OperatingSystem.IsLinux())
        {
            Assert.Skip("only Linux has setfsuid(2)");
            return;
        }

        using DlqDirectory dlq = Open(new CollectOptions { DiskMinFreeBytes = long.MaxValue });
        UnixFileMode mode = File.GetUnixFileMode(_folder.Path);
        File.SetUnixFileMode(_folder.Path, UnixFileMode.None);
        const int Nobody = 65534;
        int user = setfsuid(Nobody); // of this thread alone; root may enter anything
        try
        {
            dlq.MeasureFreeSpace();
        }
        finally
        {
            _ = setfsuid(user);
            File.SetUnixFileMode(_folder.Path, mode);
        }

        AddThree(dlq);
        Assert.True(dlq.IsFull);
    }

#pragma warning disable SYSLIB1054, IDE1006 // named as in libc
    [DllImport("libc")]
    private static extern int setfsuid(int user);
#pragma warning restore SYSLIB1054, IDE1006

    private string[] AddThree(DlqDirectory dlq)
    {
        string[] keys = [_keys.Next(Batches.Opened.AddHours(1)), _keys.Next(Batches.Opened), _keys.Next(Batches.Opened.AddHours(2))];
        foreach (string key in keys)
        {
            using SealedBatch batch = Batches.Of(key, ["event-0"]);
            dlq.Add(batch, "no answer");
        }

        return keys;
    }

    private DlqDirectory Open(CollectOptions? options = null, LogLines? log = null)
    {
        options ??= new CollectOptions();
        return new DlqDirectory(
            options.DlqDir == new CollectOptions().DlqDir ? options with { DlqDir = _folder["dlq"] } : options, _keys, _ledger, _time,
            log ?? (ILogger)NullLogger.Instance);
    }
}
