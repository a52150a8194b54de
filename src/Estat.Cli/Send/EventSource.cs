// What is sent: a file, a gzip file or standard input, as one stream of lines.
using System.Buffers.Binary;
using System.IO.Compression;
using System.Security.Cryptography;
using System.Text;
using Estat.Base.Storage;
using Estat.Cli.Frame;
using Estat.Collect.Events;

namespace Estat.Cli.Send;

/// <summary>
/// Opened for this process alone: a second <c>estat send</c> of the same file is refused (advisory: it keeps no other program from the file).
/// </summary>
internal sealed class EventSource : IDisposable
{
    /// <summary>What is said of a gzip that was cut.</summary>
    internal const string EndsEarly = "the gzip data is cut off";

    private readonly Stream _raw;

    private EventSource(Stream raw, Stream content, string? path, string name, long size, DateTimeOffset modified)
    {
        _raw = raw;
        Content = content;
        Path = path;
        Name = name;
        Size = size;
        Modified = modified;
    }

    /// <summary>The lines, unpacked.</summary>
    internal Stream Content { get; }

    /// <summary>The file's full path; null for standard input.</summary>
    internal string? Path { get; }

    /// <summary>Names it in Idempotency-Keys: from the file's name, size and time, so that a resume finds the same.</summary>
    internal string Name { get; }

    /// <summary>Bytes as they lie there; 0 for standard input.</summary>
    internal long Size { get; }

    /// <summary>When it was last modified.</summary>
    internal DateTimeOffset Modified { get; }

    /// <summary>Bytes of the file that were read so far, for progress.</summary>
    internal long Position => _raw.CanSeek ? _raw.Position : 0;

    /// <summary>Whether <see cref="Content"/> is unpacked from gzip.</summary>
    internal bool IsGzip => Content is GZipStream;

    /// <summary>Opens a file, or standard input for <c>-</c>.</summary>
    /// <exception cref="CliException">It cannot be read, or another estat sends it.</exception>
    internal static EventSource Open(string path)
    {
        // By itself GZipStream ends in silence where a cut file does, and what it gave of the last line would be taken for a line. Read once, at the
        // first use.
        AppContext.SetSwitch("System.IO.Compression.UseStrictValidation", true);
        if (path == "-")
        {
            return new EventSource(Stream.Null, new BufferedStream(Console.OpenStandardInput()), null,
                $"stdin-{Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(6))}", 0, default);
        }

        string full = System.IO.Path.GetFullPath(path);
        FileStream file;
        try
        {
            file = new FileStream(full, FileMode.Open, FileAccess.Read, FileShare.None, 128 * 1024, FileOptions.SequentialScan);
        }
        catch (Exception error) when (error is FileNotFoundException or DirectoryNotFoundException)
        {
            throw CliException.Usage($"{path}: no such file");
        }
        catch (UnauthorizedAccessException)
        {
            throw CliException.Usage(
                Directory.Exists(full) ? $"{path}: is a folder; name a file, or - for standard input" : $"{path}: this user may not read it");
        }
        catch (IOException error)
        {
            throw new CliException($"{path}: cannot be opened ({error.Message.TrimEnd('.')}). Is another estat sending it?");
        }

        DateTimeOffset modified = File.GetLastWriteTimeUtc(full);
        string name = NameOf(System.IO.Path.GetFileName(full), file.Length, modified);
        Span<byte> magic = stackalloc byte[2];
        bool isGzip = JsonLines.LooksLikeGzip(magic[..file.ReadAtLeast(magic, 2, throwOnEndOfStream: false)]);
        file.Position = 0;
        return new EventSource(
            file, isGzip ? new GZipStream(file, CompressionMode.Decompress, leaveOpen: true) : file, full, name, file.Length, modified);
    }

    /// <summary>Refuses what is recognisably something else than lines of UTF-8, before anything of it is sent.</summary>
    /// <param name="start">The content's first bytes.</param>
    /// <exception cref="CliException">It is; the message says how to make lines of it.</exception>
    internal void RefuseForeign(ReadOnlySpan<byte> start)
    {
        string? format = JsonLines.LooksLikeGzip(start) ? IsGzip ? "gzip in gzip" : "gzip"
            : ForeignContent.MarkOf(start) is { } mark ? mark.Charset.ToUpperInvariant()
            : ForeignContent.NameOf(start);
        if (format is null)
        {
            return;
        }

        string? tool = format switch
        {
            "bzip2" or "xz" or "zstd" or "lz4" or "gzip" => $"{format} -dc",
            "gzip in gzip" => "gzip -dc",
            _ when format.StartsWith("UTF", StringComparison.Ordinal) => $"iconv -f {format[..6]} -t UTF-8",
            _ => null,
        };
        string advice = tool is null ? "Convert it to lines, one event a line, in UTF-8"
            : $"Convert it to lines on the way: {(IsGzip ? $"gzip -dc {Path} | {tool}" : Path is null ? $"… | {tool}" : $"{tool} {Path}")} | estat "
                + "send -";
        throw new CliException($"{Path ?? "standard input"}: is {format}, not lines of text; nothing was sent. {advice}");
    }

    /// <summary>What is wrong with content that cannot be read further.</summary>
    internal string Explain(Exception error) =>
        error is IOException ? $"cannot be read further ({error.Message.TrimEnd('.')})"
        : _raw.CanSeek && _raw.Position == _raw.Length && error.Message.Contains("truncated", StringComparison.Ordinal) ? EndsEarly
        : $"its gzip is damaged ({error.Message.TrimEnd('.')})";

    /// <summary>Whether gzip ended before its end, which the library does not say: by the length in its last four bytes.</summary>
    /// <param name="length">Bytes of content that it gave.</param>
    internal bool LooksTruncated(long length)
    {
        if (!IsGzip || _raw.Length < 18)
        {
            return IsGzip;
        }

        Span<byte> trailer = stackalloc byte[4];
        _raw.Position = _raw.Length - 4;
        _raw.ReadExactly(trailer);
        uint announced = BinaryPrimitives.ReadUInt32LittleEndian(trailer);
        // Of several members the last one is shorter than the whole.
        return announced != (uint)length && announced > length;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Content.Dispose();
        _raw.Dispose();
    }

    // As a header and in each line's id: short, ASCII, and different for another content under the same name.
    private static string NameOf(string fileName, long size, DateTimeOffset modified)
    {
        const int Longest = 60;
        string ascii = string.Concat(fileName.Select(c => char.IsAsciiLetterOrDigit(c) || c is '.' or '-' or '_' ? c : '_'));
        byte[] identity = SHA256.HashData(Encoding.UTF8.GetBytes($"{fileName}\n{size}\n{modified.UtcTicks}"));
        return $"{(ascii.Length > Longest ? ascii[..Longest] : ascii)}-{Convert.ToHexStringLower(identity.AsSpan(0, 4))}";
    }
}
