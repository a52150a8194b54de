// Rows in the form in which COPY … FORMAT binary takes them.
using System.Buffers;
using System.Buffers.Binary;

namespace Estat.Topics.Postgres;

/// <summary>A buffer that grows. Fields are written one behind the other; a row begins with <see cref="Begin"/>. One user at a time.</summary>
internal sealed class CopyBuffer : IBufferWriter<byte>
{
    // What COPY's stream begins and ends with: PostgreSQL's documentation of COPY, "Binary Format".
    private static readonly byte[] HeaderBytes = [.. "PGCOPY\n\xff\r\n\0"u8[..7], 0xff, .. "\r\n\0"u8, 0, 0, 0, 0, 0, 0, 0, 0];
    private static readonly byte[] TrailerBytes = [0xff, 0xff];

    private const int FirstSize = 64 << 10;
    private const byte JsonbVersion = 1;

    // 2000-01-01 in milliseconds since 1970: PostgreSQL counts microseconds from there.
    private const long TimeZero = 946_684_800_000;

    private byte[] _bytes = new byte[FirstSize];

    /// <summary>Before the first row of a COPY.</summary>
    internal static ReadOnlyMemory<byte> Header => HeaderBytes;

    /// <summary>Behind the last row of a COPY.</summary>
    internal static ReadOnlyMemory<byte> Trailer => TrailerBytes;

    /// <summary>Bytes that are written.</summary>
    internal int Length { get; private set; }

    /// <summary>A part of what is written. It stays until <see cref="Clear"/>.</summary>
    /// <param name="start">Its first byte.</param>
    /// <param name="length">Its bytes.</param>
    internal ReadOnlyMemory<byte> Slice(int start, int length) => _bytes.AsMemory(start, length);

    /// <summary>Forgets everything, and gives memory back when it became much.</summary>
    /// <param name="most">Bytes that are kept at the most.</param>
    internal void Clear(int most)
    {
        Length = 0;
        if (_bytes.Length > most)
        {
            _bytes = new byte[FirstSize];
        }
    }

    /// <summary>Undoes what was written behind a point.</summary>
    /// <param name="length">What <see cref="Length"/> was there.</param>
    internal void Truncate(int length) => Length = length;

    /// <summary>Begins a row.</summary>
    /// <param name="fields">How many fields it has.</param>
    internal void Begin(int fields)
    {
        BinaryPrimitives.WriteInt16BigEndian(GetSpan(sizeof(short)), (short)fields);
        Advance(sizeof(short));
    }

    /// <summary>SQL's NULL.</summary>
    internal void Null() => RawInt(-1);

    /// <summary>An int.</summary>
    /// <param name="value">Its value.</param>
    internal void Int(int value)
    {
        RawInt(sizeof(int));
        RawInt(value);
    }

    /// <summary>A bigint.</summary>
    /// <param name="value">Its value.</param>
    internal void Long(long value)
    {
        RawInt(sizeof(long));
        BinaryPrimitives.WriteInt64BigEndian(GetSpan(sizeof(long)), value);
        Advance(sizeof(long));
    }

    /// <summary>A double precision.</summary>
    /// <param name="value">Its value.</param>
    internal void Double(double value) => Long(BitConverter.DoubleToInt64Bits(value));

    /// <summary>A timestamptz.</summary>
    /// <param name="time">Milliseconds since 1970.</param>
    internal void Time(long time) => Long((time - TimeZero) * 1000);

    /// <summary>A uuid.</summary>
    /// <param name="value">Its value.</param>
    internal void Uuid(Guid value)
    {
        RawInt(16);
        value.TryWriteBytes(GetSpan(16), bigEndian: true, out _);
        Advance(16);
    }

    /// <summary>A text.</summary>
    /// <param name="utf8">Its bytes.</param>
    /// <returns>Where they lie.</returns>
    internal int Text(ReadOnlySpan<byte> utf8)
    {
        RawInt(utf8.Length);
        this.Write(utf8);
        return Length - utf8.Length;
    }

    /// <summary>A jsonb.</summary>
    /// <param name="json">Its text.</param>
    /// <returns>Where the text lies.</returns>
    internal int Json(ReadOnlySpan<byte> json)
    {
        RawInt(json.Length + 1);
        GetSpan(1)[0] = JsonbVersion;
        Advance(1);
        this.Write(json);
        return Length - json.Length;
    }

    /// <summary>Begins a jsonb whose text is written through the interface.</summary>
    /// <returns>To be given to <see cref="EndJson"/>.</returns>
    internal int BeginJson()
    {
        int start = Length;
        Json([]);
        return start;
    }

    /// <summary>Ends it.</summary>
    /// <param name="start">What <see cref="BeginJson"/> gave.</param>
    internal void EndJson(int start) => BinaryPrimitives.WriteInt32BigEndian(_bytes.AsSpan(start), Length - start - sizeof(int));

    /// <inheritdoc/>
    public void Advance(int count) => Length += count;

    /// <inheritdoc/>
    public Memory<byte> GetMemory(int sizeHint = 0)
    {
        Grow(Math.Max(1, sizeHint));
        return _bytes.AsMemory(Length);
    }

    /// <inheritdoc/>
    public Span<byte> GetSpan(int sizeHint = 0)
    {
        Grow(Math.Max(1, sizeHint));
        return _bytes.AsSpan(Length);
    }

    private void RawInt(int value)
    {
        BinaryPrimitives.WriteInt32BigEndian(GetSpan(sizeof(int)), value);
        Advance(sizeof(int));
    }

    private void Grow(int more)
    {
        if (_bytes.Length - Length < more)
        {
            Array.Resize(ref _bytes, (int)Math.Min(Array.MaxLength, Math.Max((long)_bytes.Length * 2, (long)Length + more)));
        }
    }
}
