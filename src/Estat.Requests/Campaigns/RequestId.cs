// What a request is found by: it follows from campaign and user, so it needs no index, and nobody can guess it.
using System.Buffers;
using System.Security.Cryptography;
using System.Text;

namespace Estat.Requests.Campaigns;

/// <summary>
/// A UUID of version 8 (RFC 9562): the first 16 bytes of HMAC-SHA256(the campaign's secret, campaignId ‖ 0 ‖ userId), with version and variant set.
/// The same in every store, and after every restart.
/// </summary>
internal readonly record struct RequestId(Guid Value) : IComparable<RequestId>
{
    /// <summary>Bytes of a stored id.</summary>
    internal const int Size = 16;

    /// <summary>Characters of its text.</summary>
    internal const int TextLength = 36;

    /// <summary>Bytes of a campaign's secret.</summary>
    internal const int SecretSize = 32;

    /// <summary>The id of a user's request.</summary>
    internal static RequestId Of(ReadOnlySpan<byte> secret, string campaignId, UserId user)
    {
        Span<byte> name = stackalloc byte[CampaignId.Longest + 1 + UserId.Longest];
        int length = Encoding.ASCII.GetBytes(campaignId, name);
        name[length++] = 0;
        user.Bytes.CopyTo(name[length..]);
        Span<byte> hash = stackalloc byte[HMACSHA256.HashSizeInBytes];
        HMACSHA256.HashData(secret, name[..(length + user.Bytes.Length)], hash);
        Span<byte> id = hash[..Size];
        id[6] = (byte)((id[6] & 0x0F) | 0x80);
        id[8] = (byte)((id[8] & 0x3F) | 0x80);
        return FromBytes(id);
    }

    /// <summary>The id of its 16 bytes, in the order of its text.</summary>
    internal static RequestId FromBytes(ReadOnlySpan<byte> bytes) => new(new Guid(bytes, bigEndian: true));

    /// <summary>Reads the text of 36 characters, with lower-case digits; null for anything else.</summary>
    internal static RequestId? Parse(ReadOnlySpan<char> text) =>
        text.Length == TextLength && !text.ContainsAny(SearchUpper) && Guid.TryParseExact(text, "D", out Guid value) ? new RequestId(value) : null;

    /// <summary>Writes its 16 bytes, in the order of its text.</summary>
    internal void WriteBytes(Span<byte> destination) => Value.TryWriteBytes(destination, bigEndian: true, out _);

    /// <summary>In the order of their texts.</summary>
    public int CompareTo(RequestId other)
    {
        Span<byte> mine = stackalloc byte[Size];
        Span<byte> theirs = stackalloc byte[Size];
        WriteBytes(mine);
        other.WriteBytes(theirs);
        return mine.SequenceCompareTo(theirs);
    }

    /// <inheritdoc/>
    public override string ToString() => Value.ToString("D");

    private static readonly SearchValues<char> SearchUpper = SearchValues.Create("ABCDEF");
}
