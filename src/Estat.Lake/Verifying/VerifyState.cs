// What a verification has seen so far; also its checkpoint.
using System.Text.Json.Serialization;
using Estat.Base.Files;

namespace Estat.Lake.Verifying;

/// <summary>Sums over all objects up to and with <see cref="LastKey"/>.</summary>
internal sealed record VerifyState
{
    /// <inheritdoc cref="VerifySettings.What"/>
    public required string What { get; init; }

    /// <summary>Events from this time on, as it was reckoned at the begin.</summary>
    public DateTimeOffset? Since { get; init; }

    /// <summary>Events before this time.</summary>
    public DateTimeOffset? Until { get; init; }

    /// <summary>All keys up to this are covered; null: none.</summary>
    public string? LastKey { get; set; }

    public long Objects { get; set; }

    /// <summary>Objects of other tools that hold no events: <c>_SUCCESS</c>, <c>_$folder$</c>.</summary>
    public long Markers { get; set; }

    /// <summary>Bytes as they lie there.</summary>
    public long Bytes { get; set; }

    public long Events { get; set; }

    /// <summary>Bytes of text.</summary>
    public long TextBytes { get; set; }

    /// <summary>Objects that were compared with their seal.</summary>
    public long Sealed { get; set; }

    /// <summary>Events that lack what is to be unique.</summary>
    public long WithoutHash { get; set; }

    /// <summary>Findings by kind.</summary>
    public SortedDictionary<string, long> Found { get; init; } = [];

    public IReadOnlyList<long> EventShards { get; set; } = [];

    public IReadOnlyList<long> ObjectShards { get; set; } = [];

    public long KeysLength { get; set; }

    internal void Count(string kind) => Found[kind] = Found.GetValueOrDefault(kind) + 1;

    internal void Write(string path) => JsonFile.Write(path, this, VerifyStateJson.Default.VerifyState);

    /// <summary>Null when there is none.</summary>
    /// <exception cref="IOException">It cannot be read.</exception>
    internal static VerifyState? Read(string path) =>
        JsonFile.Read(path, VerifyStateJson.Default.VerifyState, "checkpoint of verify", "Delete it to begin again, or name another folder.");
}

/// <summary>Generated (de)serialization.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, WriteIndented = true, RespectNullableAnnotations = true)]
[JsonSerializable(typeof(VerifyState))]
internal sealed partial class VerifyStateJson : JsonSerializerContext;
