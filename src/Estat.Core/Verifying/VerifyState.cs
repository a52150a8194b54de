// What a verification has seen so far; also its checkpoint.
using System.Text.Json;
using System.Text.Json.Serialization;
using Estat.Core.Files;

namespace Estat.Core.Verifying;

/// <summary>Sums over all objects up to and with <see cref="LastKey"/>.</summary>
internal sealed record VerifyState
{
    /// <summary>What is verified, and by what: a checkpoint goes on with nothing else.</summary>
    public required string What { get; init; }

    /// <summary>All keys up to this are covered; null: none.</summary>
    public string? LastKey { get; set; }

    public long Objects { get; set; }

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

    internal void Write(string path) => AtomicFile.Write(path, stream => JsonSerializer.Serialize(stream, this, VerifyStateJson.Default.VerifyState));

    /// <summary>Null when there is none.</summary>
    /// <exception cref="IOException">It cannot be read.</exception>
    internal static VerifyState? Read(string path)
    {
        if (!File.Exists(path))
        {
            return null;
        }

        try
        {
            return JsonSerializer.Deserialize(File.ReadAllBytes(path), VerifyStateJson.Default.VerifyState);
        }
        catch (JsonException error)
        {
            throw new IOException($"{path}: is no checkpoint of verify ({error.Message}). Delete it to begin anew, or name another folder.", error);
        }
    }
}

/// <summary>Generated (de)serialization.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, WriteIndented = true)]
[JsonSerializable(typeof(VerifyState))]
internal sealed partial class VerifyStateJson : JsonSerializerContext;
