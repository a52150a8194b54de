// A node as the operator sees it: what /admin/state answers (docs/admin-api.md).
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Estat.Collect.Administration;

/// <summary>One reading. What a gateway that is no silo does not have is null there.</summary>
/// <param name="Node">Who it is.</param>
/// <param name="Time">When it was read, UTC.</param>
/// <param name="Events">Where events are, in one consistent reading: accepted + found = the sum of the others.</param>
/// <param name="Rates">Of the last second.</param>
/// <param name="AckMs">From a request's headers to its answer, of the last ten seconds, one request in 64.</param>
/// <param name="OldestUnflushedS">Age of the oldest batch that still takes events, seconds.</param>
/// <param name="Batches">Batches on their way.</param>
/// <param name="Spool">The spool.</param>
/// <param name="Dlq">The DLQ.</param>
/// <param name="Storage">Whether the store takes what it is given.</param>
/// <param name="Requests">Requests since the start.</param>
/// <param name="Process">What it costs.</param>
public sealed record NodeState(
    NodeSummary Node, DateTime Time, EventPlaces? Events, EventRates Rates, AckTimes AckMs, double? OldestUnflushedS, BatchState? Batches,
    SpoolState? Spool,
    DlqState? Dlq, StorageState? Storage, RequestTotals Requests, ProcessState Process)
{
    private static readonly NodeStateJson Readable = new(new JsonSerializerOptions
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    });

    /// <summary>The reading as UTF-8 JSON on one line.</summary>
    public byte[] ToJson() => JsonSerializer.SerializeToUtf8Bytes(this, Readable.NodeState);
}

/// <summary>What does not change while a node runs.</summary>
/// <param name="Name">Its name; unique in a cluster.</param>
/// <param name="Role">standalone, silo, gateway or both.</param>
/// <param name="Instance">This start of it, as it stands in every key; null at a gateway, which makes none.</param>
/// <param name="Version">Of the program.</param>
/// <param name="Started">UTC.</param>
/// <param name="Ack">The ack level of requests that name none.</param>
/// <param name="Levels">The levels that it offers.</param>
/// <param name="Storage">Where objects go; null at a gateway.</param>
/// <param name="RawPrefix">RAW_PREFIX.</param>
/// <param name="DlqPrefix">DLQ_PREFIX.</param>
/// <param name="FlushIntervalS">FLUSH_INTERVAL, seconds.</param>
/// <param name="KeysConfigured">Whether requests need a write key.</param>
public sealed record NodeFacts(
    string Name, string Role, string? Instance, string Version, DateTime Started, string Ack, IReadOnlyList<string> Levels, string? Storage,
    string RawPrefix,
    string DlqPrefix, double FlushIntervalS, bool KeysConfigured);

/// <summary>Who a node is, and whether it takes events.</summary>
public sealed record NodeSummary(
    string Name, string Role, string? Instance, string Version, DateTime Started, bool Ready, string? NotReadyBecause, string Ack,
    IReadOnlyList<string> Levels,
    string? Storage, string RawPrefix, string DlqPrefix, double FlushIntervalS, bool KeysConfigured);

/// <summary>The conservation line.</summary>
public sealed record EventPlaces(long Accepted, long Found, long Stored, long Buffered, long Spooled, long Dlq, long Quarantined, long Dropped);

/// <summary>A second's worth. At a gateway that is no silo, accepted are requests.</summary>
public sealed record EventRates(double AcceptedPerS, double StoredPerS, double RequestsPerS, double RejectedPerS);

/// <summary>Milliseconds.</summary>
public sealed record AckTimes(double P50, double P99, int Samples);

/// <summary>Sealed batches that wait, those sealed since the start, and the median of the last uploads.</summary>
public sealed record BatchState(int Queue, long Sealed, double UploadP50Ms);

/// <summary>Bytes of segments, sealed batches that wait in them without memory, and whether the disk fails.</summary>
public sealed record SpoolState(long Bytes, int Waiting, bool Failing);

/// <summary>Payload files, their size and DLQ_MAX_SIZE_BYTES.</summary>
public sealed record DlqState(long Files, long Bytes, long MaxBytes);

/// <summary>Whether the last upload failed, and why.</summary>
public sealed record StorageState(bool Failing, string? Fault);

/// <summary>Requests to the collecting endpoints.</summary>
public sealed record RequestTotals(long Total, long Accepted, RejectedTotals Rejected, long Aborted);

/// <summary>Requests that were answered with an error, by reason.</summary>
public sealed record RejectedTotals(
    long TooLarge, long QueueFull, long Unauthorized, long RateLimited, long StorageFull, long DiskFailed, long Draining, long NoReplica,
    long NoSilo, long Unknown,
    long Invalid)
{
    /// <summary>All of them.</summary>
    [JsonIgnore]
    public long Sum => TooLarge + QueueFull + Unauthorized + RateLimited + StorageFull + DiskFailed + Draining + NoReplica + NoSilo + Unknown + Invalid;
}

/// <summary>CPU time of the last second (100 is one core), resident memory, and what the garbage collector holds.</summary>
public sealed record ProcessState(double CpuPercent, long RssBytes, long GcHeapBytes);

/// <summary>Generated serialization: no reflection.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(NodeState))]
internal sealed partial class NodeStateJson : JsonSerializerContext;
