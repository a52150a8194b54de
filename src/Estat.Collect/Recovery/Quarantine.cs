// The quarantine for the operator: looking, trying again, giving up.
using System.IO.Compression;
using Estat.Base.Memory;
using Estat.Base.Metrics;
using Estat.Base.Storage;
using Estat.Collect.Conservation;
using Estat.Collect.Dlq;
using Estat.Collect.Uploading;
using Estat.Lake.Names;
using Estat.Lake.Reading;

namespace Estat.Collect.Recovery;

/// <summary>An object of the quarantine.</summary>
/// <param name="Key">Its key.</param>
/// <param name="Bytes">What lies there.</param>
/// <param name="Stored">When the store took it, UTC.</param>
/// <param name="Events">Events that it was sealed with; 0 when nobody knows.</param>
/// <param name="Reason">Why it is there; null when the store keeps no such thing (a folder).</param>
public sealed record QuarantinedObject(string Key, long Bytes, DateTime Stored, long Events, string? Reason);

/// <summary>Objects by key.</summary>
/// <param name="Objects">In the order of their keys.</param>
/// <param name="Next">The last one's key when there are more.</param>
public sealed record QuarantinedObjects(IReadOnlyList<QuarantinedObject> Objects, string? Next);

/// <summary>
/// Works on what lies under DLQ_PREFIX, whichever node brought it there. The ledger counts only what this process brought: what another one did is
/// found first, and then moved.
/// </summary>
public sealed partial class Quarantine
{
    private const int MostAtOnce = 8;

    // Of keys that this process brought there: more than anybody looks through by hand; the oldest are forgotten first.
    private const int MostRemembered = 10_000;

    // A batch is BATCH_BYTES uncompressed; what is larger was not written by a node.
    private const long LargestToTry = 256L << 20;

    private readonly IObjectCatalog _catalog;
    private readonly QuarantineKeys _places;
    private readonly ObjectWriter _writer;
    private readonly ObjectKeys _keys;
    private readonly Ledger _ledger;
    private readonly StoredObjects _stored;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly Claims _claims = new(MostAtOnce);
    private readonly Lock _gate = new();
    private readonly Dictionary<string, long> _counted = new(StringComparer.Ordinal);
    private readonly Queue<string> _countedOrder = new();

    internal Quarantine(
        IObjectCatalog catalog, QuarantineKeys places, ObjectWriter writer, ObjectKeys keys, Ledger ledger, StoredObjects stored, TimeProvider time,
        ILogger logger)
    {
        _catalog = catalog;
        _places = places;
        _writer = writer;
        _keys = keys;
        _ledger = ledger;
        _stored = stored;
        _time = time;
        _logger = logger;
    }

    /// <summary>One page of the objects. Each object's metadata is one more question to the store.</summary>
    /// <exception cref="StorageException">The store did not answer, or refused.</exception>
    public async Task<QuarantinedObjects> ListAsync(int limit, string? after, CancellationToken cancellationToken)
    {
        var entries = new List<ObjectEntry>();
        await foreach (ObjectEntry entry in _catalog.ListAsync(_places.Begin, after, cancellationToken).ConfigureAwait(false))
        {
            entries.Add(entry);
            if (entries.Count > limit)
            {
                break;
            }
        }

        ObjectEntry[] page = [.. entries.Take(limit)];
        var objects = new QuarantinedObject?[page.Length];
        await Parallel.ForAsync(0, page.Length, new ParallelOptions { MaxDegreeOfParallelism = MostAtOnce, CancellationToken = cancellationToken },
            async (index, token) =>
        {
            objects[index] = await DescribeAsync(page[index], token).ConfigureAwait(false);
        }).ConfigureAwait(false);
        return new QuarantinedObjects([.. objects.OfType<QuarantinedObject>()], entries.Count > limit ? page[^1].Key : null);
    }

    /// <summary>Reads an object again; if it is sound now, it goes under its own key.</summary>
    public Task<OrderResult> RetryAsync(string key, CancellationToken cancellationToken) => OrderAsync(key, async () =>
    {
        await using OpenObject? there = await _catalog.OpenAsync(key, cancellationToken).ConfigureAwait(false);
        if (there is null)
        {
            return new OrderResult(OrderEnd.Missing);
        }

        if (there.Entry.Bytes > LargestToTry)
        {
            return new OrderResult(
                OrderEnd.Failed, Detail: $"it has {there.Entry.Bytes} bytes, more than any batch. Download it, and find out what wrote it.");
        }

        using var bytes = new PooledStream();
        Seal seal;
        try
        {
            await ReadAsync(there.Content, bytes, cancellationToken).ConfigureAwait(false);
            using Stream content = bytes.OpenRead();
            seal = ContentCheck.Validate(content);
        }
        catch (InvalidDataException error)
        {
            return new OrderResult(OrderEnd.Failed, Detail: $"it still cannot be read as gzip JSONL: {error.Message}");
        }

        (string name, string prefix) = _places.BatchOf(key);
        DateTimeOffset opened = ObjectKeys.OpenedOf(name) ?? there.Entry.Modified;
        string raw = await _writer.WriteAsync(_keys.Under(prefix)
            .ForName(name, opened), new ObjectContent(bytes.OpenRead, seal, IsGzip: true), cancellationToken).ConfigureAwait(false);
        _stored.Add(StoredObject.Of(raw, seal, bytes.Length, opened, _time));
        string? left = await TryDeleteAsync(key, cancellationToken).ConfigureAwait(false);
        if (left is null)
        {
            Count(key, seal.Events, Place.Stored);
        }

        LogStored(_logger, key, raw, seal.Events);
        return new OrderResult(OrderEnd.Stored, seal.Events, left);
    });

