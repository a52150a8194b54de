// Reads back all that was stored, in a bucket or in a folder, and accepts nothing that is not sound.

using System.Buffers.Binary;
using System.Collections.Concurrent;
using System.IO.Compression;
using System.Text;
using System.Text.Json;
using Amazon.S3;
using Amazon.S3.Model;

namespace Estat.Testing;

/// <summary>One line of a stored object.</summary>
/// <param name="Key">The object's key, or its path relative to the folder.</param>
/// <param name="Ts">UTC epoch seconds.</param>
/// <param name="Ip">The client's address.</param>
/// <param name="UserAgent">The client's User-Agent; empty if it sent none.</param>
/// <param name="Cookie">Null if the line has none.</param>
/// <param name="Id">Null if the line has none.</param>
/// <param name="Body">What the client sent.</param>
/// <param name="RawUtf8">The line as it is stored, without its newline.</param>
public sealed record StoredEvent(
    string Key, long Ts, string Ip, string UserAgent, string? Cookie, string? Id, string Body, ReadOnlyMemory<byte> RawUtf8)
{
    /// <summary>The line as it is stored, without its newline. Decoded at each call, so that many events cost their text only once.</summary>
    public string RawLine => Encoding.UTF8.GetString(RawUtf8.Span);
}

/// <summary>One stored object.</summary>
/// <param name="Key">The object's key, or its path relative to the folder.</param>
/// <param name="Size">Bytes as stored.</param>
/// <param name="Metadata">The user metadata, by lower-case name without "x-amz-meta-"; empty in a folder.</param>
/// <param name="ContentType">As S3 has it; null in a folder.</param>
/// <param name="ContentEncoding">As S3 has it; null in a folder.</param>
/// <param name="Events">Its lines, in order.</param>
public sealed record StoredObject(
    string Key,
    long Size,
    IReadOnlyDictionary<string, string> Metadata,
    string? ContentType,
    string? ContentEncoding,
    IReadOnlyList<StoredEvent> Events);

/// <summary>
/// Every "*.jsonl.gz" below a prefix or a folder, in order of key. An object that is no single, whole gzip member of complete JSON lines
/// throws <see cref="InvalidDataException"/> with the object's key.
/// </summary>
public static class StoredEvents
{
    private const string Suffix = ".jsonl.gz";
    private const int GzipOverhead = 18;
    private const string MetadataPrefix = "x-amz-meta-";
    private const int ParallelReads = 4;

    /// <summary>All events of the objects whose keys begin with <paramref name="prefix"/>.</summary>
    public static async Task<IReadOnlyList<StoredEvent>> FromBucketAsync(IAmazonS3 s3, string bucket, string prefix) =>
        [.. (await ObjectsFromBucketAsync(s3, bucket, prefix)).SelectMany(o => o.Events)];

    /// <summary>All events of the files below a folder; none if the folder does not exist.</summary>
    public static IReadOnlyList<StoredEvent> FromFolder(string path) => [.. ObjectsFromFolder(path).SelectMany(o => o.Events)];

    /// <summary>All objects whose keys begin with <paramref name="prefix"/>.</summary>
    public static Task<IReadOnlyList<StoredObject>> ObjectsFromBucketAsync(IAmazonS3 s3, string bucket, string prefix) =>
        SelectFromBucketAsync(s3, bucket, prefix, stored => stored);

    /// <summary>What is wanted of each of them: an object's lines are let go once it is had, and millions of events cost no memory.</summary>
    public static async Task<IReadOnlyList<T>> SelectFromBucketAsync<T>(IAmazonS3 s3, string bucket, string prefix, Func<StoredObject, T> selector)
    {
        ArgumentNullException.ThrowIfNull(selector);
        var keys = new List<string>();
        var request = new ListObjectsV2Request { BucketName = bucket, Prefix = prefix };
        while (true)
        {
            var page = await s3.ListObjectsV2Async(request);
            keys.AddRange((page.S3Objects ?? []).Select(o => o.Key).Where(key => key.EndsWith(Suffix, StringComparison.Ordinal)));
            if (page.IsTruncated != true)
            {
                break;
            }

            request.ContinuationToken = page.NextContinuationToken;
        }

        var objects = new ConcurrentBag<(string Key, T Wanted)>();
        await Parallel.ForEachAsync(
            keys,
            new ParallelOptions { MaxDegreeOfParallelism = ParallelReads },
            async (key, cancelled) => objects.Add((key, selector(await ReadAsync(s3, bucket, key, cancelled)))));
        return [.. objects.OrderBy(o => o.Key, StringComparer.Ordinal).Select(o => o.Wanted)];
    }

    /// <summary>All files below a folder; none if the folder does not exist.</summary>
    public static IReadOnlyList<StoredObject> ObjectsFromFolder(string path)
    {
        if (!Directory.Exists(path))
        {
            return [];
        }

        return
        [
            .. Directory.EnumerateFiles(path, "*" + Suffix, SearchOption.AllDirectories)
                .Select(file => (Key: Path.GetRelativePath(path, file).Replace('\\', '/'), File: file))
                .OrderBy(entry => entry.Key, StringComparer.Ordinal)
                .Select(entry => Read(entry.Key, File.ReadAllBytes(entry.File))),
        ];
    }

