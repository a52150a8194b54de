// Goes through a range of objects and tells everything that is wrong with them.
using Estat.Base.Storage;
using Estat.Lake.Names;
using Estat.Lake.Reading;

namespace Estat.Lake.Verifying;

/// <summary>What to verify, and how.</summary>
internal sealed record VerifySettings
{
    internal required IObjectCatalog Store { get; init; }

    internal required KeyRange Range { get; init; }

    /// <summary>What is verified, and by what, in the words in which it was asked: a checkpoint goes on with nothing else.</summary>
    internal required string What { get; init; }

    /// <summary>What makes events the same; null: events are not compared.</summary>
    internal UniqueBy? UniqueBy { get; init; }

    /// <summary>Objects at once.</summary>
    internal int Parallel { get; init; } = 4;

    /// <summary>Bytes of hashes in memory; past it they go to <see cref="Folder"/>.</summary>
    internal long HashMemory { get; init; } = 256L << 20;

    /// <summary>For hashes and the checkpoint; exists.</summary>
    internal required string Folder { get; init; }

    /// <summary>Whether the folder is a checkpoint to go on from and to save to.</summary>
    internal bool KeepsCheckpoint { get; init; }
}

/// <summary>
/// Reads, counts, compares; results are taken in the order of keys by one thread, which owns the state. A checkpoint is saved every few seconds and
/// at the end of an interrupted run: hashes first, then the state that names their lengths, so that a crash at any moment goes back to the last whole
/// state.
/// </summary>
internal sealed class Verification : IDisposable
{
    private const string Prefix = "estat-verify-"; // of all files: a folder named by mistake loses nothing of its own
    private const string StateFile = Prefix + "state.json";
    private static readonly TimeSpan SaveEvery = TimeSpan.FromSeconds(10);

    private readonly VerifySettings _settings;
    private readonly TimeProvider _time;
    private readonly ObjectReads _reads;
    private readonly DuplicateIndex _events;
    private readonly DuplicateIndex _objects;
    private readonly KeyTable _keys;
    private long _saved;

    /// <summary>Goes on from the folder's checkpoint if there is one.</summary>
    /// <exception cref="IOException">The folder cannot be used, or holds a checkpoint of something else.</exception>
    internal Verification(VerifySettings settings, TimeProvider time)
    {
        _settings = settings;
        _time = time;
        _reads = new ObjectReads(settings.Store);
        VerifyState? before = settings.KeepsCheckpoint ? VerifyState.Read(Path.Combine(settings.Folder, StateFile)) : null;
        if (before is not null && before.What != settings.What)
        {
            throw new IOException(
                $"{settings.Folder}: holds the checkpoint of another verification ({before.What}). Name another folder, or delete it.");
        }

        State = before ?? new VerifyState { What = settings.What, Since = settings.Range.Since, Until = settings.Range.Until };
        Range = settings.Range with { Since = State.Since, Until = State.Until, AfterKey = State.LastKey ?? settings.Range.AfterKey };
        IsResumed = before is not null;
        if (before is null)
        {
            Clear();
        }

        _events = new DuplicateIndex(settings.Folder, Prefix + "events", settings.HashMemory);
        _objects = new DuplicateIndex(settings.Folder, Prefix + "objects", settings.HashMemory / 4);
        _keys = new KeyTable(Path.Combine(settings.Folder, Prefix + "keys"), State.KeysLength);
        if (before is not null)
        {
            _events.Restore(before.EventShards);
            _objects.Restore(before.ObjectShards);
        }

        _saved = time.GetTimestamp();
    }

    /// <summary>Sums so far.</summary>
    internal VerifyState State { get; }

    /// <summary>What is left to be covered: <c>24h</c> ago as it was reckoned at the begin.</summary>
    internal KeyRange Range { get; }

    /// <summary>Whether it goes on from a checkpoint.</summary>
    internal bool IsResumed { get; }

    /// <summary>Bytes of hashes that were put on disk.</summary>
    internal long HashesOnDisk => _events.OnDisk + _objects.OnDisk;

    /// <summary>Runs, or goes on.</summary>
    /// <param name="tell">Called with each finding, in the order of keys; doubles come last.</param>
    /// <param name="onObject">Called after each object.</param>
    /// <param name="asked">Ends it early: what is begun is finished.</param>
    /// <returns>Whether the whole range was covered.</returns>
    /// <exception cref="StorageException">The store refuses or does not answer; the state holds what was covered.</exception>
    internal async Task<bool> RunAsync(Action<Finding> tell, Action<ObjectEntry> onObject, CancellationToken asked)
    {
        bool ended = false;
        try
        {
            ended = await LakeScan.RunAsync(_settings.Store, Range, _settings.Parallel, ExamineAsync, async (entry, report) =>
            {
                await TakeAsync(entry, report, tell).ConfigureAwait(false);
                onObject(entry);
            }, asked).ConfigureAwait(false);
        }
        finally
        {
            if (!ended && _settings.KeepsCheckpoint)
            {
                Save();
            }
        }

        TellDoubles(tell);
        if (ended)
        {
            Clear();
        }

        return ended;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _events.Dispose();
        _objects.Dispose();
        _keys.Dispose();
    }

