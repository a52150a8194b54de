// Lines into requests, in bounded memory, from where a checkpoint says.
using System.Security.Cryptography;
using Estat.Collect.Events;

namespace Estat.Cli.Send;

/// <summary>
/// One reader. Holds one request and one read-ahead buffer; a line longer than <see cref="LongestLine"/> is passed over and reported. A request never
/// reaches into a range that is done already, and does not wait for more than <see cref="Linger"/> once it has a line: what comes slowly from a pipe
/// goes out all the same.
/// </summary>
internal sealed class RequestReader : IDisposable
{
    /// <summary>Bytes; above what a server takes by its options' own bound.</summary>
    internal const int LongestLine = 16 << 20;

    private static readonly TimeSpan Linger = TimeSpan.FromMilliseconds(500);

    private readonly Stream _content;
    private readonly int _maxEvents;
    private readonly int _maxBytes;
    private readonly Queue<SentRange> _done;
    private readonly IncrementalHash _hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
    private byte[] _buffer = new byte[256 * 1024];
    private int _start;
    private int _end;
    private bool _ended;
    private Task<int>? _reading;
    private long _offset;
    private long _line;

    internal RequestReader(Stream content, int maxEvents, int maxBytes, IEnumerable<SentRange> done)
    {
        _content = content;
        _maxEvents = maxEvents;
        _maxBytes = maxBytes;
        _done = new Queue<SentRange>(done.OrderBy(range => range.From));
    }

    /// <summary>Content read so far, bytes.</summary>
    internal long Offset => _offset;

    /// <summary>After a read that failed: the line that it left unfinished, from 1; null when it failed between two lines.</summary>
    internal long? UnfinishedLine => _end > _start ? _line + 1 : null;

    /// <summary>The content's first bytes, as many as come at once. Called before anything else.</summary>
    internal async Task<ReadOnlyMemory<byte>> StartAsync(CancellationToken cancellationToken)
    {
        await FillAsync(cancellationToken).ConfigureAwait(false);
        return _buffer.AsMemory(0, Math.Min(_end, ForeignContent.Looked));
    }

    /// <summary>Passes over what is done, hashing it.</summary>
    /// <returns>SHA-256 of the content before <paramref name="offset"/>; null when there is less of it.</returns>
    internal async Task<string?> SkipToAsync(long offset, long lines, CancellationToken cancellationToken)
    {
        while (_offset < offset)
        {
            if (_start == _end && !await FillAsync(cancellationToken).ConfigureAwait(false))
            {
                return null;
            }

            Pass((int)Math.Min(offset - _offset, _end - _start));
        }

        _line = lines;
        return HashNow();
    }

    /// <summary>The next lines; null at the end. A last line without its end is a line only where the content ended well.</summary>
    /// <exception cref="InvalidDataException">The content is damaged, or cut, from here on; every whole line before that was given.</exception>
    /// <exception cref="IOException">It cannot be read from here on.</exception>
    internal async Task<SendRequest?> NextAsync(CancellationToken cancellationToken)
    {
        while (_done.TryPeek(out SentRange? done) && done.From <= _offset)
        {
            _done.Dequeue();
            if (done.To > _offset)
            {
                long skippedFrom = _offset;
                long lineBefore = _line;
                await SkipToAsync(done.To, _line + done.Lines, cancellationToken).ConfigureAwait(false);
                return new SendRequest(skippedFrom, _offset, lineBefore, done.Lines, default, [], [], HashNow()) { WasDone = true };
            }
        }

        long limit = _done.TryPeek(out SentRange? next) ? next.From : long.MaxValue;
        var lines = new List<SendLine>();
        var tooLong = new List<RejectedLine>();
        var body = new MemoryStream();
        long from = _offset;
        long linesBefore = _line;
        while (lines.Count < _maxEvents && _offset < limit)
        {
            int length;
            try
            {
                length = await LineLengthAsync(mayLinger: lines.Count > 0, cancellationToken).ConfigureAwait(false);
            }
            catch (Exception error) when (error is InvalidDataException or IOException && _offset > from)
            {
                break; // what stands before the damage is sent; the read after that finds it again
            }

            if (length == 0)
            {
                break; // the end, or nothing more for the moment
            }

            if (length < 0)
            {
                tooLong.Add(new RejectedLine(_line + 1, $"longer than {LongestLine} bytes", null));
                await PassLongLineAsync(cancellationToken).ConfigureAwait(false);
                continue;
            }

            if (_offset == 0 && _buffer.AsSpan(_start, length).StartsWith("\uFEFF"u8))
            {
                Pass(3); // a byte order mark is no part of the first line
                length -= 3;
            }

            ReadOnlySpan<byte> text = _buffer.AsSpan(_start, length).TrimEnd("\r\n"u8);
            if (text.IndexOfAnyExcept(" \t\r"u8) < 0)
            {
                Pass(length);
                _line++;
                continue;
            }

            if (lines.Count > 0 && body.Length + text.Length > _maxBytes)
            {
                break;
            }

            lines.Add(new SendLine((int)body.Length, text.Length, _line + 1, _offset));
            body.Write(text);
            body.WriteByte((byte)'\n');
            Pass(length);
            _line++;
        }

        return _offset == from
            ? null
            : new SendRequest(from, _offset, linesBefore, _line - linesBefore, body.GetBuffer()
                .AsMemory(0, (int)body.Length), lines, tooLong, HashNow());
    }

