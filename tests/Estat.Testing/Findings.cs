// All that a server left behind, wherever it lies: what the oracle compares with what was acknowledged.

using System.IO.Compression;
using System.Text;
using System.Text.RegularExpressions;
using Amazon.S3;
using Amazon.S3.Model;

namespace Estat.Testing;

/// <summary>Where an event was found.</summary>
public enum FoundPlace
{
    Raw,
    Dlq,
    Quarantine,
}

/// <summary>One event, found once. An event that is found twice is there twice.</summary>
/// <param name="Number">Its number.</param>
/// <param name="Key">The object's key; in the DLQ, the file's name.</param>
/// <param name="Place">Where.</param>
public sealed record FoundEvent(long Number, string Key, FoundPlace Place);

/// <summary>What lies in the bucket, in the DLQ's folder and in the spool.</summary>
/// <param name="Events">The events of one run: under the raw prefix, in the DLQ, and in the quarantine.</param>
/// <param name="RawObjects">Objects under the raw prefix.</param>
/// <param name="QuarantineObjects">Objects under the quarantine's prefix.</param>
/// <param name="DlqFiles">Batches in the DLQ's folder.</param>
/// <param name="SpoolFiles">Segments in the spool.</param>
/// <param name="InSpool">Numbers of the events whose bytes are in a segment. They do not count as found: a spool is a way, not an end.</param>
public sealed partial record Findings(
    IReadOnlyList<FoundEvent> Events, int RawObjects, int QuarantineObjects, int DlqFiles, int SpoolFiles, IReadOnlySet<long> InSpool)
{
    /// <summary>Keys that were written more often than once, and how often; see <see cref="With"/>.</summary>
    public IReadOnlyDictionary<string, int> WrittenAgain { get; private init; } = new Dictionary<string, int>();

    private const string BatchFiles = "*.jsonl.gz";
    private const string Segments = "*.seg";

    /// <summary>Reads everything, while no server runs; only the events of this <see cref="EventSender.Run"/> count.</summary>
    /// <exception cref="InvalidDataException">An object under the raw prefix is not sound.</exception>
    public static Task<Findings> ReadAsync(
        IAmazonS3 s3, string bucket, string rawPrefix, string quarantinePrefix, string dlqFolder, string spoolFolder, string run) =>
        ReadAsync(s3, bucket, rawPrefix, quarantinePrefix, [dlqFolder], [spoolFolder], run);

    /// <summary>The same for several servers over one bucket.</summary>
    /// <exception cref="InvalidDataException">An object under the raw prefix is not sound.</exception>
    public static async Task<Findings> ReadAsync(
        IAmazonS3 s3, string bucket, string rawPrefix, string quarantinePrefix, IReadOnlyList<string> dlqFolders, IReadOnlyList<string> spoolFolders,
        string run)
    {
        var raw = await StoredEvents.SelectFromBucketAsync(s3, bucket, rawPrefix + "/", o => (o.Key, Numbers: NumbersOf(o)));
        var events = raw.SelectMany(o => o.Numbers.Select(number => new FoundEvent(number, o.Key, FoundPlace.Raw))).ToList();

        // A file whose object is there is that object, not yet removed: the next start finds it stored.
        var stored = raw.Select(o => Path.GetFileName(o.Key)).ToHashSet();
        var dlq = dlqFolders.SelectMany(folder => FilesOf(folder, BatchFiles)).ToList();
        foreach (var file in dlq.Where(file => !stored.Contains(Path.GetFileName(file))))
        {
            events.AddRange(NumbersIn(await File.ReadAllBytesAsync(file), run)
                .Select(number => new FoundEvent(number, Path.GetFileName(file), FoundPlace.Dlq)));
        }

        var quarantined = await s3.ListObjectsV2Async(new ListObjectsV2Request { BucketName = bucket, Prefix = quarantinePrefix + "/" });
        var keys = (quarantined.S3Objects ?? []).Select(o => o.Key).ToList();
        foreach (var key in keys)
        {
            using var response = await s3.GetObjectAsync(bucket, key);
            using var content = new MemoryStream();
            await response.ResponseStream.CopyToAsync(content);
            events.AddRange(NumbersIn(content.ToArray(), run).Select(number => new FoundEvent(number, key, FoundPlace.Quarantine)));
        }

        var segments = spoolFolders.SelectMany(folder => FilesOf(folder, Segments)).ToList();
        return new Findings(events, raw.Count, keys.Count, dlq.Count, segments.Count,
            segments.SelectMany(file => NumbersIn(File.ReadAllBytes(file), run)).ToHashSet());
    }

    /// <summary>
    /// The same with every write of an object counted, not only the one that lies there: whoever listens to the bucket's notifications, or reads its
    /// versions, gets the events of each.
    /// </summary>
    /// <param name="writes">How often each key was written.</param>
    /// <exception cref="InvalidDataException">Objects are there and no write of any is known.</exception>
    public Findings With(IReadOnlyDictionary<string, int> writes)
    {
        ArgumentNullException.ThrowIfNull(writes);
        if (RawObjects > 0 && writes.Count == 0)
        {
            throw new InvalidDataException($"{RawObjects} objects are there, and S3 knows of no write");
        }

        var again = writes.Where(write => write.Value > 1).ToDictionary();
        var repeated = Events.Where(e => e.Place != FoundPlace.Dlq && again.ContainsKey(e.Key))
            .SelectMany(e => Enumerable.Repeat(e, again[e.Key] - 1));
        return this with { Events = [.. Events, .. repeated], WrittenAgain = again };
    }

    /// <summary>
    /// The numbers of a run's events in bytes of any kind: lines, lines with something between them, or gzip of either, as far as it unpacks. An
    /// event whose id is not there to its end is none.
    /// </summary>
    public static IEnumerable<long> NumbersIn(byte[] content, string run)
    {
        ArgumentNullException.ThrowIfNull(content);
        var text = Encoding.Latin1.GetString(content.AsSpan().StartsWith<byte>([0x1f, 0x8b]) ? Unpacked(content) : content);
        return Ids().Matches(text)
            .Where(match => match.Groups["run"].ValueSpan.SequenceEqual(run))
            .Select(match => long.Parse(match.Groups["number"].ValueSpan, System.Globalization.CultureInfo.InvariantCulture));
    }

    private static List<long> NumbersOf(StoredObject stored) => [.. stored.Events.Select(e => EventSender.NumberOf(e.Body)).OfType<long>()];

    private static List<string> FilesOf(string folder, string pattern) =>
        Directory.Exists(folder) ? [.. Directory.EnumerateFiles(folder, pattern, SearchOption.AllDirectories)] : [];

    private static byte[] Unpacked(byte[] gzip)
    {
        using var content = new MemoryStream();
        try
        {
            using var stream = new GZipStream(new MemoryStream(gzip), CompressionMode.Decompress);
            stream.CopyTo(content);
        }
        catch (InvalidDataException)
        {
            // As far as it goes.
        }

        return content.ToArray();
    }

    // As it stands in a body, and as it stands in a line, where quotes are escaped.
    [GeneratedRegex("""\\?"id\\?":\\?"(?<run>[0-9a-f]{8})-(?<number>[0-9]{1,18})\\?["]""")]
    private static partial Regex Ids();
}