    /// <summary>Deletes an object for ever.</summary>
    /// <param name="key">Which.</param>
    /// <param name="events">What it holds: says that this object is meant.</param>
    /// <param name="asker">Who wants it, for the log.</param>
    /// <param name="cancellationToken">Ends it; then nobody knows.</param>
    public Task<OrderResult> DiscardAsync(string key, long events, string asker, CancellationToken cancellationToken) => OrderAsync(key, async () =>
    {
        long held;
        await using (OpenObject? there = await _catalog.OpenAsync(key, cancellationToken).ConfigureAwait(false))
        {
            if (there is null)
            {
                return new OrderResult(OrderEnd.Missing);
            }

            held = EventsOf(key, there);
        }

        if (held != events)
        {
            return new OrderResult(OrderEnd.OtherCount, held);
        }

        if (await TryDeleteAsync(key, cancellationToken).ConfigureAwait(false) is { } fault)
        {
            return new OrderResult(OrderEnd.Failed, Detail: fault);
        }

        Count(key, held, Place.Dropped);
        LogDiscarded(_logger, asker, key, held);
        return new OrderResult(OrderEnd.Discarded, held);
    });

    /// <summary>This process brought something there, and the ledger counts it.</summary>
    internal void OnArrived(string key, long events)
    {
        lock (_gate)
        {
            if (_counted.TryAdd(key, events))
            {
                _countedOrder.Enqueue(key);
                if (_countedOrder.Count > MostRemembered)
                {
                    _counted.Remove(_countedOrder.Dequeue());
                }
            }
        }
    }

    private async Task<OrderResult> OrderAsync(string key, Func<Task<OrderResult>> order)
    {
        using Claims.Claim? claim = _claims.TryTake(key);
        return claim is null ? new OrderResult(OrderEnd.Busy) : await order().ConfigureAwait(false);
    }

    private async Task<QuarantinedObject?> DescribeAsync(ObjectEntry entry, CancellationToken cancellationToken)
    {
        try
        {
            await using OpenObject? there = await _catalog.OpenAsync(entry.Key, cancellationToken).ConfigureAwait(false);
            return there is null ? null
                : new QuarantinedObject(
                    entry.Key, entry.Bytes, Moments.ToMilliseconds(entry.Modified), EventsOf(entry.Key, there), there.Reason);
        }
        catch (StorageException error) when (error.OfObject != ObjectRefusal.None)
        {
            // One that is archived keeps nobody from the others.
            long events = Counted(entry.Key) ?? 0;
            return new QuarantinedObject(
                entry.Key, entry.Bytes, Moments.ToMilliseconds(entry.Modified), events, ObjectReads.WordsOf(error, entry.Key));
        }
    }

    private long EventsOf(string key, OpenObject there) => there.Seal?.Events ?? Counted(key) ?? 0;

    private long? Counted(string key)
    {
        lock (_gate)
        {
            return _counted.TryGetValue(key, out long events) ? events : null;
        }
    }

    private void Count(string key, long events, Place to)
    {
        _ledger.Find(events - (Counted(key) ?? 0), Place.Quarantined);
        _ledger.Move(events, Place.Quarantined, to);
        lock (_gate)
        {
            _counted.Remove(key); // its place in the order is passed over when it comes up
        }
    }

    // Null when it is gone; else why it stays.
    private async Task<string?> TryDeleteAsync(string key, CancellationToken cancellationToken)
    {
        try
        {
            await _catalog.DeleteAsync(key, cancellationToken).ConfigureAwait(false);
            return null;
        }
        catch (StorageException error)
        {
            string fault = $"{key} could not be deleted ({error.Message}). Allow the node s3:DeleteObject, which it needs for nothing else";
            LogNotDeleted(_logger, fault);
            return fault;
        }
    }

    // A batch that gzip had failed lies there as it is: it is compressed now.
    private static async Task ReadAsync(Stream source, PooledStream gzip, CancellationToken cancellationToken)
    {
        byte[] head = new byte[2];
        int read = await source.ReadAtLeastAsync(head, head.Length, throwOnEndOfStream: false, cancellationToken).ConfigureAwait(false);
        if (JsonLines.LooksLikeGzip(head.AsSpan(0, read)))
        {
            await CopyAsync(gzip).ConfigureAwait(false);
            return;
        }

        await using var packed = new GZipStream(gzip, CompressionLevel.Fastest, leaveOpen: true);
        await CopyAsync(packed).ConfigureAwait(false);

        async Task CopyAsync(Stream target)
        {
            await target.WriteAsync(head.AsMemory(0, read), cancellationToken).ConfigureAwait(false);
            await source.CopyToAsync(target, cancellationToken).ConfigureAwait(false);
        }
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "{Key} of the quarantine can be read: its {Events} events are in RAW as {Raw}")]
    private static partial void LogStored(ILogger logger, string key, string raw, long events);

    [LoggerMessage(Level = LogLevel.Warning,
        Message = "{Asker} discarded {Key} of the quarantine: {Events} events are lost, and are counted as dropped")]
    private static partial void LogDiscarded(ILogger logger, string asker, string key, long events);

    [LoggerMessage(Level = LogLevel.Warning, Message = "{Fault}")]
    private static partial void LogNotDeleted(ILogger logger, string fault);
}