    private async Task<ObjectReport?> ExamineAsync(ObjectEntry entry)
    {
        if (FolderMarker.Is(entry))
        {
            return null;
        }

        (FetchedObject? fetched, string? refusal) = await _reads.GetAsync(entry.Key, CancellationToken.None).ConfigureAwait(false);
        using (fetched)
        {
            if (fetched is null)
            {
                return refusal is null ? null : ObjectReport.OfRefused(entry.Key, refusal); // null: deleted since it was listed
            }

            ObjectReport report = ObjectReport.Of(fetched, _settings.Store.KeepsMetadata, _settings.UniqueBy);
            await CompareWithOriginalAsync(fetched, report).ConfigureAwait(false);
            return report;
        }
    }

    // <key>_rest holds what the object under <key> lacks, no more and no less.
    private async Task CompareWithOriginalAsync(FetchedObject rest, ObjectReport report)
    {
        string key = rest.Entry.Key;
        if (rest.Seal is not { } seal || BatchName.TryParse(key) is not { } name
            || !name.Suffix.EndsWith(ObjectKeys.RestSuffix, StringComparison.Ordinal))
        {
            return;
        }

        string original = key[..^(ObjectKeys.RestSuffix.Length + ObjectKeys.Extension.Length)] + ObjectKeys.Extension;
        Seal? there;
        try
        {
            there = await FetchedObject.RetryAsync(
                () => _settings.Store.ReadSealAsync(original, CancellationToken.None), CancellationToken.None).ConfigureAwait(false);
        }
        catch (StorageException error) when (_reads.IsOfObject(error))
        {
            report.Findings.Add(
                new Finding(FindingKind.Unreadable, key, null, $"cannot be compared with {original}: {ObjectReads.WordsOf(error, original)}"));
            return;
        }

        long before = seal.LastSequence - seal.Events;
        if (there is null)
        {
            report.Findings.Add(new Finding(
                FindingKind.Gap, key, null, $"holds the events that {original} lacked, but that object is not there: the batch's first {before} "
                    + "events are missing"));
        }
        else if (before < there.LastSequence)
        {
            report.Findings.Add(new Finding(
                FindingKind.Overlap, key, null, $"its events {before + 1} to {there.LastSequence} of the batch are in {original} as well"));
        }
        else if (before > there.LastSequence)
        {
            report.Findings.Add(new Finding(
                FindingKind.Gap, key, null, $"events {there.LastSequence + 1} to {before} of the batch are neither here nor in {original}"));
        }
    }

    private ValueTask TakeAsync(ObjectEntry entry, ObjectReport? report, Action<Finding> tell)
    {
        State.LastKey = entry.Key;
        if (report is null)
        {
            State.Markers += FolderMarker.Is(entry) ? 1 : 0;
            return ValueTask.CompletedTask;
        }

        State.Objects++;
        State.Bytes += entry.Bytes;
        State.Events += report.Events;
        State.TextBytes += report.TextBytes;
        State.WithoutHash += report.WithoutHash;
        State.Sealed += report.HasSeal ? 1 : 0;
        foreach (Finding finding in report.Findings)
        {
            State.Count(finding.Kind);
            tell(finding);
        }

        Remember(entry.Key, report);
        if (_settings.KeepsCheckpoint && _time.GetElapsedTime(_saved) >= SaveEvery)
        {
            Save();
        }

        return ValueTask.CompletedTask;
    }

    // Line 0: the object's content; line -1: the batch's name.
    private void Remember(string key, ObjectReport report)
    {
        int number = _keys.Add(key);
        if (report.Sha256 is not null && report.Events > 0)
        {
            _objects.Add(new Occurrence(UInt128.Parse(report.Sha256.AsSpan(0, 32), System.Globalization.NumberStyles.HexNumber, null), number, 0));
        }

        if (BatchName.TryParse(key) is { Suffix: "" } name)
        {
            _objects.Add(new Occurrence(UniqueBy.Hash(System.Text.Encoding.UTF8.GetBytes(name.Batch)), number, -1));
        }

        foreach ((UInt128 hash, int line) in report.Hashes)
        {
            _events.Add(new Occurrence(hash, number, line));
        }
    }

    private void TellDoubles(Action<Finding> tell)
    {
        foreach ((Occurrence first, Occurrence again) in _objects.Find())
        {
            string kind = again.Line == 0 ? FindingKind.DuplicateObject : FindingKind.SameBatch;
            State.Count(kind);
            tell(new Finding(kind, _keys[again.Object], null, again.Line == 0 ? $"the same lines as {_keys[first.Object]}"
                : $"the same batch as {_keys[first.Object]}"));
        }

        foreach ((Occurrence first, Occurrence again) in _events.Find())
        {
            State.Count(FindingKind.DuplicateEvent);
            tell(new Finding(FindingKind.DuplicateEvent, _keys[again.Object], again.Line,
                $"the same {_settings.UniqueBy!.Text} as {_keys[first.Object]} line {first.Line}"));
        }
    }

    private void Save()
    {
        State.EventShards = _events.Save();
        State.ObjectShards = _objects.Save();
        State.KeysLength = _keys.Save();
        State.Write(Path.Combine(_settings.Folder, StateFile));
        _saved = _time.GetTimestamp();
    }

    // The state goes first: one that names hashes that are gone would take zeros for them.
    private void Clear()
    {
        File.Delete(Path.Combine(_settings.Folder, StateFile));
        foreach (string file in Directory.EnumerateFiles(_settings.Folder, Prefix + "*"))
        {
            File.Delete(file);
        }
    }
}
