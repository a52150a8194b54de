// One run of the segment model: a single writer without threads, so that a seed that failed fails again in the same way.
using Estat.Base.Storage;
using Estat.Collect.Batching;
using Estat.Collect.Metrics;
using Estat.Collect.Options;
using Estat.Collect.Spooling;
using Estat.Collect.Uploading;
using Estat.Lake.Names;
using Estat.Testing.PowerCuts;
using Microsoft.Extensions.Logging.Abstractions;

namespace Estat.Spool.Tests.Model;

/// <summary>
/// Segments are written, sealed, uploaded and deleted as the spool's writers do it, recovered as the backlog does it, and the power goes off in the
/// middle of any of it. Spool, segments, reader, encoder and object writer are those of production; the order of the calls is repeated here.
/// </summary>
internal sealed class SegmentModel
{
    private static readonly EstatInstruments Instruments = new();
    private static readonly DateTimeOffset Opened = new(2026, 1, 2, 3, 4, 5, TimeSpan.Zero);

    private readonly Random _random;
    private readonly ModelEvents _events = new();
    private readonly StoredObjects _objects;
    private readonly ObjectWriter _writer;
    private readonly Dictionary<string, Seal> _sealed = [];
    private readonly CollectOptions _options = new();
    private PowerSwitch _power = new(long.MaxValue);
    private ObjectKeys _keys = new("raw", "nobody");

    internal SegmentModel(int seed)
    {
        _random = new Random(seed);
        _objects = new StoredObjects(_events);
        _writer = new ObjectWriter(new SteadyStore(_objects), Instruments, NullLogger.Instance);
    }

    /// <summary>Runs it.</summary>
    /// <exception cref="InvalidOperationException">A promise was broken; the message says which.</exception>
    internal void Run()
    {
        PowerCutFiles? disk = null;
        for (int starts = _random.Next(2, 6); starts > 0; starts--)
        {
            bool isLast = starts == 1;
            var power = new PowerSwitch(isLast ? long.MaxValue : (long)Math.Exp(_random.NextDouble() * Math.Log(200)));
            DiskFaults faults = isLast ? DiskFaults.None : DiskFaults.Draw(_random);
            disk = disk is null ? new PowerCutFiles(power, _random, faults, dawdles: false)
                : _random.Next(3) == 0 ? disk.Successor(power, faults)
                : disk.Survivors(power, faults);
            _power = power;
            try
            {
                Live(disk, power, isLast);
            }
            catch (IOException)
            {
                // The cut, or a start that failed.
            }

            power.CutNow();
        }

        string[] faultsFound = [.. _objects.FaultsAtTheEnd(), .. _sealed.Where(IsStoredOtherwise)
            .Select(batch => $"{batch.Key} was sealed as {batch.Value}, and stored otherwise")];
        if (faultsFound.Length > 0)
        {
            throw new InvalidOperationException(string.Join(Environment.NewLine, faultsFound.Take(20)));
        }
    }

    // What is sealed is uploaded as it is: no shorter, and no longer even if more of it is readable.
    private bool IsStoredOtherwise(KeyValuePair<string, Seal> batch) =>
        _objects.SealOf(batch.Key) != batch.Value || _objects.SealOf(ObjectKeys.WithSuffix(batch.Key, ObjectKeys.RestSuffix)) is not null;

    private void Live(PowerCutFiles disk, PowerSwitch power, bool isLast)
    {
        using var spool = new Collect.Spooling.Spool(_options, disk, null, 1, TimeProvider.System, NullLogger.Instance);
        _keys = new ObjectKeys("raw", spool.Instance);
        foreach (string name in spool.Found)
        {
            try
            {
                Recover(spool, name);
            }
            catch (IOException) when (!power.IsOff)
            {
                // Left for the next start.
            }
        }

        // A start may do nothing but recover.
        for (int batches = isLast ? 0 : Math.Max(0, _random.Next(-2, 6)); batches > 0; batches--)
        {
            WriteBatch(spool);
        }
    }

    private void Recover(Collect.Spooling.Spool spool, string name)
    {
        using (RecoveredSegment segment = RecoveredSegment.Read(spool.Files, name, NewEncoder))
        {
            if (segment.Batch is { } batch)
            {
                segment.EnsureSealed();
                Upload(batch);
            }
        }

        spool.Delete(name, 0);
    }

