// The DLQ: batches whose upload failed, as pairs of files NAME.jsonl.gz + NAME.jsonl.gz.meta.json.
using Estat.Base.Files;
using Estat.Base.Logging;
using Estat.Base.Storage;
using Estat.Collect.Batching;
using Estat.Collect.Conservation;
using Estat.Collect.Options;
using Estat.Lake.Names;

namespace Estat.Collect.Dlq;

/// <summary>
/// Invariants: the meta is renamed into place first and the payload last, so a payload's presence commits the pair; removal goes the other way
/// round. A payload without its meta is still recoverable (its name says its key, its content its seal). A meta without a payload is the rest of a
/// crash; the scan at start removes it. Names begin with the batch's opening time, so age needs no file to be read; the meta's modification time
/// is its next due time, so neither does that. One process owns the folder (<see cref="DirectoryLock"/>).
/// </summary>
internal sealed partial class DlqDirectory : IDisposable
{
    /// <summary>Ends a meta file's name.</summary>
    internal const string MetaExtension = ".meta.json";

    private const int LongestMeta = 1 << 20;

    // Recovery's own, and what the operator asks for besides.
    private const int MostClaims = 9;

    private readonly CollectOptions _options;
    private readonly ObjectKeys _keys;
    private readonly Ledger _ledger;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly DirectoryLock _owner;
    private readonly DateTime _started = DateTime.UtcNow; // compared with file times, so the machine's clock
    private readonly Lock _evicting = new();
    private readonly Lock _removing = new();
    private readonly Dictionary<string, long> _adding = new(StringComparer.Ordinal); // events; what removes one before it is counted takes it out
    private readonly DlqTally _tally = new();
    private readonly ToldFault _freeUnknown = new();
    private long _freeBytes = long.MaxValue;
    private bool _wasFull;

    /// <summary>Takes the folder.</summary>
    /// <exception cref="IOException">Another process owns it, or it cannot be written.</exception>
    internal DlqDirectory(CollectOptions options, ObjectKeys keys, Ledger ledger, TimeProvider time, ILogger logger)
    {
        _options = options;
        _keys = keys;
        _ledger = ledger;
        _time = time;
        _logger = logger;
        Folder = Path.GetFullPath(options.DlqDir);
        _owner = DirectoryLock.Take(Folder, "DLQ_DIR");
        try
        {
            Discarded = new DiscardedBatches(() => _owner.Way);
        }
        catch
        {
            _owner.Dispose();
            throw;
        }

        MeasureFreeSpace();
    }

    /// <summary>Full path.</summary>
    internal string Folder { get; }

    /// <summary>How the folder is reached: its path or, once that leads elsewhere, a way to the folder that was opened at the start.</summary>
    internal string Way => _owner.Way;

    /// <summary>Who is at work on which payload, by its file's name: none is evicted while somebody uploads it.</summary>
    internal Claims Claims { get; } = new(MostClaims);

    /// <summary>What was discarded here, while the spool may still hold it.</summary>
    internal DiscardedBatches Discarded { get; }

    /// <summary>Payload files. Complete once the scan at start is through.</summary>
    internal long Files => _tally.Files;

    /// <summary>Bytes of payload files.</summary>
    internal long Bytes => _tally.Bytes;

    /// <summary>Bytes free on its disk, as last measured.</summary>
    internal long FreeBytes => Volatile.Read(ref _freeBytes);

    /// <summary>Whether it is at its capacity, or its disk at its reserve while it is in use. Only <c>DLQ_FULL=reject</c> turns new requests away for
    /// it.</summary>
    internal bool IsFull => Bytes >= _options.DlqMaxSizeBytes || (Files > 0 && Volatile.Read(ref _freeBytes) < _options.DiskMinFreeBytes);

