// How far a replay is; also its checkpoint.
using System.Text.Json.Serialization;
using Estat.Base.Files;
using Estat.Base.Storage;

namespace Estat.Lake.Replaying;

/// <summary>Lines of an object that were acknowledged before others ahead of them were.</summary>
/// <param name="Key">The object.</param>
/// <param name="First">From this line.</param>
/// <param name="Last">To this.</param>
internal sealed record DoneLines(string Key, long First, long Last);

/// <summary>
/// Invariant: every line up to <see cref="Line"/> of <see cref="Key"/>, every object before it, and what <see cref="Beyond"/> names, were
/// acknowledged; nothing else was, as far as anybody knows.
/// </summary>
internal sealed record ReplayState
{
    /// <summary>From where to where, and what: a checkpoint goes on with nothing else.</summary>
    public required string What { get; init; }

    /// <summary>When it began: what was opened later is never read, also after it went on.</summary>
    public required DateTimeOffset Began { get; init; }

    /// <summary>Events from this time on, as it was reckoned at the begin: <c>24h</c> ago is another moment later.</summary>
    public DateTimeOffset? Since { get; init; }

    /// <summary>Events before this time.</summary>
    public DateTimeOffset? Until { get; init; }

    /// <summary>The object that it is in; null: before the first.</summary>
    public string? Key { get; set; }

    /// <summary>Lines of it that are done; <see cref="long.MaxValue"/>: all.</summary>
    public long Line { get; set; }

    public List<DoneLines> Beyond { get; init; } = [];

    public long Objects { get; set; }

    /// <summary>Events that were acknowledged.</summary>
    public long Events { get; set; }

    public long Bytes { get; set; }

    public long LeftOut { get; set; }

    /// <summary>Events, or objects, that were not replayed for a reason that was told.</summary>
    public long Failed { get; set; }

    /// <summary>Objects that were there already.</summary>
    public long Equal { get; set; }

    /// <summary>Events of requests that were sent again because nobody knew whether they had been taken.</summary>
    public long Uncertain { get; set; }

    /// <summary>Whether a line was acknowledged.</summary>
    internal bool IsDone(string key, long line) =>
        (Key is not null && (KeyOrder.Instance.Compare(key, Key) is var order && (order < 0 || (order == 0 && line <= Line))))
        || Beyond.Exists(done => done.Key == key && line >= done.First && line <= done.Last);

    /// <summary>Whether an object is done.</summary>
    internal bool IsDone(string key) => IsDone(key, long.MaxValue);

    /// <summary>All up to here is done.</summary>
    internal void Reach(string key, long line)
    {
        Key = key;
        Line = line;
        Beyond.RemoveAll(done => IsBehind(done));
    }

    internal void Save(string path) => JsonFile.Write(path, this, ReplayStateJson.Default.ReplayState);

    /// <summary>Null when there is none.</summary>
    /// <exception cref="IOException">It cannot be read.</exception>
    internal static ReplayState? Read(string path) =>
        JsonFile.Read(path, ReplayStateJson.Default.ReplayState, "checkpoint of replay", "Delete it to begin again, or name another file.");

    private bool IsBehind(DoneLines done) =>
        KeyOrder.Instance.Compare(done.Key, Key) is var order && (order < 0 || (order == 0 && done.Last <= Line));
}

/// <summary>Generated (de)serialization.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, WriteIndented = true, RespectNullableAnnotations = true)]
[JsonSerializable(typeof(ReplayState))]
internal sealed partial class ReplayStateJson : JsonSerializerContext;
