// What can go wrong: each scenario is one kind of trouble that begins and ends.

namespace Estat.Chaos.Scenarios;

/// <summary>What a scenario lays hands on. Two that lay hands on the same are never at work at the same time.</summary>
internal enum Target
{
    Process,
    Storage,
    Disk,
    Clock,
    Several,
}

/// <summary>One kind of trouble. Has no state of its own: what belongs to a round is in the <see cref="Round"/>.</summary>
internal abstract class Scenario
{
    /// <summary>As the command line names it.</summary>
    internal abstract string Name { get; }

    /// <summary>One line on what it does.</summary>
    internal abstract string Summary { get; }

    internal abstract Target Target { get; }

    /// <summary>Milliseconds that pass at most between two troubles of a round.</summary>
    protected virtual int LongestPeaceMs => 300;

    /// <summary>Whether it can tell anything about an ack level (or "mixed").</summary>
    internal virtual bool Concerns(string level) => true;

    /// <summary>Why this machine or this server cannot run it; null if it can.</summary>
    internal virtual string? Missing(IReadOnlyList<string> offeredLevels) => null;

    /// <summary>Changes what the server is started with.</summary>
    internal virtual void Prepare(Round round, Random random)
    {
    }

    /// <summary>Trouble once, from its beginning to its end: when this returns or throws, everything is whole again.</summary>
    internal abstract Task InjectAsync(Round round, Random random);

    /// <summary>The whole of a round: trouble over and over until its time is over, once at least.</summary>
    internal virtual async Task RunAsync(Round round)
    {
        var random = round.Plan.RandomFor(1);
        do
        {
            await Round.ForAsync(random, 50, LongestPeaceMs);
            await InjectAsync(round, random);
        }
        while (!round.TimeIsOver);
    }
}
