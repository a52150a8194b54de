namespace Estat.Topics.Intake;

/// <summary>What an HTTP request to produce may bring.</summary>
/// <param name="Messages">Most messages (TOPICS_MAX_MESSAGES).</param>
/// <param name="MessageBytes">Bytes of key, headers and value of each (TOPICS_MAX_MESSAGE_BYTES).</param>
internal sealed record ProduceLimits(int Messages, int MessageBytes);
