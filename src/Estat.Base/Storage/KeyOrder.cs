// The order in which S3 lists keys: by their UTF-8 bytes.
namespace Estat.Base.Storage;

/// <summary>
/// Compares as UTF-8 bytes do. Differs from <see cref="StringComparer.Ordinal"/>, which compares UTF-16 units, only where surrogates (U+10000 and up)
/// meet U+E000 to U+FFFF: UTF-16 has surrogates below, UTF-8 above.
/// </summary>
internal sealed class KeyOrder : IComparer<string>
{
    internal static KeyOrder Instance { get; } = new();

    /// <inheritdoc/>
    public int Compare(string? x, string? y)
    {
        ReadOnlySpan<char> left = x;
        ReadOnlySpan<char> right = y;
        int common = left.CommonPrefixLength(right);
        return common == left.Length || common == right.Length ? left.Length.CompareTo(right.Length) : Rank(left[common])
            .CompareTo(Rank(right[common]));
    }

    private static int Rank(char c) => char.IsSurrogate(c) ? c + 0x10000 : c;
}