    /// <summary>One file; its key is the path.</summary>
    public static StoredObject FromFile(string path) => Read(path, File.ReadAllBytes(path));

    /// <summary>The uncompressed content of a gzip member, whole or not at all.</summary>
    /// <exception cref="InvalidDataException">It is truncated or damaged.</exception>
    public static byte[] Decompress(string key, byte[] gzip)
    {
        ArgumentNullException.ThrowIfNull(gzip);
        if (gzip.Length < GzipOverhead)
        {
            throw Unsound(key, $"{gzip.Length} bytes are too few for gzip");
        }

        // GZipStream takes the end of a truncated stream for the end of the content; only the length in the trailer tells.
        var length = BinaryPrimitives.ReadUInt32LittleEndian(gzip.AsSpan(gzip.Length - 4));
        using var content = new MemoryStream();
        try
        {
            using var stream = new GZipStream(new MemoryStream(gzip), CompressionMode.Decompress);
            stream.CopyTo(content);
        }
        catch (InvalidDataException e)
        {
            throw Unsound(key, $"gzip does not unpack: {e.Message}", e);
        }

        if ((uint)content.Length != length)
        {
            throw Unsound(key, $"gzip is truncated or has several members: {content.Length} bytes unpacked, the trailer says {length}");
        }

        return content.ToArray();
    }

    private static async Task<StoredObject> ReadAsync(IAmazonS3 s3, string bucket, string key, CancellationToken cancelled)
    {
        using var response = await s3.GetObjectAsync(bucket, key, cancelled);
        using var body = new MemoryStream();
        await response.ResponseStream.CopyToAsync(body, cancelled);
        if (body.Length != response.ContentLength)
        {
            throw Unsound(key, $"{body.Length} bytes came, {response.ContentLength} were announced");
        }

        return Read(key, body.ToArray()) with
        {
            ContentType = response.Headers.ContentType,
            ContentEncoding = response.Headers.ContentEncoding,
            Metadata = response.Metadata.Keys.ToDictionary(
                name => name.StartsWith(MetadataPrefix, StringComparison.OrdinalIgnoreCase) ? name[MetadataPrefix.Length..] : name,
                name => response.Metadata[name],
                StringComparer.OrdinalIgnoreCase),
        };
    }

    private static StoredObject Read(string key, byte[] gzip)
    {
        var content = Decompress(key, gzip);
        if (content.Length == 0 || content[^1] != (byte)'\n')
        {
            throw Unsound(key, content.Length == 0 ? "no line at all" : "the last line does not end in a newline");
        }

        var events = new List<StoredEvent>();
        // Few addresses and user agents stand in very many lines: one string each.
        var known = new Dictionary<string, string>(StringComparer.Ordinal);
        for (var start = 0; start < content.Length;)
        {
            var length = content.AsSpan(start).IndexOf((byte)'\n');
            try
            {
                events.Add(Parse(key, content.AsMemory(start, length), known));
            }
            catch (Exception e) when (e is JsonException or InvalidOperationException or FormatException)
            {
                var line = Encoding.UTF8.GetString(content, start, Math.Min(length, 200));
                throw Unsound(key, $"line {events.Count + 1} is no event: {e.Message}: {line}", e);
            }

            start += length + 1;
        }

        return new StoredObject(key, gzip.Length, new Dictionary<string, string>(), null, null, events);
    }

    private static StoredEvent Parse(string key, ReadOnlyMemory<byte> line, Dictionary<string, string> known)
    {
        long? ts = null;
        string? ip = null, userAgent = null, cookie = null, id = null, body = null;
        var reader = new Utf8JsonReader(line.Span);
        Expect(reader.Read() && reader.TokenType == JsonTokenType.StartObject, "not a JSON object");
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var name = reader.GetString();
            reader.Read();
            switch (name)
            {
                case "ts": ts = reader.GetInt64(); break;
                case "ip": ip = reader.GetString(); break;
                case "user_agent": userAgent = reader.GetString(); break;
                case "cookie": cookie = reader.GetString(); break;
                case "id": id = reader.GetString(); break;
                case "body": body = reader.GetString(); break;
                default: reader.Skip(); break;
            }
        }

        Expect(!reader.Read(), "more than one JSON object");
        Expect(ts is not null && ip is not null && userAgent is not null && body is not null, "ts, ip, user_agent or body is missing");
        return new StoredEvent(key, ts!.Value, Once(ip!), Once(userAgent!), cookie, id, body!, line);

        string Once(string value) => known.TryGetValue(value, out var first) ? first : known[value] = value;
    }

    private static void Expect(bool condition, string complaint)
    {
        if (!condition)
        {
            throw new FormatException(complaint);
        }
    }

    private static InvalidDataException Unsound(string key, string why, Exception? inner = null) => new($"{key} is unsound: {why}", inner);
}
