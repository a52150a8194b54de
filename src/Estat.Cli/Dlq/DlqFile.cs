// A file of the DLQ, as a node or a folder tells of it.
using System.Text.Json.Serialization;

namespace Estat.Cli.Dlq;

/// <summary>Fields as in docs/admin-api.md.</summary>
internal sealed record DlqFile
{
    /// <summary>Its name, and what requests call it by.</summary>
    public required string Name { get; init; }

    /// <summary>Where it would go; null when its meta is missing.</summary>
    public string? Key { get; init; }

    /// <summary>Lines; 0 when its meta is missing.</summary>
    public long Events { get; init; }

    /// <summary>Size as it lies there.</summary>
    public long Bytes { get; init; }

    /// <summary>When its batch opened.</summary>
    public DateTimeOffset? Created { get; init; }

    /// <summary>Seconds since then.</summary>
    public double AgeS { get; init; }

    /// <summary>Why it came there, or why it could not leave.</summary>
    public string? Reason { get; init; }

    /// <summary>Recovery's attempts.</summary>
    public int Attempts { get; init; }

    /// <summary>Not tried before.</summary>
    public DateTimeOffset? NextDue { get; init; }

    /// <summary>Older than DLQ_MAX_AGE.</summary>
    public bool Expired { get; init; }

    /// <summary>gzip or raw.</summary>
    public string? Form { get; init; }

    /// <summary>Of the JSONL inside, where the teller knows it.</summary>
    public string? Sha256 { get; init; }

    /// <summary>First lines; only of one file.</summary>
    public IReadOnlyList<string>? Lines { get; init; }

    /// <summary>Whether there are more lines.</summary>
    public bool? Truncated { get; init; }
}

/// <summary>One page of a listing.</summary>
internal sealed record DlqPage
{
    /// <summary>By name.</summary>
    public required IReadOnlyList<DlqFile> Files { get; init; }

    /// <summary>What the next page comes after; null on the last.</summary>
    public string? Next { get; init; }

    /// <summary>Files in all.</summary>
    public long Total { get; init; }
}

/// <summary>What became of one retry.</summary>
internal sealed record DlqOutcome
{
    /// <summary>stored, quarantined, failed; or, here, busy and gone.</summary>
    public required string Outcome { get; init; }

    /// <summary>Why it failed.</summary>
    public string? Detail { get; init; }
}

/// <summary>What a discard gave up.</summary>
internal sealed record DlqDiscarded
{
    /// <summary>Events.</summary>
    public required long Discarded { get; init; }
}

/// <summary>Generated (de)serialization: no reflection at start-up.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(DlqFile))]
[JsonSerializable(typeof(DlqPage))]
[JsonSerializable(typeof(DlqOutcome))]
[JsonSerializable(typeof(DlqDiscarded))]
internal sealed partial class DlqJson : JsonSerializerContext;
