// Whether a log still has, at the place where the sink stands, the message that was stored from there.
using Estat.Topics.Log;
using Estat.Topics.Messages;
using Estat.Topics.Postgres;

namespace Estat.Topics.Sink;

/// <summary>
/// A log that was restored from an older copy has the id and, once producers have filled it up again, also the length of the one that was stored.
/// Its messages have other times.
/// </summary>
internal static class LastStored
{
    /// <summary>Whether the log has another message before an offset than the one that was stored.</summary>
    /// <param name="log">The log.</param>
    /// <param name="partition">One of its partitions.</param>
    /// <param name="next">Behind the last stored message.</param>
    /// <param name="lastId">That message's id; null: not known.</param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <returns>False too where the log has deleted it.</returns>
    internal static async ValueTask<bool> IsAnotherAsync(
        ITopicLog log, TopicPartition partition, long next, Guid? lastId, CancellationToken cancellationToken)
    {
        if (lastId is not { } expected || next <= 0 || log.BoundsOf(partition) is not { } bounds || next <= bounds.Start || next > bounds.End)
        {
            return false;
        }

        foreach (LogMessage message in await log.ReadAsync(partition, next - 1, 1, 1, cancellationToken).ConfigureAwait(false))
        {
            return message.At.Offset == next - 1 && MessageId.Of(message.At, Math.Clamp(message.Time, 0, MessageId.TimeEnd - 1)) != expected;
        }

        return false;
    }
}
