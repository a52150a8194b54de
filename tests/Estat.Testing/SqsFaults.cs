namespace Estat.Testing;

/// <summary>What an <see cref="SqsEmulator"/> does wrong; probabilities are from 0 to 1. deploy/local/sqs.js says what each is.</summary>
public sealed record SqsFaults
{
    /// <summary>A message of a standard queue that is received can be received once more, at once.</summary>
    public double Twice { get; init; }

    /// <summary>What was asked for is done, and the connection breaks without an answer.</summary>
    public double Lost { get; init; }

    /// <summary>503; nothing is done.</summary>
    public double Unavailable { get; init; }

    /// <summary>Each operation waits so long before it begins.</summary>
    public TimeSpan Delay { get; init; }

    /// <summary>Only these go wrong; null is all.</summary>
    public IReadOnlyList<string>? Operations { get; init; }

    /// <summary>The same seed, the same faults in the same order of requests; null goes on with the last.</summary>
    public int? Seed { get; init; }

    internal IReadOnlyDictionary<string, object?> Settings => new Dictionary<string, object?>
    {
        ["twice"] = Twice,
        ["lost"] = Lost,
        ["unavailable"] = Unavailable,
        ["delayMs"] = Delay.TotalMilliseconds,
        ["operations"] = Operations,
        ["seed"] = Seed,
    };
}
