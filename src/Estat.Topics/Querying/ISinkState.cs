// What queries show of the sink: a port, as a node may be without one.
using Estat.Topics.Messages;

namespace Estat.Topics.Querying;

/// <summary>The node's sink at this moment. Any thread; waits for nothing.</summary>
internal interface ISinkState
{
    /// <summary>What it does, one word in lower case, such as <c>running</c>, <c>paused</c>, <c>retrying</c>, <c>stopped</c>.</summary>
    string State { get; }

    /// <summary>Why it stores nothing; null while it does.</summary>
    string? Fault { get; }

    /// <summary>The offset behind the last message that it stored; null when the partition is not its own.</summary>
    long? StoredUpTo(TopicPartition partition);
}