    /// <summary>
    /// Adds a batch. At capacity, evict makes room first; reject lets it in all the same: its events are acknowledged, only new requests are turned
    /// away.
    /// </summary>
    /// <param name="batch">The batch.</param>
    /// <param name="reason">Why it comes here.</param>
    /// <param name="from">Where its events are counted; null for the batch's own place.</param>
    /// <exception cref="IOException">The disk is full or fails, or the folder is not where it was; nothing was added.</exception>
    internal void Add(SealedBatch batch, string reason, Place? from = null)
    {
        ThrowIfGone();
        if (_options.DlqFull == DlqFullPolicy.Evict)
        {
            MakeRoom(batch.ContentBytes);
        }

        string payload = PayloadPath(ObjectKeys.NameOf(batch.Key));
        DateTimeOffset due = _time.GetUtcNow() + Backoff.Dlq.After(1);
        var meta = new DlqMeta
        {
            NumEvents = batch.Seal.Events,
            Key = batch.Key,
            Created = batch.Opened,
            Reason = reason,
            NextDue = due,
            Sha256 = batch.Seal.Sha256,
            LastSequence = batch.Seal.LastSequence,
            Form = batch.Form,
        };
        string name = Path.GetFileName(payload);
        lock (_removing)
        {
            _adding[name] = batch.Seal.Events;
        }

        try
        {
            WriteMeta(payload, meta);
            AtomicFile.Write(payload, file =>
            {
                using Stream content = batch.OpenContent();
                content.CopyTo(file);
            });
            if (_owner.Has(name) == false)
            {
                throw new IOException($"DLQ_DIR {Folder} is not the folder that was opened at the start: {name} is not in it");
            }
        }
        catch
        {
            // Not committed. If only the folder's fsync failed, the payload may be there already: it must not be, as the batch stays in memory.
            TryDelete(payload);
            TryDelete(payload + MetaExtension);
            lock (_removing)
            {
                _adding.Remove(name);
            }

            throw;
        }

        lock (_removing)
        {
            if (_adding.Remove(name)) // else it was evicted as soon as it was there
            {
                _tally.Add(name, batch.Seal.Events, batch.ContentBytes);
            }
        }

        _ledger.Move(batch.Seal.Events, from ?? batch.Place, Place.Dlq);
        MeasureFreeSpace();
    }

    /// <summary>Where the payload of this name is, if it is here.</summary>
    internal string PayloadPath(string name) => Path.Combine(Way, name + ObjectKeys.Extension);

    /// <summary>Where a file is now whose path was found earlier: the folder may be reached in another way since.</summary>
    internal string Now(string payload) => Path.Combine(Way, Path.GetFileName(payload));

    /// <summary>Whether the batch of this key is here.</summary>
    internal bool Holds(string key) => File.Exists(PayloadPath(ObjectKeys.NameOf(key)));

    /// <summary>Whether the batch of this key was here and somebody discarded it.</summary>
    internal bool WasDiscarded(string key) => Discarded.Has(ObjectKeys.NameOf(key));

    /// <summary>The meta of a payload; null when it is missing, damaged, or cannot be read.</summary>
    internal static DlqMeta? ReadMeta(string payload) => LookAtMeta(payload).Meta;

    /// <summary>The meta of a payload, or what is wrong with it.</summary>
    internal static MetaReading LookAtMeta(string payload)
    {
        try
        {
            return DlqMeta.TryRead(RegularFile.ReadAllBytes(payload + MetaExtension, LongestMeta)) is { } meta
                ? new MetaReading(meta, null, IsKept: false)
                : new MetaReading(null, "its meta file is damaged; recovery uses its name and content", IsKept: false);
        }
        catch (FileNotFoundException)
        {
            return new MetaReading(null, "its meta file is missing; recovery uses its name and content", IsKept: false);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            // It may say of the payload what nothing else does, such as another prefix: the operator can make it readable.
            return new MetaReading(
                null, $"its meta file cannot be read ({error.Message.TrimEnd('.')}); it waits "
                    + "until that file can be read, or is removed", IsKept: true);
        }
    }

    /// <summary>Replaces the meta, atomically; the file is not tried again before <see cref="DlqMeta.NextDue"/>.</summary>
    internal static void WriteMeta(string payload, DlqMeta meta) =>
        AtomicFile.Write(payload + MetaExtension, meta.Write, meta.NextDue.UtcDateTime);

    /// <summary>
    /// Removes a pair whose events are safe elsewhere (or given up), payload first. Does nothing when it is gone already: eviction and recovery may
    /// meet at one file, and its events must be counted once.
    /// </summary>
    /// <param name="payload">Its path.</param>
    /// <param name="events">What it turned out to hold; null when that is not known better than before.</param>
    /// <param name="movedTo">Where its events are now.</param>
    /// <returns>The events that left with it; null when this call did not remove it.</returns>
    internal long? Remove(string payload, long? events, Place movedTo)
    {
        lock (_removing)
        {
            var file = new FileInfo(Now(payload));
            if (!file.Exists)
            {
                return null;
            }

            file.Delete();
            // Counted before the meta goes: the payload's absence is what removes the pair, and a meta that stays is removed by the next start. What
            // it was counted with is taken back, whatever it turned out to hold: a file that stock could not read, or that somebody put here since,
            // was counted with less.
            long counted = _adding.Remove(file.Name, out long coming) ? coming : _tally.Remove(file.Name);
            long held = events ?? counted;
            _ledger.Find(held - counted, Place.Dlq);
            _ledger.Move(held, Place.Dlq, movedTo);
            File.Delete(file.FullName + MetaExtension);
            return held;
        }
    }

