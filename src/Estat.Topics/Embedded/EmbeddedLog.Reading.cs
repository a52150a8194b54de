// The embedded log, read by partition.
using Estat.Base.Journal;
using Estat.Base.Threading;
using Estat.Topics.Log;
using Estat.Topics.Messages;

namespace Estat.Topics.Embedded;

/// <content>Readings without state; some at once, on threads that may wait for a disk.</content>
internal sealed partial class EmbeddedLog
{
    /// <inheritdoc/>
    public LogPartition? BoundsOf(TopicPartition partition) => _table.OrdinalOf(partition) is { } ordinal
        ? new LogPartition(_retention.StartOf(ordinal), _state.Numbers.EndOf(ordinal)) : null;

    /// <inheritdoc/>
    public async ValueTask<IReadOnlyList<LogMessage>> ReadAsync(
        TopicPartition partition, long offset, int mostMessages, int mostBytes, CancellationToken cancellationToken)
    {
        List<LogMessage> messages = [];
        long bytes = 0;
        await ReadAsync(partition, offset, found =>
        {
            bytes += found.Weight;
            bool fits = messages.Count < mostMessages && (messages.Count == 0 || bytes <= mostBytes);
            if (fits)
            {
                messages.Add(found);
            }

            return fits && messages.Count < mostMessages;
        }, cancellationToken).ConfigureAwait(false);
        return messages;
    }

    /// <inheritdoc/>
    public async ValueTask WaitForAsync(TopicPartition partition, long offset, CancellationToken cancellationToken)
    {
        int ordinal = OrdinalOf(partition);
        while (true)
        {
            Task grown = _state.Numbers.Grown;
            if (_state.Numbers.EndOf(ordinal) > offset)
            {
                return;
            }

            if (_state.Numbers.HasEnded)
            {
                throw new TopicLogException($"The log in {Description} has ended.");
            }

            await grown.WaitAsync(cancellationToken).ConfigureAwait(false);
        }
    }

    /// <inheritdoc/>
    public async ValueTask<long> FindOffsetAsync(TopicPartition partition, long time, CancellationToken cancellationToken)
    {
        int ordinal = OrdinalOf(partition);
        long offset = _state.Numbers.EndOf(ordinal);
        long from = _state.Index.PositionBefore(time - 1) is { } point ? _state.Index.OffsetsAt(point, _table.Count)[ordinal] : 0;
        await ReadAsync(partition, from, found =>
        {
            bool isEarlier = found.Time < time;
            offset = isEarlier ? offset : found.At.Offset;
            return isEarlier;
        }, cancellationToken).ConfigureAwait(false);
        return offset;
    }

    private int OrdinalOf(TopicPartition partition) =>
        _table.OrdinalOf(partition) ?? throw new TopicLogException($"There is no partition {partition}.");

    // From an offset on to what is the partition's end now, while it is taken.
    private async ValueTask ReadAsync(TopicPartition partition, long offset, Func<LogMessage, bool> take, CancellationToken cancellationToken)
    {
        int ordinal = OrdinalOf(partition);
        offset = Math.Max(offset, _retention.StartOf(ordinal));
        long end = _state.Numbers.EndOf(ordinal);
        if (offset >= end)
        {
            return;
        }

        await PoolThread.Switch(); // a disk must not keep a thread that polls sockets
        await _reading.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            Read(ordinal, partition, offset, end, take, cancellationToken);
        }
        finally
        {
            _reading.Release();
        }
    }

    private void Read(int ordinal, TopicPartition partition, long offset, long end, Func<LogMessage, bool> take, CancellationToken cancellationToken)
    {
        long position = PositionOf(ordinal, offset);
        while (offset < end)
        {
            try
            {
                using var reading = new LogReading(Journal, position);
                List<LogMessage> found = [];
                while (offset < end && reading.TryReadBlock(
                    run => run.Ordinal == ordinal && run.First + run.Count > offset ? partition : null, found))
                {
                    cancellationToken.ThrowIfCancellationRequested();
                    foreach (LogMessage message in found)
                    {
                        if (message.At.Offset >= offset)
                        {
                            offset = message.At.Offset + 1;
                            if (!take(message))
                            {
                                return;
                            }
                        }
                    }

                    found.Clear();
                    position = reading.Position;
                    if (PositionOf(ordinal, offset) is var next && next > position)
                    {
                        reading.Seek(next); // nothing of the partition lies between
                        position = next;
                    }
                }

                return;
            }
            catch (JournalDeletedException error)
            {
                position = error.Start; // its retention was over just now
            }
            catch (Exception error) when (error is IOException or UnauthorizedAccessException)
            {
                throw WhyUnread(error);
            }
        }
    }
}
