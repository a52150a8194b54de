// A batch that takes no more events, ready to be uploaded as often as it takes.
using System.Diagnostics;
using Estat.Base.Memory;
using Estat.Base.Storage;
using Estat.Collect.Conservation;
using Estat.Collect.Metrics;
using Estat.Collect.Spooling;

namespace Estat.Collect.Batching;

/// <summary>What a sealed batch holds.</summary>
public enum BatchForm
{
    /// <summary>gzip JSONL: goes to RAW under its key.</summary>
    Gzip,

    /// <summary>JSONL that could not be compressed: goes to the quarantine as it is.</summary>
    Raw,
}

/// <summary>Content and seal of a batch. Owned by whoever holds it last (uploader or DLQ), who disposes of it.</summary>
public sealed class SealedBatch : IDisposable
{
    private readonly PooledStream _content;

    internal SealedBatch(string key, DateTimeOffset opened, Seal seal, BatchForm form, FlushReason reason, PooledStream content)
    {
        Key = key;
        Opened = opened;
        Seal = seal;
        Form = form;
        Reason = reason;
        _content = content;
    }

    /// <summary>The object's key, fixed when the batch opened.</summary>
    public string Key { get; }

    /// <summary>When its first event came, UTC.</summary>
    public DateTimeOffset Opened { get; }

    /// <summary>Count, length and hash.</summary>
    public Seal Seal { get; }

    /// <summary>Whether it is gzip or raw.</summary>
    public BatchForm Form { get; }

    /// <summary>What ended it.</summary>
    public FlushReason Reason { get; }

    /// <summary>Its place in the spool, deleted once the batch is safe elsewhere; null for a batch that was in memory only.</summary>
    internal Segment? Segment { get; init; }

    /// <summary>Where its events are counted until they are elsewhere.</summary>
    internal Place Place => Segment is null ? Place.Buffered : Place.Spooled;

    /// <summary>Whether it can be left to the spool alone: it would be found there, whole.</summary>
    internal bool IsSafeInSpool => Segment is { IsSafe: true };

    /// <summary>Who waits to hear whether it is stored.</summary>
    internal TaskCompletionSource<bool>? Outcome { get; init; }

    /// <summary>Traced requests that brought events of it; null when there are none.</summary>
    internal IReadOnlyList<ActivityContext>? Requests { get; init; }

    /// <summary>Its span; null when nobody traces, and for a batch that another process sealed.</summary>
    internal ActivityContext? Trace { get; set; }

    /// <summary>Attempts to store it so far, by this process.</summary>
    internal int Attempts { get; set; }

    /// <summary>Bytes of content, as uploaded.</summary>
    public long ContentBytes => _content.Length;

    /// <summary>The content from its start; seekable.</summary>
    public Stream OpenContent() => _content.OpenRead();

    /// <summary>Gives the memory back.</summary>
    public void Dispose() => _content.Dispose();
}
