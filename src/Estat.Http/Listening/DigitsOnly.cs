// Content-Length as RFC 9110 has it: digits. Kestrel by itself takes "+5" and "-0" as well, which a proxy in front may read in another way.
using System.Text;

namespace Estat.Http.Listening;

/// <summary>
/// The encoding in which Kestrel reads Content-Length: whatever is not 1 to 19 digits becomes text that is no number, which Kestrel answers with 400.
/// In an ordinary encoding a value of more than 20 characters, which is the room that Kestrel gives, would end the connection by an exception.
/// </summary>
internal sealed class DigitsOnly : Encoding
{
    private const int MostDigits = 19; // those of long.MaxValue
    private const string NoNumber = "x";

    internal static DigitsOnly Instance { get; } = new();

    public override int GetChars(ReadOnlySpan<byte> bytes, Span<char> chars)
    {
        if (IsNumber(bytes))
        {
            return ASCII.GetChars(bytes, chars);
        }

        NoNumber.CopyTo(chars);
        return NoNumber.Length;
    }

    public override int GetChars(byte[] bytes, int byteIndex, int byteCount, char[] chars, int charIndex) =>
        GetChars(bytes.AsSpan(byteIndex, byteCount), chars.AsSpan(charIndex));

    // Exact: as a trailer the header is made a string of this length.
    public override int GetCharCount(byte[] bytes, int index, int count) => IsNumber(bytes.AsSpan(index, count)) ? count : NoNumber.Length;

    public override int GetMaxCharCount(int byteCount) => MostDigits;

    public override int GetByteCount(char[] chars, int index, int count) => ASCII.GetByteCount(chars, index, count);

    public override int GetBytes(char[] chars, int charIndex, int charCount, byte[] bytes, int byteIndex) =>
        ASCII.GetBytes(chars, charIndex, charCount, bytes, byteIndex);

    public override int GetMaxByteCount(int charCount) => ASCII.GetMaxByteCount(charCount);

    private static bool IsNumber(ReadOnlySpan<byte> bytes) =>
        bytes.Length is > 0 and <= MostDigits && !bytes.ContainsAnyExceptInRange((byte)'0', (byte)'9');
}
