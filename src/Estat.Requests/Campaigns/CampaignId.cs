// What campaigns may be called.
using System.Buffers;

namespace Estat.Requests.Campaigns;

/// <summary>A segment of a path as it is: 1 to <see cref="Longest"/> letters, digits, and <c>- . _ ~</c>.</summary>
internal static class CampaignId
{
    /// <summary>Characters at most.</summary>
    internal const int Longest = 64;

    /// <summary>What an id must be, as the end of a sentence.</summary>
    internal const string Rule = "1 to 64 letters, digits and - . _ ~ and begin with a letter or digit";

    private static readonly SearchValues<char> Characters =
        SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~");

    /// <summary>Whether the text can be one. One that begins with a dot would be a step in a path.</summary>
    internal static bool IsValid(ReadOnlySpan<char> text) =>
        text.Length is > 0 and <= Longest && char.IsAsciiLetterOrDigit(text[0]) && !text.ContainsAnyExcept(Characters);
}