    /// <summary>Looks whether there is room, and tells when that changes; once per step of recovery and addition, not per request.</summary>
    internal void MeasureFreeSpace()
    {
        try
        {
            Volatile.Write(ref _freeBytes, new DriveInfo(_owner.Way).AvailableFreeSpace);
            _freeUnknown.End();
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            if (_freeUnknown.IsNews())
            {
                LogFreeSpaceUnknown(_logger, Folder, error.Message);
            }
        }

        bool isFull = IsFull;
        if (Interlocked.Exchange(ref _wasFull, isFull) == isFull)
        {
            return;
        }

        if (isFull)
        {
            LogFull(_logger, Folder, Files, Bytes, FreeBytes, _options.DlqFull);
        }
        else
        {
            LogRoomAgain(_logger, Folder, Files, Bytes, FreeBytes);
        }
    }

    /// <summary>
    /// Reads the whole folder once, in the background after the start: counts what an earlier process left, removes temp files and metas without
    /// payload. Files that this process adds meanwhile are counted where they are added.
    /// </summary>
    internal void TakeStock(CancellationToken cancellationToken)
    {
        long files = 0;
        long events = 0;
        foreach (string path in Directory.EnumerateFiles(Way))
        {
            cancellationToken.ThrowIfCancellationRequested();
            ReadOnlySpan<char> name = Path.GetFileName(path.AsSpan());
            if (AtomicFile.IsTemporary(name))
            {
                RemoveTemporary(path);
            }
            else if (name.EndsWith(MetaExtension, StringComparison.Ordinal) && !_keys.IsOwn(name))
            {
                RemoveIfOrphan(path);
            }
            else if (name.EndsWith(ObjectKeys.Extension, StringComparison.Ordinal) && !_keys.IsOwn(name))
            {
                long inFile = ReadMeta(path)?.NumEvents ?? 0;
                var payload = new FileInfo(path);
                lock (_removing)
                {
                    if (!payload.Exists)
                    {
                        continue; // evicted meanwhile
                    }

                    _tally.Add(payload.Name, inFile, payload.Length);
                    _ledger.Find(inFile, Place.Dlq);
                }

                files++;
                events += inFile;
            }
        }

        if (files > 0)
        {
            LogFound(_logger, files, events, Folder);
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _owner.Dispose();

    private void RemoveTemporary(string path)
    {
        // Temp files of this process are younger than its hold on the folder, and no other process writes here.
        if (File.GetLastWriteTimeUtc(path) < _started)
        {
            File.Delete(path);
            LogLeftoverRemoved(_logger, path);
        }
    }

    private void RemoveIfOrphan(string metaPath)
    {
        if (!File.Exists(metaPath[..^MetaExtension.Length]))
        {
            File.Delete(metaPath);
            LogLeftoverRemoved(_logger, metaPath);
        }
    }

    private void MakeRoom(long bytes)
    {
        List<(string Payload, long Events)> evicted = []; // told without the lock
        try
        {
            lock (_evicting)
            {
                while (Files > 0 && Bytes + bytes > _options.DlqMaxSizeBytes && TryEvict() is { } file)
                {
                    evicted.Add(file);
                }
            }
        }
        finally
        {
            evicted.ForEach(file => LogEvicted(_logger, file.Events, file.Payload));
        }
    }

    // The oldest of the first 1,000 names: a full listing per eviction would cost most when the folder is largest. A file that somebody is uploading
    // stays: it may be stored the next moment, and would have been counted as dropped.
    private (string Payload, long Events)? TryEvict()
    {
        IEnumerable<string> oldestFirst = Directory.EnumerateFiles(Way).Take(DlqScan.NamesPerScan)
            .Where(path => path.EndsWith(ObjectKeys.Extension, StringComparison.Ordinal))
            .OrderBy(path => ObjectKeys.OpenedOf(Path.GetFileName(path.AsSpan())) ?? DateTimeOffset.MinValue);
        foreach (string payload in oldestFirst)
        {
            using Claims.Claim? claim = Claims.TryTakeBriefly(Path.GetFileName(payload));
            if (claim is not null && Remove(payload, ReadMeta(payload)?.NumEvents, Place.Dropped) is { } events)
            {
                return (payload, events);
            }
        }

        return null;
    }

    private void TryDelete(string path)
    {
        try
        {
            File.Delete(path);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            LogRemainderKept(_logger, path, error.Message);
        }
    }
}