    // What SpoolWriter, BatchWriter and Uploader do with a batch, one after another; now and then they get no further.
    private void WriteBatch(Collect.Spooling.Spool spool)
    {
        var open = new OpenBatch(_keys.Next(Opened), Opened, isAwaited: false);
        using BatchEncoder encoder = NewEncoder();
        bool isSpoiled = false;
        try
        {
            open.Segment = spool.Take(open.Key, open.Opened);
        }
        catch (IOException error) when (error is not PowerCutException)
        {
            return;
        }

        for (int syncs = _random.Next(1, 5); syncs > 0 && !isSpoiled; syncs--)
        {
            isSpoiled = !TryCommit(open, encoder);
        }

        if (encoder.IsEmpty)
        {
            open.Segment.Delete();
            return;
        }

        if (_random.Next(4) == 0)
        {
            return;
        }

        using SealedBatch batch = encoder.Seal(FlushReason.Count);
        if (open.Segment.IsTrusted && !TrySeal(open.Key, open.Segment, batch.Seal))
        {
            return;
        }

        // A batch whose segment is not to be trusted would never be left behind: its memory is all there is.
        if (open.Segment.IsTrusted && _random.Next(3) == 0)
        {
            return;
        }

        Upload(batch);
        if (_random.Next(4) > 0)
        {
            open.Segment.Delete();
        }
    }

    private bool TryCommit(OpenBatch open, BatchEncoder encoder)
    {
        Segment segment = open.Segment!;
        List<(Range Events, byte[] Lines)> written = [];
        bool isGood = true;
        try
        {
            for (int records = _random.Next(1, 4); records > 0; records--)
            {
                Range events = _events.Take(_random.Next(1, 6));
                (int first, int count) = events.GetOffsetAndLength(ModelEvents.Most);
                if (count == 0)
                {
                    break;
                }

                byte[] lines = [.. Enumerable.Range(first, count).SelectMany(ModelEvents.LineOf)];
                segment.Append(lines, count);
                written.Add((events, lines));
            }
        }
        catch (IOException error) when (error is not PowerCutException)
        {
            isGood = false;
        }

        try
        {
            segment.Sync();
            foreach ((Range events, byte[] lines) in written)
            {
                _events.Tell(events, Told.Accepted);
                encoder.Append(open, lines, events.End.Value - events.Start.Value);
            }
        }
        catch (IOException error) when (error is not PowerCutException)
        {
            isGood = false;
        }

        if (!isGood)
        {
            segment.CutUnsynced();
        }

        return isGood;
    }

    private bool TrySeal(string key, Segment segment, Seal seal)
    {
        try
        {
            segment.WriteSeal(seal);
            _sealed.Add(key, seal);
            return true;
        }
        catch (IOException error) when (error is not PowerCutException)
        {
            return false;
        }
    }

    private void Upload(SealedBatch batch)
    {
        _power.ThrowIfOff();
        _writer.WriteAsync(batch.Key, new ObjectContent(batch.OpenContent, batch.Seal, IsGzip: true), CancellationToken.None).GetAwaiter()
            .GetResult();
    }

    private static BatchEncoder NewEncoder() => new(BatchEncoder.Gzip(1), NullLogger.Instance, _ => { });

    private sealed class SteadyStore(StoredObjects objects) : IObjectStore
    {
        public string Description => "a store under test";

        public Task<CreateOutcome> CreateAsync(string key, ObjectContent content, CancellationToken cancellationToken)
        {
            using Stream source = content.OpenContent();
            using var bytes = new MemoryStream();
            source.CopyTo(bytes);
            return Task.FromResult(objects.Create(key, bytes.ToArray(), content.Seal, content.IsGzip));
        }

        public Task<Seal?> ReadSealAsync(string key, CancellationToken cancellationToken) => Task.FromResult(objects.SealOf(key));

        public Task<Stream?> ReadAsync(string key, CancellationToken cancellationToken) => Task.FromResult(objects.Read(key));

        public Task CheckAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public void Dispose()
        {
        }
    }
}
