using Estat.Topics.Messages;

namespace Estat.Topics.Log;

/// <summary>Messages that one HTTP request brings.</summary>
/// <param name="Topic">An existing topic.</param>
/// <param name="Messages">At least one. They, and their bytes, must not change until <see cref="ITopicLog.ProduceAsync"/> has ended.</param>
/// <param name="Idempotency">What tells a repetition; null without.</param>
/// <param name="OnlyRepeats">Whether only what was produced before is answered: the node drains.</param>
internal sealed record Production(
    string Topic, IReadOnlyList<NewMessage> Messages, Idempotency? Idempotency = null, bool OnlyRepeats = false);

/// <summary>What tells a repeated HTTP request from a new one.</summary>
/// <param name="Scope">Whose key it is: the write key's name; empty without write keys.</param>
/// <param name="Key">The <c>Idempotency-Key</c>.</param>
/// <param name="BodyHash">SHA-256 of path and body.</param>
internal sealed record Idempotency(string Scope, string Key, ReadOnlyMemory<byte> BodyHash);
