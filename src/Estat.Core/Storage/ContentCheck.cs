// Reads gzip JSONL strictly to its end: what a DLQ file must pass before it may go to RAW.
using System.Buffers;
using System.Buffers.Binary;
using System.IO.Compression;
using System.Security.Cryptography;
using System.Text.Json;
using Estat.Core.Batching;

namespace Estat.Core.Storage;

/// <summary>Computes seals from content and tells sound content from broken.</summary>
internal static class ContentCheck
{
    // Estat's own lines are some 100 KB at most by default; a longer one than this was not written by it.
    private const int LongestLine = 128 * 1024 * 1024;

    /// <summary>The seal of gzip JSONL; of anything else, the count 0 and the hash of the bytes as they are.</summary>
    internal static Seal SealOf(Func<Stream> open)
    {
        using Stream content = open();
        try
        {
            return Read(content, checkLines: false, afterStep: null);
        }
        catch (InvalidDataException)
        {
            content.Position = 0;
            return SealOfBytes(content, events: 0);
        }
    }

    /// <summary>The seal of bytes that are stored as they are.</summary>
    internal static Seal SealOfBytes(Stream content, long events)
    {
        long length = content.Length;
        return new Seal(events, length, Convert.ToHexStringLower(SHA256.HashData(content)), events);
    }

    /// <summary>Reads the whole of it: gzip to its end and checksum, every line JSON, the last line ended.</summary>
    /// <param name="content">What is read.</param>
    /// <param name="afterStep">Called after every millisecond of work or less.</param>
    /// <exception cref="InvalidDataException">It is not sound; the message says where.</exception>
    internal static Seal Validate(Stream content, Action? afterStep = null) => Read(content, checkLines: true, afterStep);

    /// <summary>SHA-256 of the first <paramref name="events"/> lines; null when there are fewer.</summary>
    internal static string? HashOfPrefix(Stream content, long events)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        ForEachLine(content, (line, index) =>
        {
            if (index < events)
            {
                hash.AppendData(line);
            }
        }, out long total, out _);
        return total < events ? null : Convert.ToHexStringLower(hash.GetHashAndReset());
    }

    /// <summary>Calls back for each line, newline included.</summary>
    internal static void ForEachLine(Stream content, LineAction action, out long lines, out long bytes, Action? afterStep = null)
    {
        lines = 0;
        bytes = 0;
        using var gzip = new GZipStream(content, CompressionMode.Decompress, leaveOpen: true);
        byte[] buffer = ArrayPool<byte>.Shared.Rent(128 * 1024);
        try
        {
            int filled = 0;
            while (true)
            {
                if (filled == buffer.Length)
                {
                    buffer = Grow(buffer, lines);
                }

                int read = gzip.Read(buffer, filled, buffer.Length - filled);
                if (read == 0)
                {
                    break;
                }

                bytes += read;
                filled += read;
                int consumed = 0;
                for (int end; (end = buffer.AsSpan(consumed, filled - consumed).IndexOf((byte)'\n')) >= 0; consumed += end + 1)
                {
                    action(buffer.AsSpan(consumed, end + 1), lines++);
                }

                buffer.AsSpan(consumed, filled - consumed).CopyTo(buffer);
                filled -= consumed;
                afterStep?.Invoke();
            }

            if (filled > 0)
            {
                throw new InvalidDataException($"it ends in the middle of line {lines + 1}");
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }

        CheckTrailer(content, bytes);
    }

    internal delegate void LineAction(ReadOnlySpan<byte> line, long index);

    private static Seal Read(Stream content, bool checkLines, Action? afterStep)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        ForEachLine(content, (line, index) =>
        {
            hash.AppendData(line);
            if (checkLines)
            {
                CheckJson(line, index);
            }
        }, out long lines, out long bytes, afterStep);
        if (lines == 0)
        {
            throw new InvalidDataException("it holds no line");
        }

        return new Seal(lines, bytes, Convert.ToHexStringLower(hash.GetHashAndReset()), lines);
    }

    private static void CheckJson(ReadOnlySpan<byte> line, long index)
    {
        try
        {
            var reader = new Utf8JsonReader(line);
            while (reader.Read())
            {
            }
        }
        catch (JsonException error)
        {
            throw new InvalidDataException($"line {index + 1} is not JSON ({error.Message})", error);
        }
    }

    // .NET's GZipStream ends silently where a truncated file does. The trailer's last four bytes repeat the length: a file cut anywhere lacks them.
    private static void CheckTrailer(Stream content, long bytes)
    {
        Span<byte> length = stackalloc byte[sizeof(uint)];
        if (content.Length < 18)
        {
            throw new InvalidDataException($"it has {content.Length} bytes, less than the shortest gzip file");
        }

        content.Seek(-sizeof(uint), SeekOrigin.End);
        content.ReadExactly(length);
        if (BinaryPrimitives.ReadUInt32LittleEndian(length) != (uint)bytes)
        {
            throw new InvalidDataException($"its gzip trailer does not fit its {bytes} bytes of content: it is truncated or has foreign bytes behind it");
        }
    }

    private static byte[] Grow(byte[] buffer, long lines)
    {
        if (buffer.Length >= LongestLine)
        {
            throw new InvalidDataException($"line {lines + 1} is longer than {LongestLine} bytes");
        }

        byte[] larger = ArrayPool<byte>.Shared.Rent(buffer.Length * 2);
        buffer.CopyTo(larger, 0);
        ArrayPool<byte>.Shared.Return(buffer);
        return larger;
    }
}
