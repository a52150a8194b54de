namespace Estat.Topics.Log;

/// <summary>The log cannot do what was asked now; the message says why and what to do.</summary>
/// <param name="message">Why, and what to do.</param>
/// <param name="cause">What the disk or the broker said.</param>
/// <param name="isBound">Whether an option's bound is reached; producers may read the message then.</param>
internal sealed class TopicLogException(string message, Exception? cause = null, bool isBound = false) : IOException(message, cause)
{
    /// <summary>Whether an option's bound is reached; producers may read the message then.</summary>
    internal bool IsBound { get; } = isBound;
}
