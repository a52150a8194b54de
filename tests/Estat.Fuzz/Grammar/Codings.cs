// Content-Encoding: whole, cut off, damaged, doubled, misnamed, and bombs.
using System.IO.Compression;

namespace Estat.Fuzz.Grammar;

/// <summary>A body as it is sent, the coding that its header names, and whether the server can undo it.</summary>
/// <param name="Bytes">As sent.</param>
/// <param name="Name">The header's value; null: no header.</param>
/// <param name="Refusals">Statuses that refuse it; none: it decodes to what went in.</param>
/// <param name="IsCertain">Whether that is all that can come of it.</param>
internal sealed record CodedBody(byte[] Bytes, string? Name, int[] Refusals, bool IsCertain = true);

/// <summary>Compresses well and badly.</summary>
internal static class Codings
{
    private const int BombBytes = 64 << 20;
    private static readonly Lazy<byte[]> GzipBomb = new(() => Gzip(new byte[BombBytes]));
    private static readonly Lazy<byte[]> BrotliBomb = new(() => Brotli(new byte[BombBytes]));

    /// <summary>The body in some coding or none; most of them are sound.</summary>
    internal static CodedBody Coded(Dice dice, byte[] body)
    {
        bool isGzip = dice.OneIn(2);
        string name = isGzip ? dice.Of("gzip", "GZIP", "x-gzip", " gzip ") : dice.Of("br", "BR", "Br");
        byte[] whole = isGzip ? Gzip(body) : Brotli(body);
        // Nothing is compressed to nothing by .NET.
        switch (whole.Length == 0 ? -1 : dice.Below(12))
        {
            case 0 when whole.Length > 20:
                return new CodedBody(whole[..dice.Between(1, whole.Length - 1)], name, [400]);
            case 1:
                return new CodedBody([.. whole, .. dice.Bytes(dice.Size(50))], name, [400]);
            case 2:
                byte[] damaged = [.. whole];
                damaged[dice.Below(damaged.Length)] ^= (byte)dice.Between(1, 255);
                return new CodedBody(damaged, name, [400, 413], IsCertain: false);
            case 3:
                // Several members of gzip are one text; br has but one.
                int cut = dice.Below(body.Length + 1);
                return isGzip ? new CodedBody([.. Gzip(body[..cut]), .. Gzip(body[cut..])], name, [])
                    : new CodedBody([.. whole, .. Brotli(body)], name, [400, 413]);
            case 4:
                return new CodedBody(isGzip ? GzipBomb.Value : BrotliBomb.Value, name, [413]);
            case 5:
                return new CodedBody(whole, isGzip ? "br" : "gzip", [400, 413], IsCertain: false);
            case 6:
                return new CodedBody(
                    isGzip ? Gzip(whole) : Brotli(whole), dice.Of("gzip, gzip", "gzip, br", "gzip,identity", "br\r\nContent-Encoding: br"), [415]);
            case 7:
                return new CodedBody(
                    body, dice.Of("deflate", "zstd", "compress", "gzip;q=1", "*", "b r", "gzipbr", "\xff", "identity;", "identity, gzip"), [415]);
            case 8:
                return new CodedBody(body, dice.Of("identity", "", "Identity", " "), []);
            case 9:
                return new CodedBody([], name, [400]);
            default:
                return new CodedBody(whole, name, []);
        }
    }

    internal static byte[] Gzip(byte[] content) => Compress(content, stream => new GZipStream(stream, CompressionLevel.Fastest));

    internal static byte[] Brotli(byte[] content) => Compress(content, stream => new BrotliStream(stream, CompressionLevel.Fastest));

    private static byte[] Compress(byte[] content, Func<Stream, Stream> open)
    {
        using var compressed = new MemoryStream();
        using (Stream stream = open(compressed))
        {
            stream.Write(content);
        }

        return compressed.ToArray();
    }
}
