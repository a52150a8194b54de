// zlib-ng itself: the library that the runtime brings along, called without its streams.
using System.Runtime.InteropServices;

namespace Estat.Microbench.Gzip;

/// <summary>One gzip member into memory that is large enough for it. The floor of what a batch's compression can cost.</summary>
internal static unsafe partial class BareZlib
{
    private const string Library = "libSystem.IO.Compression.Native";
    private const int Deflated = 8;
    private const int GzipWindow = 15 + 16;
    private const int MemoryLevel = 8; // as System.IO.Compression's
    private const int NoFlush = 0;
    private const int Finish = 4;
    private const int StreamEnd = 1;

    /// <summary>Compresses <paramref name="chunks"/> of <paramref name="lines"/> one after another.</summary>
    /// <returns>Bytes of gzip.</returns>
    internal static int Compress(int level, ReadOnlySpan<byte> lines, ReadOnlySpan<Range> chunks, Span<byte> output)
    {
        var stream = default(ZStream);
        Check(DeflateInit(&stream, level, Deflated, GzipWindow, MemoryLevel, 0), 0);
        fixed (byte* from = lines, to = output)
        {
            stream.NextOut = to;
            stream.AvailableOut = (uint)output.Length;
            foreach (Range chunk in chunks)
            {
                (int offset, int length) = chunk.GetOffsetAndLength(lines.Length);
                stream.NextIn = from + offset;
                stream.AvailableIn = (uint)length;
                Check(Deflate(&stream, NoFlush), 0);
            }

            Check(Deflate(&stream, Finish), StreamEnd);
        }

        Check(DeflateEnd(&stream), 0);
        return output.Length - (int)stream.AvailableOut;
    }

    private static void Check(int code, int expected)
    {
        if (code != expected)
        {
            throw new InvalidOperationException($"zlib-ng answered {code}");
        }
    }

    [LibraryImport(Library, EntryPoint = "CompressionNative_DeflateInit2_")]
    private static partial int DeflateInit(ZStream* stream, int level, int method, int windowBits, int memoryLevel, int strategy);

    [LibraryImport(Library, EntryPoint = "CompressionNative_Deflate")]
    private static partial int Deflate(ZStream* stream, int flush);

    [LibraryImport(Library, EntryPoint = "CompressionNative_DeflateEnd")]
    private static partial int DeflateEnd(ZStream* stream);

    [StructLayout(LayoutKind.Sequential)]
    private struct ZStream
    {
        internal byte* NextIn;
        internal byte* NextOut;
        internal nint Message;
        internal nint State;
        internal uint AvailableIn;
        internal uint AvailableOut;
    }
}
