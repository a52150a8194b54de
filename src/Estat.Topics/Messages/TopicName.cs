// What a topic may be called.
using System.Buffers;

namespace Estat.Topics.Messages;

/// <summary>Rules of names. They are Kafka's, so a topic can move there.</summary>
internal static class TopicName
{
    /// <summary>Most characters of a name.</summary>
    internal const int Most = 249;

    /// <summary>The rule in words, for messages.</summary>
    internal const string Rule = "1 to 249 letters (a-z, A-Z), digits, and . _ - ; not . or .. alone";

    private static readonly SearchValues<char> Allowed =
        SearchValues.Create("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-");

    /// <summary>Whether a topic may have the name.</summary>
    internal static bool IsValid(ReadOnlySpan<char> name) =>
        name.Length is > 0 and <= Most && name is not ("." or "..") && !name.ContainsAnyExcept(Allowed);
}
