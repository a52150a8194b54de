// The rows of the options of collecting.
using Estat.Base.Acks;
using Estat.Base.Options;
using Estat.Base.Storage;
using Option = Estat.Base.Options.OptionSpec<Estat.Collect.Options.CollectOptions>;

namespace Estat.Collect.Options;

/// <summary>The table of <see cref="CollectOptions"/>, the storage's rows with it.</summary>
internal static class CollectOptionTable
{
    private const long Gibibyte = 1L << 30;
    private const string LevelsWithAck = "a comma-separated list of memory, disk and stored that includes the level of ACK";
    private const string ReplicaNeedsCluster = "(replica needs a cluster: start Estat.Silo)";
    private static readonly CollectOptions Default = new();

    /// <summary>Every option of a node by itself, in the order in which help and README list them.</summary>
    internal static IReadOnlyList<Option> All { get; } =
    [
        OfAck(AckLevels.OfOneNode, "What a 2xx means: memory survives a drain, disk a power cut, stored the loss of the node."),
        new Option("ACK_ALLOWED", "all that the node offers", LevelsWithAck,
            "Levels that a request may ask for with the header X-Estat-Ack.", BindAckAllowed),
        .. StorageOptionTable.All.Select(option => option.In<CollectOptions>(o => o.Storage, (o, v) => o with { Storage = v })),
        Option.Number("S3_APP_RETRIES", Default.S3AppRetries, 0, 10, "How often a failed upload is repeated before its batch goes to the DLQ.",
            (o, v) => o with { S3AppRetries = (int)v }),
        Option.Text("SPOOL_DIR", Default.SpoolDir, "a folder's path", "Folder of the spool: open and sealed batches. One process owns it.",
            OptionTexts.IsPath, (o, v) => o with { SpoolDir = v }),
        Option.OneOf("SPOOL_VOLATILE", "false", [("true", true), ("false", false)],
            "Whether SPOOL_DIR may be on a file system that a reboot empties (tmpfs).", (o, v) => o with { SpoolVolatile = v }),
        Option.Number(
            "SPOOL_MAX_SIZE_BYTES", Default.SpoolMaxSizeBytes, 1 << 20, long.MaxValue, "Size of the spool at which new requests get 503.",
            (o, v) => o with { SpoolMaxSizeBytes = v }),
        Option.Duration("STORED_MAX_WAIT", Default.StoredMaxWait, "10ms", "1m",
            "Least time between batches of ACK=stored. If an upload "
            + "takes longer, the answer is 202 with level disk.", (o, v) => o with { StoredMaxWait = v }),
        Option.Text("DLQ_DIR", Default.DlqDir, "a folder's path", "Folder for batches whose upload failed. One process owns it.",
            OptionTexts.IsPath, (o, v) => o with { DlqDir = v }),
        Option.Duration("DLQ_MAX_AGE", Default.DlqMaxAge, "1s", "8760h", "Age at which a DLQ file raises the alarm. The node still uploads it.",
            (o, v) => o with { DlqMaxAge = v }),
        Option.Number("DLQ_MAX_SIZE_BYTES", Default.DlqMaxSizeBytes, 1, long.MaxValue, "Capacity of the DLQ.",
            (o, v) => o with { DlqMaxSizeBytes = v }),
        Option.OneOf("DLQ_FULL", "reject", [("reject", DlqFullPolicy.Reject), ("evict", DlqFullPolicy.Evict)],
            "When the DLQ is full: reject answers 503 to new "
            + "requests, evict deletes the oldest files and counts their events.", (o, v) => o with { DlqFull = v }),
        Option.Number("DISK_MIN_FREE_BYTES", Default.DiskMinFreeBytes, 0, long.MaxValue,
            "While the spool's disk (or the DLQ's, if it holds files) has less free, new requests get 503.",
            (o, v) => o with { DiskMinFreeBytes = v }),
        Option.Duration("RECOVERY_INTERVAL", Default.RecoveryInterval, "10ms", "1h", "Time between two runs of recovery, which tries the files of "
            + "the DLQ again.",
            (o, v) => o with { RecoveryInterval = v }),
        Option.Number("PARTITIONS", Default.Partitions, 1, 64, "Parallel paths through the node, each with one writer.",
            (o, v) => o with { Partitions = (int)v }, "one per core, at most 8"),
        Option.Number("CHANNEL_SIZE", Default.ChannelSize, 1, 10_000_000, "Most requests whose events are accepted but not yet in a batch. "
            + "Above it, new requests get 503.",
            (o, v) => o with { ChannelSize = (int)v }),
        Option.Number("CHANNEL_BYTES", Default.ChannelBytes, 1 << 20, 64 * Gibibyte, "Most memory of their events. Above it, new requests get 503.",
            (o, v) => o with { ChannelBytes = v }),
        Option.Number("BATCH_SIZE", Default.BatchSize, 1, 10_000_000, "The node flushes a batch at this many events.",
            (o, v) => o with { BatchSize = (int)v }),
        Option.Number("BATCH_BYTES", Default.BatchBytes, 1024, 2 * Gibibyte, "The node flushes a batch at this many bytes of uncompressed JSONL.",
            (o, v) => o with { BatchBytes = v }),
        Option.Duration("FLUSH_INTERVAL", Default.FlushInterval, "10ms", "24h", "The node flushes a batch this long after its first event.",
            (o, v) => o with { FlushInterval = v }),
        Option.Number("GZIP_LEVEL", Default.GzipLevel, 1, 9, "gzip level: 1 is fastest, 6 smallest; docs/performance.md shows what each costs.",
            (o, v) => o with { GzipLevel = (int)v }),
        Option.Number("UPLOAD_QUEUE", Default.UploadQueue, 1, 10_000, "Most sealed batches that may wait for an upload.",
            (o, v) => o with { UploadQueue = (int)v }),
        Option.Number("UPLOAD_CONCURRENCY", Default.UploadConcurrency, 1, 256, "Most uploads that run at once.",
            (o, v) => o with { UploadConcurrency = (int)v }),
        Option.Number("MAX_BODY_SIZE", Default.MaxBodySize, 1, 16 << 20, "Largest event, bytes.", (o, v) => o with { MaxBodySize = (int)v }),
        Option.Number("MAX_BATCH_BODY_SIZE", Default.MaxBatchBodySize, 1, 1 << 30,
            "Largest body of /collect/batch, bytes, as sent and decompressed.",
            (o, v) => o with { MaxBatchBodySize = (int)v }),
        Option.OneOf("CAPTURE_COOKIE", "false", [("true", true), ("false", false)], "Whether a stored line has the Cookie header.",
            (o, v) => o with { CaptureCookie = v }),
    ];

