// Reads a segment that nobody writes any more, and believes nothing that it has not checked.
using System.Buffers;
using Estat.Base.Storage;

namespace Estat.Collect.Spooling;

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
/// The good run ends at the first record whose magic, length, checksum or sequence number is wrong, or at the end of the file. Everything behind it
/// is the tail. One user.
/// </summary>
internal sealed class SegmentReader : IDisposable
{
    // A record is a chunk: 256 KB, more only for an event near a large MAX_BODY_SIZE.
    // As much as a writer writes at once.
    private const int BufferBytes = 256 * 1024;

    private const int LargestRecord = 1 << 30;

    private readonly ISpoolFile _file;

    private SegmentReader(ISpoolFile file, string name)
    {
        _file = file;
        Length = file.Length;
        var head = new byte[SegmentFormat.HeadBytes];
        int read = ReadFully(file, 0, head);
        Identity = SegmentFormat.ReadHead(head.AsSpan(0, read), name);
        IsSpare = SegmentFormat.IsSpare(head.AsSpan(0, read), name);
        if (Identity is null && SegmentFormat.IsOfOtherVersion(head))
        {
            SegmentFormat.WriteVersion(head);
            Identity = SegmentFormat.ReadHead(head.AsSpan(0, read), name);
            HasDamagedVersion = Identity is not null;
            IsOfOtherVersion = Identity is null;
        }

        Seal = Identity is null ? null : SegmentFormat.ReadSeal(head, Identity.Nonce);
    }

    internal delegate void RecordAction(ReadOnlySpan<byte> lines, int events);

    /// <summary>Whose segment it is; null when the head is not readable, and then nothing else is either.</summary>
    internal SegmentIdentity? Identity { get; }

    /// <summary>The seal; null when it was never sealed.</summary>
    internal Seal? Seal { get; }

    /// <summary>Whether another version of Estat wrote it, for all that can be seen: not ours to judge.</summary>
    internal bool IsOfOtherVersion { get; }

    /// <summary>Whether this version wrote it and only the version in its head was damaged.</summary>
    internal bool HasDamagedVersion { get; }

    /// <summary>Whether no batch ever had it.</summary>
    internal bool IsSpare { get; }

    /// <summary>Bytes of the file.</summary>
    internal long Length { get; }

    /// <summary>Opens a segment and reads its head.</summary>
    /// <exception cref="IOException">It cannot be read.</exception>
    internal static SegmentReader Open(ISpoolFiles files, string name) => Of(files.Open(name), name);

    /// <summary>Reads the head of an open segment; the file is the reader's from now on.</summary>
    /// <exception cref="IOException">It cannot be read.</exception>
    internal static SegmentReader Of(ISpoolFile file, string name)
    {
        try
        {
            return new SegmentReader(file, name);
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    /// <summary>Walks over the good run; in a sealed segment no further than the seal says.</summary>
    /// <param name="onRecord">Called with each record's lines, in order.</param>
    /// <returns>Events in the good run, and where it ends.</returns>
    internal (long Events, long End) ReadGoodRun(RecordAction onRecord)
    {
        long end = SegmentFormat.HeadBytes;
        long events = 0;
        long most = Seal?.Events ?? long.MaxValue;
        byte[] buffer = ArrayPool<byte>.Shared.Rent(BufferBytes);
        try
        {
            while (events < most && TryReadRecord(end, ref buffer) is { } frame && frame.FirstSequence == events + 1)
            {
                onRecord(buffer.AsSpan(SegmentFormat.FrameBytes, frame.Length), frame.Events);
                events += frame.Events;
                end += SegmentFormat.FrameBytes + frame.Length;
            }

            return (events, end);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    /// <summary>What lies from <paramref name="end"/> on.</summary>
    internal TailKind Examine(long end)
    {
        bool zeros = true;
        byte[] window = ArrayPool<byte>.Shared.Rent(64 * 1024);
        byte[] record = ArrayPool<byte>.Shared.Rent(BufferBytes);
        try
        {
            for (long at = end; at < Length;)
            {
                int read = ReadFully(_file, at, window.AsSpan(0, (int)Math.Min(window.Length, Length - at)));
                ReadOnlySpan<byte> bytes = window.AsSpan(0, read);
                zeros = zeros && !bytes.ContainsAnyExcept((byte)0);
                for (int found = SegmentFormat.IndexOfFrame(bytes, 0); found >= 0; found = SegmentFormat.IndexOfFrame(bytes, found + 1))
                {
                    if (TryReadRecord(at + found, ref record) is not null)
                    {
                        return TailKind.Damaged;
                    }
                }

                if (at + read >= Length || read < sizeof(uint))
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

    /// <summary>The bytes from <paramref name="offset"/> on, as they are.</summary>
    internal byte[] ReadFrom(long offset)
    {
        var bytes = new byte[Math.Max(0, Math.Min(Length - offset, LargestRecord))];
        return bytes[..ReadFully(_file, offset, bytes)];
    }

    /// <summary>Makes what will be read durable.</summary>
    /// <exception cref="IOException">The device did not take it.</exception>
    internal void Sync() => _file.Sync();

    /// <summary>Cuts the tail off and seals, both durably: from here on this is the batch.</summary>
    internal void CutAndSeal(long end, Seal seal)
    {
        if (end < Length)
        {
            _file.Truncate(end);
            _file.Sync(); // before the seal: a sealed segment has no tail
        }

        _file.Write(SegmentFormat.SealOffset, SegmentFormat.SealSlot(Identity!.Nonce, seal));
        _file.Sync();
    }

    public void Dispose() => _file.Dispose();

    private RecordFrame? TryReadRecord(long at, ref byte[] buffer)
    {
        // Without the head's nonce no checksum can be checked.
        if (Identity is null
            || ReadFully(_file, at, buffer.AsSpan(0, SegmentFormat.FrameBytes)) < SegmentFormat.FrameBytes
            || SegmentFormat.ReadFrame(buffer) is not { } frame
            || frame.Length > LargestRecord
            || at + SegmentFormat.FrameBytes + frame.Length > Length)
        {
            return null;
        }

        if (buffer.Length < SegmentFormat.FrameBytes + frame.Length)
        {
            byte[] larger = ArrayPool<byte>.Shared.Rent(SegmentFormat.FrameBytes + frame.Length);
            buffer.AsSpan(0, SegmentFormat.FrameBytes).CopyTo(larger);
            ArrayPool<byte>.Shared.Return(buffer);
            buffer = larger;
        }

        Span<byte> lines = buffer.AsSpan(SegmentFormat.FrameBytes, frame.Length);
        return ReadFully(_file, at + SegmentFormat.FrameBytes, lines) == frame.Length && SegmentFormat.IsSound(buffer, Identity.Nonce, lines)
            ? frame
            : null;
    }

    private static int ReadFully(ISpoolFile file, long offset, Span<byte> bytes)
    {
        int filled = 0;
        for (int read; filled < bytes.Length && (read = file.Read(offset + filled, bytes[filled..])) > 0;)
        {
            filled += read;
        }

        return filled;
    }
}
