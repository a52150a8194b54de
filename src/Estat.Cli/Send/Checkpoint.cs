// FILE.estat-send: how far a file was sent, so that a second start goes on where the first one stopped.
using System.Text.Json.Serialization;
using Estat.Base.Files;

namespace Estat.Cli.Send;

/// <summary>A part of the file that was acknowledged while something before it was not yet.</summary>
/// <param name="From">Its first byte (of the content, where the file is gzip).</param>
/// <param name="To">The byte after its last.</param>
/// <param name="Lines">Lines in it, blank ones as well.</param>
internal sealed record SentRange(long From, long To, long Lines);

/// <summary>
/// Written, with fsync, after each acknowledged request: everything before <see cref="Offset"/> and in <see cref="Beyond"/> is acknowledged, or
/// rejected and told. It never claims what is not; a kill can only leave it behind by what was in flight.
/// </summary>
internal sealed record Checkpoint
{
    /// <summary>Size of the file in bytes, as it lies there.</summary>
    public required long Size { get; init; }

    /// <summary>When the file was last modified, UTC.</summary>
    public required DateTimeOffset Modified { get; init; }

    /// <summary>Names the file in Idempotency-Keys; the same after a resume.</summary>
    public required string Name { get; init; }

    /// <summary>All content before it is done.</summary>
    public long Offset { get; init; }

    /// <summary>Lines before <see cref="Offset"/>.</summary>
    public long Line { get; init; }

    /// <summary>SHA-256 of the content before <see cref="Offset"/>.</summary>
    public string Sha256 { get; init; } = "";

    /// <summary>What is done beyond it.</summary>
    public IReadOnlyList<SentRange> Beyond { get; init; } = [];

    /// <summary>Events acknowledged in all.</summary>
    public long Events { get; init; }

    /// <summary>Lines rejected in all.</summary>
    public long Rejected { get; init; }

    /// <summary>Length of the file of rejected lines.</summary>
    public long RejectsBytes { get; init; }

    /// <summary>Events whose request was sent again although the first may have been taken.</summary>
    public long Uncertain { get; init; }

    /// <summary>Whether the whole file is done.</summary>
    public bool Finished { get; init; }

    /// <summary>
    /// Whether the file was damaged or cut from <see cref="Offset"/> on. The mended one, of whatever size, is gone on with where it begins with the
    /// same content.
    /// </summary>
    public bool Cut { get; init; }

    /// <summary>Null when there is none.</summary>
    /// <exception cref="IOException">It is damaged or not ours.</exception>
    internal static Checkpoint? Read(string path) =>
        JsonFile.Read(path, CheckpointJson.Default.Checkpoint, "checkpoint of estat send",
            "--again replaces it and sends the file from its beginning");

    internal void Write(string path) => JsonFile.Write(path, this, CheckpointJson.Default.Checkpoint);
}

/// <summary>Generated (de)serialization: no reflection at start-up.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, WriteIndented = true, RespectNullableAnnotations = true)]
[JsonSerializable(typeof(Checkpoint))]
internal sealed partial class CheckpointJson : JsonSerializerContext;