    /// <inheritdoc/>
    public void Dispose() => _hash.Dispose();

    private string HashNow() => Convert.ToHexStringLower(_hash.GetCurrentHash());

    private void Pass(int bytes)
    {
        _hash.AppendData(_buffer, _start, bytes);
        _start += bytes;
        _offset += bytes;
    }

    // Of the next line with its end; 0 at the content's end, or when the rest of it is slow to come; -1 when it is too long.
    private async Task<int> LineLengthAsync(bool mayLinger, CancellationToken cancellationToken)
    {
        int searched = 0;
        while (true)
        {
            int at = _buffer.AsSpan(_start + searched, _end - _start - searched).IndexOf((byte)'\n');
            if (at >= 0)
            {
                return searched + at + 1;
            }

            searched = _end - _start;
            if (searched > LongestLine)
            {
                return -1;
            }

            if (mayLinger && !await ComesSoonAsync(cancellationToken).ConfigureAwait(false))
            {
                return 0;
            }

            if (!await FillAsync(cancellationToken).ConfigureAwait(false))
            {
                return searched; // the last line may lack its end
            }
        }
    }

    private async Task PassLongLineAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            int at = _buffer.AsSpan(_start, _end - _start).IndexOf((byte)'\n');
            Pass(at >= 0 ? at + 1 : _end - _start);
            if (at >= 0 || !await FillAsync(cancellationToken).ConfigureAwait(false))
            {
                _line++;
                return;
            }
        }
    }

    private async Task<bool> ComesSoonAsync(CancellationToken cancellationToken)
    {
        Task<int> reading = BeginReading();
        return await Task.WhenAny(reading, Task.Delay(Linger, cancellationToken)).ConfigureAwait(false) == reading;
    }

    // At most one read at a time, into the free end of the buffer, which nobody touches until it has come.
    private Task<int> BeginReading()
    {
        if (_reading is null && !_ended)
        {
            if (_start > 0)
            {
                _buffer.AsSpan(_start, _end - _start).CopyTo(_buffer);
                _end -= _start;
                _start = 0;
            }

            if (_end == _buffer.Length)
            {
                Array.Resize(ref _buffer, _buffer.Length * 2);
            }

            _reading = _content.ReadAsync(_buffer.AsMemory(_end)).AsTask();
        }

        return _reading ?? Task.FromResult(0);
    }

    private async Task<bool> FillAsync(CancellationToken cancellationToken)
    {
        // A read of standard input cannot be cancelled; it is left behind.
        int read = await BeginReading().WaitAsync(cancellationToken).ConfigureAwait(false);
        _reading = null;
        _end += read;
        _ended |= read == 0;
        return read > 0;
    }
}
