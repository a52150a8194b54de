// NAME.jsonl.gz.meta.json: what a DLQ file is and when it is due.
using System.Text.Json;
using System.Text.Json.Serialization;
using Estat.Collect.Batching;

namespace Estat.Collect.Dlq;

/// <summary>The meta file's content; field names are the design's (<c>num_events</c>, <c>next_due</c>, …).</summary>
internal sealed record DlqMeta
{
    private const long Most = 1L << 40;

    /// <summary>Lines in the payload.</summary>
    public required long NumEvents { get; init; }

    /// <summary>The object's key, fixed when the batch opened.</summary>
    public required string Key { get; init; }

    /// <summary>When the batch opened, UTC.</summary>
    public required DateTimeOffset Created { get; init; }

    /// <summary>Why it came here, or why the last attempt failed.</summary>
    public required string Reason { get; init; }

    /// <summary>Recovery's attempts so far.</summary>
    public int Attempts { get; init; }

    /// <summary>Not tried before this time, UTC. The meta file's modification time repeats it.</summary>
    public required DateTimeOffset NextDue { get; init; }

    /// <summary>SHA-256 of the uncompressed JSONL (of the bytes as they are when <see cref="Form"/> is raw).</summary>
    public required string Sha256 { get; init; }

    /// <summary>Sequence number of the last record.</summary>
    public long LastSequence { get; init; }

    /// <summary>gzip, or raw for a batch that could not be compressed.</summary>
    public BatchForm Form { get; init; }

    /// <summary>Whether it was already reported as older than <c>DLQ_MAX_AGE</c>.</summary>
    public bool Expired { get; init; }

    // No batch has fewer events than none; what would make sums run over is damage as well.
    [JsonIgnore]
    private bool IsPossible => NumEvents is >= 0 and <= Most && Attempts is >= 0 and <= int.MaxValue / 2 && LastSequence is >= 0 and <= Most;

    internal void Write(Stream stream) => JsonSerializer.Serialize(stream, this, DlqMetaJson.Default.DlqMeta);

    /// <summary>Null when the bytes are no meta.</summary>
    internal static DlqMeta? TryRead(ReadOnlySpan<byte> json)
    {
        try
        {
            return JsonSerializer.Deserialize(json, DlqMetaJson.Default.DlqMeta) is { IsPossible: true } meta ? meta : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }
}

/// <summary>Generated (de)serialization: no reflection at start-up.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, UseStringEnumConverter = true, WriteIndented = true,
    RespectNullableAnnotations = true)]
[JsonSerializable(typeof(DlqMeta))]
internal sealed partial class DlqMetaJson : JsonSerializerContext;
