// What a sealed batch is, in four values; they travel with the object as metadata.
using System.Globalization;

namespace Estat.Base.Storage;

/// <summary>
/// The seal of a batch: enough to tell whether an object under a batch's key is that batch, a prefix of it, or something else.
/// </summary>
/// <param name="Events">Lines.</param>
/// <param name="Bytes">Length of the uncompressed JSONL.</param>
/// <param name="Sha256">SHA-256 of the uncompressed JSONL, lower-case hex. For content that is no gzip JSONL: of its bytes as they are.</param>
/// <param name="LastSequence">Sequence number of the last record in the batch, counted from 1.</param>
public sealed record Seal(long Events, long Bytes, string Sha256, long LastSequence)
{
    private const string EventsKey = "estat-events";
    private const string BytesKey = "estat-bytes";
    private const string Sha256Key = "estat-sha256";
    private const string LastSequenceKey = "estat-last-sequence";

    /// <summary>The seal as an object's user metadata.</summary>
    public IEnumerable<KeyValuePair<string, string>> ToMetadata() =>
    [
        new(EventsKey, Events.ToString(CultureInfo.InvariantCulture)),
        new(BytesKey, Bytes.ToString(CultureInfo.InvariantCulture)),
        new(Sha256Key, Sha256),
        new(LastSequenceKey, LastSequence.ToString(CultureInfo.InvariantCulture)),
    ];

    /// <summary>Reads a seal out of metadata; null when it is not there or not whole.</summary>
    public static Seal? FromMetadata(Func<string, string?> value) =>
        long.TryParse(value(EventsKey), NumberStyles.None, CultureInfo.InvariantCulture, out long events)
        && long.TryParse(value(BytesKey), NumberStyles.None, CultureInfo.InvariantCulture, out long bytes)
        && long.TryParse(value(LastSequenceKey), NumberStyles.None, CultureInfo.InvariantCulture, out long last)
        && value(Sha256Key) is { Length: 64 } sha256
            ? new Seal(events, bytes, sha256, last)
            : null;
}
