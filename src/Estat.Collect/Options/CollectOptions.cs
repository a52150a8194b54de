// The options of collecting: what a 2xx means, where events are kept, how batches are made. Bound and documented by CollectOptionTable.
using Estat.Base.Acks;
using Estat.Base.Storage;

namespace Estat.Collect.Options;

/// <summary>What happens to new requests when the DLQ has reached its capacity.</summary>
public enum DlqFullPolicy
{
    /// <summary>New events are answered 503; nothing that was acknowledged is given up.</summary>
    Reject,

    /// <summary>The oldest files are deleted and counted in <c>dlq_events_dropped_total</c>.</summary>
    Evict,
}

/// <summary>Already checked. Units and bounds stand at each entry of <see cref="CollectOptionTable"/>.</summary>
public sealed record CollectOptions
{
    /// <summary>Where objects go, and how.</summary>
    public StorageOptions Storage { get; init; } = new();

    /// <summary>The same, for whoever opens the store: with the longest object that this node makes.</summary>
    public StorageOptions ObjectStorage => Storage with { LongestObject = BatchBytes + MaxBatchBodySize + (256L << 20) };

    /// <summary>Ack level of a request that names none.</summary>
    public AckLevel Ack { get; init; } = AckLevel.Disk;

    /// <summary>Levels that a request may name; null is all that the node offers. Holds <see cref="Ack"/>.</summary>
    public IReadOnlyList<AckLevel>? AckAllowed { get; init; }

    /// <summary>Folder of the spool; one process owns it.</summary>
    public string SpoolDir { get; init; } = "./var/spool";

    /// <summary>Whether the spool may be on a file system that forgets, such as tmpfs.</summary>
    public bool SpoolVolatile { get; init; }

    /// <summary>Size of the spool at which new requests are turned away, bytes.</summary>
    public long SpoolMaxSizeBytes { get; init; } = 19_327_352_832;

    /// <summary>Least time between two batches of requests that wait for the store, and the longest that each then waits for its upload.</summary>
    public TimeSpan StoredMaxWait { get; init; } = TimeSpan.FromMilliseconds(500);

    /// <summary>Attempts after the first before a batch goes to the DLQ.</summary>
    public int S3AppRetries { get; init; } = 2;

    /// <summary>Folder of the DLQ; one process owns it.</summary>
    public string DlqDir { get; init; } = "./var/dlq";

    /// <summary>Age past which a DLQ file raises the alarm. It is still uploaded.</summary>
    public TimeSpan DlqMaxAge { get; init; } = TimeSpan.FromHours(24);

    /// <summary>Capacity of the DLQ, bytes of payload files.</summary>
    public long DlqMaxSizeBytes { get; init; } = 19_327_352_832;

    /// <summary>What happens at <see cref="DlqMaxSizeBytes"/>.</summary>
    public DlqFullPolicy DlqFull { get; init; } = DlqFullPolicy.Reject;

    /// <summary>While the spool's disk has less than this free, or the DLQ's while it holds files, new requests are turned away. Bytes.</summary>
    public long DiskMinFreeBytes { get; init; } = 268_435_456;

    /// <summary>Time between two recovery ticks.</summary>
    public TimeSpan RecoveryInterval { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>Parallel paths through the node, each with one writer.</summary>
    public int Partitions { get; init; } = Math.Clamp(Environment.ProcessorCount, 1, 8);

    /// <summary>Partitions of a level. Requests that wait for the store share one, so that nobody can force tiny objects on the rest.</summary>
    public int PartitionsOf(AckLevel level) => level == AckLevel.Stored ? 1 : Partitions;

    /// <summary>Requests whose events are accepted and not yet compressed, over all partitions.</summary>
    public int ChannelSize { get; init; } = 4000;

    /// <summary>Memory that their events may hold, over all partitions; one batch request may overshoot its partition's part. Bytes.</summary>
    public long ChannelBytes { get; init; } = 33_554_432;

    /// <summary>Events in a batch at most.</summary>
    public int BatchSize { get; init; } = 5000;

    /// <summary>Uncompressed bytes of JSONL in a batch at most (one event, or one chunk of a batch request, may overshoot it).</summary>
    public long BatchBytes { get; init; } = 33_554_432;

    /// <summary>A batch is sealed this long after its first event at the latest.</summary>
    public TimeSpan FlushInterval { get; init; } = TimeSpan.FromSeconds(120);

    /// <summary>gzip level, 1 (fastest) to 9. Why 2: docs/performance.md, "gzip: what a level costs".</summary>
    public int GzipLevel { get; init; } = 2;

    /// <summary>Sealed batches that may wait for an uploader.</summary>
    public int UploadQueue { get; init; } = 4;

    /// <summary>Uploads that run at once.</summary>
    public int UploadConcurrency { get; init; } = 4;

    /// <summary>Largest body of one event, bytes.</summary>
    public int MaxBodySize { get; init; } = 16_384;

    /// <summary>Largest body of <c>/collect/batch</c>, bytes, both as sent and decompressed.</summary>
    public int MaxBatchBodySize { get; init; } = 8_388_608;

    /// <summary>Whether a line carries the <c>Cookie</c> header.</summary>
    public bool CaptureCookie { get; init; }
}
