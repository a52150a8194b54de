// A partition that is this sink's, as the sink knows it.
using System.Globalization;
using Estat.Topics.Messages;

namespace Estat.Topics.Sink;

/// <summary>Changed by the sink's loop only.</summary>
/// <param name="partition">Which.</param>
internal sealed class OwnedPartition(TopicPartition partition)
{
    private long? _claimed;
    private long _next;
    private volatile bool _isKnown;

    /// <summary>Which.</summary>
    internal TopicPartition Partition { get; } = partition;

    /// <summary>The offset of the first message that is not stored. Read by any thread.</summary>
    internal long Next
    {
        get => Volatile.Read(ref _next);
        set => Volatile.Write(ref _next, value);
    }

    /// <summary>Below it rows may be there already.</summary>
    internal long High { get; set; }

    /// <summary>The epoch under which it was taken over, or that the row had since; null: not yet taken over.</summary>
    internal long? Epoch { get; private set; }

    /// <summary>Whether it was ever taken over: <see cref="Next"/> means something. Read by any thread.</summary>
    internal bool IsKnown => _isKnown;

    /// <summary>Whether the session that there is has taken it over.</summary>
    internal bool IsTaken { get; set; }

    /// <summary>Epochs that its row may have while it is this sink's, joined by commas; empty: any, as it never was this sink's.</summary>
    internal string Epochs => Epoch is not { } epoch ? ""
        : _claimed is { } claimed ? string.Create(CultureInfo.InvariantCulture, $"{epoch},{claimed}")
        : epoch.ToString(CultureInfo.InvariantCulture);

    /// <summary>An epoch will be asked for. Should the answer be lost, the row has it, or still the one that it has now.</summary>
    /// <param name="epoch">The session's.</param>
    /// <param name="found">What the row has; it is locked, so an earlier claim is settled.</param>
    internal void Claim(long epoch, long found) => (_claimed, Epoch) = (epoch, Epoch is null ? null : found);

    /// <summary>It is taken over.</summary>
    /// <param name="epoch">The session's.</param>
    /// <param name="next">The row's next_offset.</param>
    /// <param name="high">The row's high_offset.</param>
    internal void Take(long epoch, long next, long high)
    {
        (Next, High, Epoch, IsTaken) = (next, high, epoch, true);
        _claimed = null;
        _isKnown = true;
    }
}
