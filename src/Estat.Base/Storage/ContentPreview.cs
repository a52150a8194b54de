// The first lines of something, whatever it is.
using System.IO.Compression;
using System.Text;

namespace Estat.Base.Storage;

/// <summary>Lines to look at.</summary>
/// <param name="Lines">Without their line feeds; what is no UTF-8 is U+FFFD.</param>
/// <param name="Truncated">Whether there is more, or it could not be read further.</param>
public sealed record ContentPreview(IReadOnlyList<string> Lines, bool Truncated)
{
    /// <summary>Lines at most.</summary>
    public const int MostLines = 100;

    /// <summary>Bytes of lines at most.</summary>
    public const int MostBytes = 64 * 1024;

    // Twice as many: deflate makes nothing longer, so this many bytes are enough for all that may be shown.
    private const int ReadBytes = 2 * MostBytes;

    /// <summary>Reads as little of it as it takes; a few KB that unpack to gigabytes cost no more than others.</summary>
    /// <param name="content">From its start.</param>
    /// <param name="lines">How many, 1 to <see cref="MostLines"/>.</param>
    /// <param name="cancellationToken">Ends it.</param>
    public static async Task<ContentPreview> ReadAsync(Stream content, int lines, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(content);
        byte[] head = new byte[ReadBytes];
        int read = await content.ReadAtLeastAsync(head, head.Length, throwOnEndOfStream: false, cancellationToken).ConfigureAwait(false);
        bool isGzip = JsonLines.LooksLikeGzip(head.AsSpan(0, read));
        (byte[] text, bool isWhole) = isGzip ? Unpack(head.AsMemory(0, read)) : (head[..Math.Min(read, MostBytes)], read <= MostBytes);
        return Split(text, Math.Clamp(lines, 1, MostLines), isWhole && read < head.Length);
    }

    private static (byte[] Text, bool IsWhole) Unpack(ReadOnlyMemory<byte> packed)
    {
        byte[] text = new byte[MostBytes + 1];
        int filled = 0;
        try
        {
            using var gzip = new GZipStream(new MemoryStream(packed.ToArray(), writable: false), CompressionMode.Decompress);
            for (int read; filled < text.Length && (read = gzip.Read(text, filled, text.Length - filled)) > 0;)
            {
                filled += read;
            }
        }
        catch (InvalidDataException)
        {
            return (text[..Math.Min(filled, MostBytes)], false);
        }

        return (text[..Math.Min(filled, MostBytes)], filled <= MostBytes);
    }

    private static ContentPreview Split(ReadOnlySpan<byte> text, int most, bool isWhole)
    {
        var lines = new List<string>();
        while (!text.IsEmpty && lines.Count < most)
        {
            int end = text.IndexOf((byte)'\n');
            lines.Add(Encoding.UTF8.GetString(end < 0 ? text : text[..end]));
            text = end < 0 ? [] : text[(end + 1)..];
        }

        return new ContentPreview(lines, !isWhole || !text.IsEmpty);
    }
}
