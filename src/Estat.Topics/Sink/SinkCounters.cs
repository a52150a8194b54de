// What the sink counts.
using Estat.Base.Metrics;

namespace Estat.Topics.Sink;

/// <summary>All of it since the start. Any thread.</summary>
/// <param name="time">Its clock.</param>
internal sealed class SinkCounters(TimeProvider time)
{
    private const int Samples = 4096;
    private readonly StripedCounter[] _letters = [new(), new(), new()];

    /// <summary>Messages that are stored, and were not before.</summary>
    internal StripedCounter Messages { get; } = new();

    /// <summary>Typed rows that are stored, and were not before.</summary>
    internal StripedCounter Typed { get; } = new();

    /// <summary>Messages that were stored already when a reset brought them again.</summary>
    internal StripedCounter Repeated { get; } = new();

    /// <summary>Messages of days that TOPICS_KEEP had dropped.</summary>
    internal StripedCounter Dropped { get; } = new();

    /// <summary>Messages that the log had deleted before they were stored.</summary>
    internal StripedCounter Expired { get; } = new();

    /// <summary>Transactions that were committed.</summary>
    internal StripedCounter Batches { get; } = new();

    /// <summary>Attempts that failed and are made again.</summary>
    internal StripedCounter Retries { get; } = new();

    /// <summary>Portions that were refused, and cut to find the rows.</summary>
    internal StripedCounter Bisections { get; } = new();

    /// <summary>How long transactions took.</summary>
    internal DurationSamples Seconds { get; } = new(Samples, time);

    /// <summary>New dead letters of a kind.</summary>
    /// <param name="kind">The kind.</param>
    internal StripedCounter Letters(DeadLetterKind kind) => _letters[(int)kind];

    /// <summary>Counts what was committed.</summary>
    /// <param name="result">Of one transaction.</param>
    /// <param name="took">How long it took.</param>
    internal void Add(StoreResult result, TimeSpan took)
    {
        Messages.Add(result.Messages);
        Typed.Add(result.Typed);
        Repeated.Add(result.Repeated);
        Dropped.Add(result.Dropped);
        Bisections.Add(result.Cuts);
        for (int kind = 0; kind < _letters.Length; kind++)
        {
            _letters[kind].Add(result.Letters[kind]);
        }

        Batches.Increment();
        Seconds.Add(took);
    }
}
