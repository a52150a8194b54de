// One thing that went wrong, from when to when: the windows by which latencies and errors are told apart.

using System.Diagnostics;

namespace Estat.Cluster.Chaos;

/// <summary>A trouble and its time, as <see cref="Stopwatch.GetTimestamp"/> has it.</summary>
/// <param name="What">Such as "kill -9 silo-2".</param>
/// <param name="Began">When it was done to the cluster.</param>
public sealed record Trouble(string What, long Began)
{
    /// <summary>When every node took events again and every event had its copies; until then, never.</summary>
    public long Ended { get; set; } = long.MaxValue;

    /// <summary>How long it lasted.</summary>
    public TimeSpan Lasted => Stopwatch.GetElapsedTime(Began, Ended);
}
