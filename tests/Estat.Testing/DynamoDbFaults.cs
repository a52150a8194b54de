namespace Estat.Testing;

/// <summary>What a <see cref="DynamoDbEmulator"/> does wrong; probabilities are from 0 to 1. deploy/local/dynamodb.js says what each is.</summary>
public sealed record DynamoDbFaults
{
    /// <summary>Another write holds the item; nothing is applied.</summary>
    public double Conflict { get; init; }

    /// <summary>Too much at once; nothing is applied, or a part of a batch.</summary>
    public double Throttle { get; init; }

    /// <summary>The write is applied, and the connection breaks without an answer.</summary>
    public double Lost { get; init; }

    /// <summary>503; nothing is applied.</summary>
    public double Unavailable { get; init; }

    /// <summary>Global indexes show what was true so long ago.</summary>
    public TimeSpan LateIndex { get; init; }

    /// <summary>Each operation waits so long before it begins.</summary>
    public TimeSpan Delay { get; init; }

    /// <summary>Only these go wrong; null is all.</summary>
    public IReadOnlyList<string>? Operations { get; init; }

    /// <summary>The same seed, the same faults in the same order of requests; null goes on with the last.</summary>
    public int? Seed { get; init; }

    internal IReadOnlyDictionary<string, object?> Settings => new Dictionary<string, object?>
    {
        ["conflict"] = Conflict,
        ["throttle"] = Throttle,
        ["lost"] = Lost,
        ["unavailable"] = Unavailable,
        ["lateIndexMs"] = LateIndex.TotalMilliseconds,
        ["delayMs"] = Delay.TotalMilliseconds,
        ["operations"] = Operations,
        ["seed"] = Seed,
    };
}
