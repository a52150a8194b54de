// From an object's lines to requests.
using System.Buffers;
using Estat.Base.Storage;
using Estat.Lake.Lines;
using Estat.Lake.Reading;

namespace Estat.Lake.Replaying;

/// <summary>How requests are made. Bounds hold for each.</summary>
internal sealed record RequestSettings
{
    internal ReplayForm Form { get; init; }

    internal required EventFilter Filter { get; init; }

    internal required KeyRange Range { get; init; }

    internal int MostEvents { get; init; } = 1000;

    /// <summary>Bytes of a request; one event may be larger by itself.</summary>
    internal int MostBytes { get; init; } = 1 << 20;
}

/// <summary>
/// Goes through one object. Events that follow one another and have the same id go together under that id; those without one go under
/// <c>replay:KEY:LINE</c>, so that a request that had to be sent twice can be told. What NDJSON cannot carry exactly (line ends in a body, blanks
/// alone) goes alone. The same object, settings and position give the same requests. One thread.
/// </summary>
internal sealed class RequestBuilder : IDisposable
{
    private readonly RequestSettings _settings;
    private readonly string _key;
    private readonly Func<long, bool> _isDone;
    private readonly Stream _content;
    private readonly JsonLines _lines;
    private readonly StoredLine _line = new();
    private readonly List<long> _taken = [];
    private readonly List<(long Line, string Fault)> _faults = [];
    private long _leftOut;
    private ArrayBufferWriter<byte> _buffer = new(64 * 1024);
    private ReplayRequest? _next;
    private long _first;
    private string? _id;
    private bool _ended;

    /// <param name="fetched">The object.</param>
    /// <param name="settings">How.</param>
    /// <param name="isDone">Whether a line was acknowledged before.</param>
    internal RequestBuilder(FetchedObject fetched, RequestSettings settings, Func<long, bool> isDone)
    {
        _settings = settings;
        _key = fetched.Entry.Key;
        _isDone = isDone;
        _content = fetched.OpenRead();
        _lines = new JsonLines(_content, JsonLines.LooksLikeGzip(_content));
        _first = 1;
    }

    /// <summary>The next request; null at the end.</summary>
    internal ReplayRequest? Next()
    {
        if (_next is { } waiting)
        {
            _next = null;
            return waiting;
        }

        while (!_ended)
        {
            if (!TryRead())
            {
                _ended = true;
                return Flush(_lines.Lines);
            }

            if (_isDone(_lines.Lines))
            {
                // What was acknowledged ends a request: the next one begins behind it.
                if (Flush(_lines.Lines - 1) is { } before)
                {
                    _first = _lines.Lines + 1;
                    return before;
                }

                _first = _lines.Lines + 1;
            }
            else if (IsWanted() && Take() is { } full)
            {
                return full;
            }
        }

        return null;
    }

    /// <summary>What was passed over since the last request was made.</summary>
    internal PassedLines Passed()
    {
        var passed = new PassedLines(_leftOut, [.. _faults]);
        _leftOut = 0;
        _faults.Clear();
        return passed;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _lines.Dispose();
        _content.Dispose();
    }

    private bool TryRead()
    {
        try
        {
            return _lines.Read();
        }
        catch (InvalidDataException error)
        {
            _faults.Add((_lines.Lines + 1, $"cannot be read from here on: {error.Message}"));
            return false;
        }
    }

    private bool IsWanted()
    {
        if (_line.Read(_lines.Line) is { } fault)
        {
            _faults.Add((_lines.Lines, $"{fault}; not sent"));
            return false;
        }

        if (_settings.Range.Holds(_line.Ts) && _settings.Filter.Passes(_lines.Line, _line.Body))
        {
            return true;
        }

        _leftOut++;
        return false;
    }

    // Adds the event that was read; gives the request that it fills or ends.
    private ReplayRequest? Take()
    {
        ReadOnlySpan<byte> body = _settings.Form == ReplayForm.Line ? _lines.Line[..^1] : _line.Body;
        if (body.IsEmpty)
        {
            _faults.Add((_lines.Lines, "has an empty body, which no server takes; not sent"));
            return null;
        }

        string? id = _settings.Form == ReplayForm.Body ? _line.Id : null;
        ReplayRequest? before = null;
        bool goesAlone = !FitsNdjson(body);
        if (goesAlone || id != _id || _taken.Count == _settings.MostEvents || _buffer.WrittenCount + body.Length + 1 > _settings.MostBytes)
        {
            before = Flush(_lines.Lines - 1);
        }

        _id = id;
        _taken.Add(_lines.Lines);
        _buffer.Write(body);
        if (!goesAlone)
        {
            _buffer.Write("\n"u8);
            return before;
        }

        ReplayRequest alone = Flush(_lines.Lines, isAlone: true)!;
        if (before is null)
        {
            return alone;
        }

        _next = alone;
        return before;
    }

    private ReplayRequest? Flush(long last, bool isAlone = false)
    {
        if (_taken.Count == 0)
        {
            return null;
        }

        var request = new ReplayRequest(
            _key, _first, last, [.. _taken], _buffer.WrittenMemory, _id ?? $"replay:{_key}:{_taken[0]}", isAlone, Passed());
        _buffer = new ArrayBufferWriter<byte>(64 * 1024);
        _taken.Clear();
        _first = last + 1;
        _id = null;
        return request;
    }

    // A line of a batch loses its line end, a CR before it, and, at the body's begin, a byte order mark; blank ones are no events.
    private static bool FitsNdjson(ReadOnlySpan<byte> body) =>
        body.IndexOf((byte)'\n') < 0 && body[^1] != (byte)'\r' && body.IndexOfAnyExcept(" \t\r"u8) >= 0 && !body.StartsWith("\uFEFF"u8);
}
