// Who takes part: bytes that an identity gave, compared as they are.
using System.Text;

namespace Estat.Requests.Campaigns;

/// <summary>1 to <see cref="Longest"/> bytes. Never changed.</summary>
internal readonly struct UserId : IEquatable<UserId>
{
    /// <summary>Bytes at most.</summary>
    internal const int Longest = 256;

    private readonly byte[]? _bytes;

    private UserId(byte[] bytes) => _bytes = bytes;

    /// <summary>The bytes; none for the default, which is nobody.</summary>
    internal ReadOnlySpan<byte> Bytes => _bytes;

    /// <summary>For people: UTF-8, with what is none replaced.</summary>
    internal string Text => Encoding.UTF8.GetString(Bytes);

    /// <summary>The user of these bytes; null when there are none or too many.</summary>
    internal static UserId? Of(ReadOnlySpan<byte> bytes) => bytes.Length is 0 or > Longest ? null : new UserId(bytes.ToArray());

    /// <summary>The user of a text, as UTF-8.</summary>
    internal static UserId? Of(string text) => Of(Encoding.UTF8.GetBytes(text));

    /// <summary>The user of a header: HTTP gives a character for each byte (Latin-1).</summary>
    internal static UserId? OfHeader(string value) => Of(Encoding.Latin1.GetBytes(value));

    /// <inheritdoc/>
    public bool Equals(UserId other) => Bytes.SequenceEqual(other.Bytes);

    /// <inheritdoc/>
    public override bool Equals(object? obj) => obj is UserId other && Equals(other);

    /// <inheritdoc/>
    public override int GetHashCode()
    {
        var hash = new HashCode();
        hash.AddBytes(Bytes);
        return hash.ToHashCode();
    }

    /// <inheritdoc/>
    public override string ToString() => Text;
}
