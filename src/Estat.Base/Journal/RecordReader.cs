// Reads records, and believes nothing that it has not checked.
using System.Buffers;

namespace Estat.Base.Journal;

/// <summary>What lies behind the run of good records.</summary>
internal enum TailKind
{
    /// <summary>Nothing, or zeros: a file that had grown before its content arrived.</summary>
    Clean,

    /// <summary>A record that is not whole: what a power cut or a kill leaves of a write that nobody was told of. Perhaps a damaged last
    /// record.</summary>
    Torn,

    /// <summary>A bad record with good ones behind it: what was synced has been damaged.</summary>
    Damaged,
}

/// <summary>
/// The good run ends at the first record whose magic, length, checksum or number is wrong, or at the end of the file. Everything behind it is the
/// tail. One user.
/// </summary>
/// <param name="file">Where from; its owner's still.</param>
/// <param name="nonce">The file's; null when its head is not readable, and then it has no good record.</param>
internal sealed class RecordReader(IJournalFile file, ulong? nonce)
{
    /// <summary>Bytes of content that a record may have.</summary>
    internal const int LargestRecord = 1 << 30;

    // As much as a writer of Collect writes at once; larger records get a larger buffer.
    private const int BufferBytes = 256 * 1024;

    /// <summary>Called with each record.</summary>
    /// <param name="content">What it carries; the reader's, until this returns.</param>
    /// <param name="items">Items.</param>
    internal delegate void RecordAction(ReadOnlySpan<byte> content, int items);

    /// <summary>Walks over the good run.</summary>
    /// <param name="from">Where the first record begins.</param>
    /// <param name="most">Items after which it ends.</param>
    /// <param name="onRecord">Called with each record, in order.</param>
    /// <returns>Items in the good run, and where it ends.</returns>
    internal (long Items, long End) ReadGoodRun(long from, long most, RecordAction onRecord)
    {
        long length = file.Length;
        long end = from;
        long items = 0;
        byte[] buffer = ArrayPool<byte>.Shared.Rent(BufferBytes);
        try
        {
            while (items < most && TryRead(end, length, ref buffer) is { } frame && frame.First == items + 1)
            {
                onRecord(buffer.AsSpan(RecordFormat.FrameBytes, frame.Length), frame.Items);
                items += frame.Items;
                end += RecordFormat.FrameBytes + frame.Length;
            }

            return (items, end);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    /// <summary>What lies from <paramref name="end"/> on.</summary>
    internal TailKind Examine(long end)
    {
        long length = file.Length;
        bool zeros = true;
        byte[] window = ArrayPool<byte>.Shared.Rent(64 * 1024);
        byte[] record = ArrayPool<byte>.Shared.Rent(BufferBytes);
        try
        {
            for (long at = end; at < length;)
            {
                int read = ReadFully(file, at, window.AsSpan(0, (int)Math.Min(window.Length, length - at)));
                ReadOnlySpan<byte> bytes = window.AsSpan(0, read);
                zeros = zeros && !bytes.ContainsAnyExcept((byte)0);
                for (int found = RecordFormat.IndexOfFrame(bytes, 0); found >= 0; found = RecordFormat.IndexOfFrame(bytes, found + 1))
                {
                    if (TryRead(at + found, length, ref record) is not null)
                    {
                        return TailKind.Damaged;
                    }
                }

                if (at + read >= length || read < sizeof(uint))
                {
                    break;
                }

                at += read - (sizeof(uint) - 1); // a magic may stand across two windows
            }

            return zeros ? TailKind.Clean : TailKind.Torn;
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(window);
            ArrayPool<byte>.Shared.Return(record);
        }
    }

    /// <summary>Reads the record at a place, if a good one is there.</summary>
    /// <param name="at">Where it begins.</param>
    /// <param name="limit">Where it must have ended.</param>
    /// <param name="buffer">Gets frame and content; of the shared pool, and replaced by a larger one when it must be.</param>
    /// <returns>Null when there is no good record.</returns>
    internal RecordFrame? TryRead(long at, long limit, ref byte[] buffer)
    {
        // Without the head's nonce no checksum can be checked.
        if (nonce is not { } known
            || ReadFully(file, at, buffer.AsSpan(0, RecordFormat.FrameBytes)) < RecordFormat.FrameBytes
            || RecordFormat.ReadFrame(buffer) is not { } frame
            || frame.Length > LargestRecord
            || at + RecordFormat.FrameBytes + frame.Length > limit)
        {
            return null;
        }

        if (buffer.Length < RecordFormat.FrameBytes + frame.Length)
        {
            byte[] larger = ArrayPool<byte>.Shared.Rent(RecordFormat.FrameBytes + frame.Length);
            buffer.AsSpan(0, RecordFormat.FrameBytes).CopyTo(larger);
            ArrayPool<byte>.Shared.Return(buffer);
            buffer = larger;
        }

        Span<byte> content = buffer.AsSpan(RecordFormat.FrameBytes, frame.Length);
        return ReadFully(file, at + RecordFormat.FrameBytes, content) == frame.Length && RecordFormat.IsSound(buffer, known, content) ? frame : null;
    }

    /// <summary>Fills the bytes from a place on, as far as the file goes.</summary>
    /// <returns>Bytes read.</returns>
    internal static int ReadFully(IJournalFile file, long offset, Span<byte> bytes)
    {
        int filled = 0;
        for (int read; filled < bytes.Length && (read = file.Read(offset + filled, bytes[filled..])) > 0;)
        {
            filled += read;
        }

        return filled;
    }
}
