// The sink as queries show it.
using Estat.Topics.Messages;
using Estat.Topics.Querying;
using Estat.Topics.Sink;

namespace Estat.Topics.Hosting;

/// <summary>Reads the loop's state.</summary>
/// <param name="sink">The node's sink.</param>
internal sealed class SinkView(SinkLoop sink) : ISinkState
{
    /// <inheritdoc/>
    public string State => NameOf(sink.State.Activity);

    /// <inheritdoc/>
    public string? Fault => sink.State.Why;

    /// <inheritdoc/>
    public long? StoredUpTo(TopicPartition partition) => sink.NextOf(partition);

    /// <summary>The word for what a sink does.</summary>
    internal static string NameOf(SinkActivity activity) => activity switch
    {
        SinkActivity.Running => "running",
        SinkActivity.Waiting => "waiting",
        SinkActivity.Paused => "paused",
        _ => "stopped",
    };
}
