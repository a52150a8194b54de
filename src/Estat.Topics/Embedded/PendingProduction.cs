namespace Estat.Topics.Embedded;

/// <summary>A production on its way into the journal. Its numbers are the writer's until its append has ended.</summary>
/// <param name="runs">Partitions in it.</param>
/// <param name="hasKey">Whether it has an idempotency key.</param>
internal sealed class PendingProduction(int runs, bool hasKey)
{
    /// <summary>The first offset of each run.</summary>
    internal long[] Firsts { get; } = new long[runs];

    /// <summary>Whether it has an idempotency key.</summary>
    internal bool HasKey => hasKey;
}