    /// <summary>Every option of a cluster's node: ACK takes one level more.</summary>
    internal static IReadOnlyList<Option> OfCluster { get; } =
    [
        .. All.Select(option => option.Name == "ACK"
            ? OfAck(AckLevels.All, "What a 2xx means: memory survives a drain, disk a power cut, replica and stored the loss of the node.") : option),
    ];

    /// <summary>Checks what holds between options.</summary>
    internal static void CheckTogether(CollectOptions options)
    {
        StorageOptionTable.CheckTogether(options.Storage);
        if (options.MaxBatchBodySize < options.MaxBodySize)
        {
            throw OptionTexts.Wrong("MAX_BATCH_BODY_SIZE", $"{options.MaxBatchBodySize}", $"at least MAX_BODY_SIZE ({options.MaxBodySize})");
        }

        if (options.AckAllowed is { } allowed && !allowed.Contains(options.Ack))
        {
            throw OptionTexts.Wrong(
                "ACK_ALLOWED", string.Join(',', allowed.Select(level => level.ToText())), $"{LevelsWithAck} ({options.Ack.ToText()})");
        }

        if (Path.GetFullPath(options.SpoolDir) == Path.GetFullPath(options.DlqDir))
        {
            throw OptionTexts.Wrong("SPOOL_DIR", options.SpoolDir, "a folder other than DLQ_DIR");
        }
    }

    private static Option OfAck(IReadOnlyList<AckLevel> levels, string purpose)
    {
        Option spec = Option.OneOf(
            "ACK", Default.Ack.ToText(), [.. levels.Select(level => (level.ToText(), level))], purpose, (o, v) => o with { Ack = v });
        return levels.Contains(AckLevel.Replica) ? spec : spec with
        {
            Apply = (options, text) => AckLevels.Parse(text) == AckLevel.Replica
                ? throw OptionTexts.Wrong("ACK", text, $"{spec.Takes} {ReplicaNeedsCluster}")
                : spec.Apply(options, text),
        };
    }

    /// <summary>A node by itself offers no replica.</summary>
    internal static void RefuseReplica(CollectOptions options)
    {
        if (options.AckAllowed?.Contains(AckLevel.Replica) == true)
        {
            throw OptionTexts.Wrong(
                "ACK_ALLOWED", string.Join(',', options.AckAllowed.Select(level => level.ToText())), $"{LevelsWithAck} {ReplicaNeedsCluster}");
        }
    }

    private static CollectOptions BindAckAllowed(CollectOptions options, string text) => options with
    {
        AckAllowed = [.. text.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries)
            .Select(item => AckLevels.Parse(item) ?? throw OptionTexts.Wrong("ACK_ALLOWED", text, LevelsWithAck)).Distinct().Order()],
    };
}
