// Content-Encoding of request bodies: gzip and br, strictly to their end, bounded in size.
using System.Buffers;
using System.IO.Compression;
using Estat.Base.Storage;
using Microsoft.Extensions.Primitives;

namespace Estat.Http.Bodies;

/// <summary>A body's coding.</summary>
internal enum Coding
{
    /// <summary>As it is.</summary>
    Identity,

    /// <summary>RFC 1952, one member or several.</summary>
    Gzip,

    /// <summary>RFC 7932.</summary>
    Brotli,

    /// <summary>None that Estat knows.</summary>
    Unknown,
}

/// <summary>Reads codings and undoes them.</summary>
internal static class ContentCoding
{
    /// <summary>What Estat understands; goes with a 415.</summary>
    internal const string Accepted = "gzip, br";

    internal static Coding Of(StringValues header)
    {
        if (header.Count == 0)
        {
            return Coding.Identity;
        }

        return header.Count > 1 ? Coding.Unknown : header[0]!.Trim().ToLowerInvariant() switch
        {
            "" or "identity" => Coding.Identity,
            "gzip" or "x-gzip" => Coding.Gzip,
            "br" => Coding.Brotli,
            _ => Coding.Unknown,
        };
    }

    /// <summary>Bytes beyond its limit that a buffer to decode into needs.</summary>
    internal static int Slack => MarkedGzipStream.Mark.Length;

    /// <summary>Decodes a whole body. The buffer may hold <see cref="Slack"/> bytes more than its body is allowed.</summary>
    /// <exception cref="InvalidDataException">It is broken or cut off.</exception>
    internal static BodyOutcome Decode(Coding coding, ArraySegment<byte> encoded, BodyBuffer decoded) =>
        coding == Coding.Gzip ? Gunzip(encoded, decoded) : Unbrotli(encoded, decoded);

    // Members that follow one another are one text (RFC 1952, 2.2). Nothing else may stand behind the last one.
    private static BodyOutcome Gunzip(ArraySegment<byte> encoded, BodyBuffer decoded)
    {
        using var gzip = new GZipStream(
            new MarkedGzipStream(new MemoryStream(encoded.Array!, encoded.Offset, encoded.Count)), CompressionMode.Decompress);
        try
        {
            BodyOutcome outcome = decoded.ReadFrom(gzip);
            if (outcome != BodyOutcome.Whole)
            {
                return outcome;
            }
        }
        catch (InvalidDataException error)
        {
            throw new InvalidDataException("the gzip data is damaged or cut off", error);
        }

        return decoded.TryCutOff(MarkedGzipStream.Mark) ? BodyOutcome.Whole
            : throw new InvalidDataException("the gzip data is cut off, or other bytes follow it");
    }

    private static BodyOutcome Unbrotli(ReadOnlySpan<byte> encoded, BodyBuffer decoded)
    {
        using var decoder = default(BrotliDecoder);
        while (true)
        {
            if (!decoded.TryGetRoom(out Memory<byte> room, out BodyOutcome problem))
            {
                return problem;
            }

            OperationStatus status = decoder.Decompress(encoded, room.Span, out int consumed, out int written);
            encoded = encoded[consumed..];
            if (!decoded.TryAdvance(written))
            {
                return BodyOutcome.TooLarge;
            }

            switch (status)
            {
                case OperationStatus.Done when encoded.IsEmpty:
                    return BodyOutcome.Whole;
                case OperationStatus.Done:
                    throw new InvalidDataException("other bytes follow the br data");
                case OperationStatus.NeedMoreData:
                    throw new InvalidDataException("the br data is cut off");
                case OperationStatus.InvalidData:
                    throw new InvalidDataException("the br data is broken");
            }
        }
    }
}
