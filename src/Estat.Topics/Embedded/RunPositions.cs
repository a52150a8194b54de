// Where the messages of a production are, in little memory: keys remember it for as long as TOPICS_DEDUP.
using System.Collections;
using Estat.Topics.Messages;

namespace Estat.Topics.Embedded;

/// <summary>By message. Immutable; walked through from the first one.</summary>
/// <param name="topic">The topic.</param>
/// <param name="partitions">The partition of each run.</param>
/// <param name="firsts">The first offset of each run.</param>
/// <param name="runOf">The run of each message.</param>
internal sealed class RunPositions(string topic, int[] partitions, long[] firsts, int[] runOf) : IReadOnlyList<MessagePosition?>
{
    // Of one run nothing but its length is to be known.
    private readonly ushort[]? _runOf = partitions.Length == 1 ? null : Array.ConvertAll(runOf, run => (ushort)run);

    /// <inheritdoc/>
    public int Count { get; } = runOf.Length;

    /// <inheritdoc/>
    public MessagePosition? this[int index] => this.Skip(index).First();

    /// <inheritdoc/>
    public IEnumerator<MessagePosition?> GetEnumerator()
    {
        var next = (long[])firsts.Clone();
        for (int index = 0; index < Count; index++)
        {
            int run = _runOf?[index] ?? 0;
            yield return new MessagePosition(topic, partitions[run], next[run]++);
        }
    }

    /// <inheritdoc/>
    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();
}
