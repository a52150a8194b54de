namespace Estat.Topics.Log;

/// <summary>The log cannot do what was asked now; the message says why and what to do.</summary>
/// <param name="message">Why, and what to do.</param>
/// <param name="cause">What the disk or the broker said.</param>
/// <param name="isBound">Whether a bound is reached or a rule forbids it, so that the same again is refused until somebody changes that; producers
/// may read the message then.</param>
internal sealed class TopicLogException(string message, Exception? cause = null, bool isBound = false) : IOException(message, cause)
{
    /// <summary>Whether a bound is reached or a rule forbids it, so that the same again is refused until somebody changes that; producers may read
    /// the message then.</summary>
    internal bool IsBound { get; } = isBound;
}
