// Lines of gzip JSONL, one after another, read strictly to the end of the gzip.
using System.Buffers;
using System.Buffers.Binary;
using System.IO.Compression;

namespace Estat.Base.Storage;

/// <summary>Pulls lines out of a seekable stream. Memory: the longest line. One reader, one thread; does not own the stream.</summary>
internal sealed class JsonLines : IDisposable
{
    // Estat's own lines are some 100 KB at most by default; a longer one than this was not written by it.
    private const int LongestLine = 128 * 1024 * 1024;

    private readonly Stream _content;
    private readonly Stream _text;
    private readonly bool _isGzip;
    private readonly Action? _afterStep;
    private byte[] _buffer = ArrayPool<byte>.Shared.Rent(128 * 1024);
    private int _start;
    private int _filled;
    private int _length;

    /// <summary>Nothing is read yet.</summary>
    /// <param name="content">The bytes.</param>
    /// <param name="isGzip">Whether they are compressed.</param>
    /// <param name="afterStep">Called after every millisecond of work or less.</param>
    internal JsonLines(Stream content, bool isGzip = true, Action? afterStep = null)
    {
        _content = content;
        _isGzip = isGzip;
        _afterStep = afterStep;
        _text = isGzip ? new GZipStream(content, CompressionMode.Decompress, leaveOpen: true) : content;
    }

    /// <summary>The line that was read last, newline included; valid until the next.</summary>
    internal ReadOnlySpan<byte> Line => _buffer.AsSpan(_start - _length, _length);

    /// <summary>Lines read so far.</summary>
    internal long Lines { get; private set; }

    /// <summary>Bytes of text that came so far, uncompressed.</summary>
    internal long Bytes { get; private set; }

    /// <summary>Whether the bytes begin as gzip does.</summary>
    internal static bool LooksLikeGzip(Stream content)
    {
        Span<byte> magic = stackalloc byte[2];
        int read = content.ReadAtLeast(magic, 2, throwOnEndOfStream: false);
        content.Position = 0;
        return LooksLikeGzip(magic[..read]);
    }

    /// <summary>Whether the first bytes are those of gzip.</summary>
    internal static bool LooksLikeGzip(ReadOnlySpan<byte> head) => head is [0x1f, 0x8b, ..];

    /// <summary>Goes to the next line.</summary>
    /// <returns>False at the end, which was then found sound.</returns>
    /// <exception cref="InvalidDataException">It is not sound from here on; the message says where.</exception>
    internal bool Read()
    {
        int searched = 0;
        while (true)
        {
            int end = _buffer.AsSpan(_start + searched, _filled - _start - searched).IndexOf((byte)'\n');
            if (end >= 0)
            {
                _length = searched + end + 1;
                _start += _length;
                Lines++;
                return true;
            }

            searched = _filled - _start;
            MakeRoom();
            int read = _text.Read(_buffer, _filled, _buffer.Length - _filled);
            if (read == 0)
            {
                break;
            }

            Bytes += read;
            _filled += read;
            _afterStep?.Invoke();
        }

        _length = 0;
        if (_filled > _start)
        {
            throw new InvalidDataException($"it ends in the middle of line {Lines + 1}");
        }

        if (_isGzip)
        {
            CheckTrailer();
        }

        return false;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        if (_isGzip)
        {
            _text.Dispose();
        }

        ArrayPool<byte>.Shared.Return(_buffer);
        _buffer = [];
        _start = _filled = _length = 0;
    }

    private void MakeRoom()
    {
        if (_start > 0)
        {
            _buffer.AsSpan(_start, _filled - _start).CopyTo(_buffer);
            _filled -= _start;
            _start = 0;
        }

        if (_filled == _buffer.Length)
        {
            if (_buffer.Length >= LongestLine)
            {
                throw new InvalidDataException($"line {Lines + 1} is longer than {LongestLine} bytes");
            }

            byte[] larger = ArrayPool<byte>.Shared.Rent(_buffer.Length * 2);
            _buffer.CopyTo(larger, 0);
            ArrayPool<byte>.Shared.Return(_buffer);
            _buffer = larger;
        }
    }

    // .NET's GZipStream ends silently where a truncated file does. The trailer's last four bytes repeat the length: a file cut anywhere lacks them.
    private void CheckTrailer()
    {
        Span<byte> length = stackalloc byte[sizeof(uint)];
        if (_content.Length < 18)
        {
            throw new InvalidDataException($"it has {_content.Length} bytes, less than the shortest gzip file");
        }

        _content.Seek(-sizeof(uint), SeekOrigin.End);
        _content.ReadExactly(length);
        if (BinaryPrimitives.ReadUInt32LittleEndian(length) != (uint)Bytes)
        {
            throw new InvalidDataException(
                $"its gzip trailer does not match its {Bytes} bytes of content: it is cut off, or other bytes follow it");
        }
    }
}
