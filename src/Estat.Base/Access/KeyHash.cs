// What is kept of a write key: its SHA-256.
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;

namespace Estat.Base.Access;

/// <summary>
/// SHA-256 of a key's characters. No slow hash, as for passwords, is needed: keys are random (<see cref="NewKey"/>), so there is nothing to guess
/// from, and each event is looked up by it. Nor does comparing take the same time whatever is compared, and need not: who sends a key chooses its
/// text, but not where its hash differs from another one.
/// </summary>
[StructLayout(LayoutKind.Sequential)]
public readonly record struct KeyHash
{
    /// <summary>Bytes.</summary>
    public const int Length = 32;

    /// <summary>Characters of a key at the most; a longer text is none.</summary>
    public const int LongestKey = 256;

    /// <summary>Characters of a key at least, when somebody makes it otherwise than <see cref="NewKey"/>: 128 random bits need 22 of
    /// base64url.</summary>
    public const int ShortestKey = 22;

    /// <summary>Begins every key that Estat makes, so that people and scanners of source code know one when they see it.</summary>
    public const string KeyPrefix = "estat_";

    private const int KeyBytes = 24;

    private readonly ulong _a;
    private readonly ulong _b;
    private readonly ulong _c;
    private readonly ulong _d;

    private KeyHash(ReadOnlySpan<byte> hash)
    {
        ReadOnlySpan<ulong> words = MemoryMarshal.Cast<byte, ulong>(hash);
        (_a, _b, _c, _d) = (words[0], words[1], words[2], words[3]);
    }

    /// <summary>A new key: 192 random bits, in characters that need no escaping anywhere.</summary>
    public static string NewKey() => KeyPrefix + System.Buffers.Text.Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(KeyBytes));

    /// <summary>The hash of what was sent as a key; allocates nothing. False for what cannot be one: empty, too long, or not ASCII.</summary>
    public static bool TryOf(ReadOnlySpan<char> key, out KeyHash hash)
    {
        hash = default;
        if (key.Length is 0 or > LongestKey)
        {
            return false;
        }

        Span<byte> text = stackalloc byte[LongestKey];
        Span<byte> result = stackalloc byte[Length];
        if (!Ascii.IsValid(key) || !Encoding.ASCII.TryGetBytes(key, text, out int length) || !SHA256.TryHashData(text[..length], result, out _))
        {
            return false;
        }

        hash = new KeyHash(result);
        return true;
    }

    /// <summary>Reads 64 hex digits.</summary>
    public static KeyHash? Parse(string hex)
    {
        ArgumentNullException.ThrowIfNull(hex);
        return hex.Length == 2 * Length && hex.All(char.IsAsciiHexDigit) ? new KeyHash(Convert.FromHexString(hex)) : null;
    }

    /// <summary>64 lower-case hex digits.</summary>
    public override string ToString()
    {
        Span<ulong> words = [_a, _b, _c, _d];
        return Convert.ToHexStringLower(MemoryMarshal.AsBytes(words));
    }

    /// <inheritdoc/>
    public override int GetHashCode() => _a.GetHashCode();
}
