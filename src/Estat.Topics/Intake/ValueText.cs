// JSON that is put together from pieces that are JSON already.
using System.Globalization;
using System.Text;
using Estat.Base.Options;

namespace Estat.Topics.Intake;

/// <summary>A JSON object that is put together from members that are JSON already.</summary>
/// <param name="room">Bytes that it will have, about.</param>
internal struct ValueText(int room)
{
    private byte[] _bytes = new byte[room + 2];
    private int _length;

    /// <summary>All of it.</summary>
    internal readonly ReadOnlyMemory<byte> Written => _bytes.AsMemory(0, _length);

    /// <summary>Begins a member, or the object.</summary>
    internal void AddMember(ReadOnlySpan<byte> text)
    {
        Add(_length == 0 ? "{"u8 : ","u8);
        Add(text);
    }

    /// <summary>Adds to it.</summary>
    internal void Add(ReadOnlySpan<byte> text)
    {
        if (_length + text.Length > _bytes.Length)
        {
            Array.Resize(ref _bytes, Math.Max(2 * _bytes.Length, _length + text.Length));
        }

        text.CopyTo(_bytes.AsSpan(_length));
        _length += text.Length;
    }

    /// <summary>Adds a text that needs no escapes, without quotes.</summary>
    internal void AddText(string text)
    {
        Span<byte> bytes = text.Length <= 256 ? stackalloc byte[3 * text.Length] : new byte[3 * text.Length];
        Add(bytes[..Encoding.UTF8.GetBytes(text, bytes)]);
    }

    /// <summary>Adds a number.</summary>
    internal void AddNumber(long number)
    {
        Span<byte> digits = stackalloc byte[20];
        number.TryFormat(digits, out int length, default, CultureInfo.InvariantCulture);
        Add(digits[..length]);
    }

    /// <summary>Adds a time as the API writes it, without quotes.</summary>
    internal void AddTime(DateTimeOffset time)
    {
        Span<byte> text = stackalloc byte[MomentText.WrittenLength];
        time.UtcDateTime.TryFormat(text, out int length, MomentText.Written, CultureInfo.InvariantCulture);
        Add(text[..length]);
    }

    /// <summary>Ends the last member's text and the object.</summary>
    internal void End() => Add("\"}"u8);
}
