// The sink's reading side: while one batch is being stored, the next one is read and checked.
using Estat.Topics.Log;
using Estat.Topics.Messages;
using Estat.Topics.Options;

namespace Estat.Topics.Sink;

/// <summary>What was read: messages in a batch, or a change of partitions.</summary>
/// <param name="Batch">To be given back with <see cref="SinkReader.Return"/>.</param>
/// <param name="Assigned">Partitions that came.</param>
/// <param name="Revoked">Partitions that went.</param>
/// <param name="IsLarge">Whether it took half of what a batch may have, or more: more is likely to wait behind it.</param>
internal sealed record SinkReading(
    SinkBatch Batch, IReadOnlyList<TopicPartition> Assigned, IReadOnlyList<TopicPartition> Revoked, bool IsLarge = false);

/// <summary>One reading is under way at the most. Used by the sink's loop only; the reading itself runs beside it.</summary>
/// <param name="feed">The log's.</param>
/// <param name="options">How large batches are.</param>
internal sealed class SinkReader(ILogFeed feed, TopicsOptions options) : IAsyncDisposable
{
    private readonly Dictionary<TopicPartition, long> _positions = [];
    private readonly Stack<SinkBatch> _free = new([new SinkBatch(options.BatchBytes), new SinkBatch(options.BatchBytes)]);
    private CancellationTokenSource _abandoned = new();
    private Task<SinkReading>? _reading;

    /// <summary>The reading that is under way; begins one when there is none. It ends with what is there, however little.</summary>
    internal Task<SinkReading> Reading => _reading ??= Begin();

    /// <summary>Takes the reading that has ended; another one may begin.</summary>
    internal async Task<SinkReading> TakeAsync()
    {
        Task<SinkReading> reading = Reading;
        _reading = null;
        return await reading.ConfigureAwait(false);
    }

    /// <summary>Gives a batch back.</summary>
    /// <param name="batch">From a reading that was taken.</param>
    internal void Return(SinkBatch batch)
    {
        batch.Clear();
        _free.Push(batch);
    }

    /// <summary>Ends the reading that is under way, if there is one, and forgets its messages: each partition must be sought again.</summary>
    /// <returns>Partitions that came and went in it.</returns>
    internal async Task<SinkReading?> AbandonAsync()
    {
        if (_reading is not { } reading)
        {
            return null;
        }

        await _abandoned.CancelAsync().ConfigureAwait(false);
        _reading = null;
        _abandoned.Dispose();
        _abandoned = new();
        try
        {
            SinkReading read = await reading.ConfigureAwait(false);
            Return(read.Batch);
            return read;
        }
        catch (Exception)
        {
            // Cancelled; or the next reading meets it again, if it lasts.
            return null;
        }
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await AbandonAsync().ConfigureAwait(false);
        _abandoned.Dispose();
    }

    /// <summary>Says where a partition goes on. No reading may be under way.</summary>
    /// <param name="partition">Which.</param>
    /// <param name="offset">The first offset that is wanted.</param>
    internal void Seek(TopicPartition partition, long offset)
    {
        _positions[partition] = offset;
        feed.Seek(partition, offset);
    }

    /// <summary>Forgets a partition that went.</summary>
    /// <param name="partition">Which.</param>
    internal void Forget(TopicPartition partition) => _positions.Remove(partition);

    private Task<SinkReading> Begin()
    {
        SinkBatch batch = _free.TryPop(out SinkBatch? free) ? free : new SinkBatch(options.BatchBytes);
        CancellationToken abandoned = _abandoned.Token;
        return Task.Run(() => ReadAsync(batch, abandoned), CancellationToken.None);
    }

    private async Task<SinkReading> ReadAsync(SinkBatch batch, CancellationToken abandoned)
    {
        FeedReading reading = await ReadFeedAsync(abandoned).ConfigureAwait(false);
        long bytes = 0;
        foreach (LogMessage message in reading.Messages)
        {
            bytes += message.Weight;
            // Not of a partition that is not sought, nor before the place that was: a feed may have had them in hand.
            if (_positions.TryGetValue(message.At.Of, out long position) && message.At.Offset >= position)
            {
                batch.Add(message, position);
                _positions[message.At.Of] = message.At.Offset + 1;
            }
        }

        return new(
            batch, reading.Assigned, reading.Revoked, reading.Messages.Count >= (options.Batch + 1) / 2 || bytes >= options.BatchBytes / 2);
    }

    // Whatever the feed says, it is the log that cannot be read.
    private async ValueTask<FeedReading> ReadFeedAsync(CancellationToken abandoned)
    {
        try
        {
            return await feed.ReadAsync(options.Batch, options.BatchBytes, abandoned).ConfigureAwait(false);
        }
        catch (Exception error) when (error is not (OperationCanceledException or IOException))
        {
            throw new TopicLogException(error.Message, error);
        }
    }
}
