// What the sink reads of the embedded log: the journal once, in its order.
using Estat.Base.Journal;
using Estat.Topics.Log;
using Estat.Topics.Messages;

namespace Estat.Topics.Embedded;

/// <summary>All partitions are its own. It reads forward with one cursor, and skips of each partition what lies before its place; going back makes it
/// read the journal again from there.</summary>
internal sealed class EmbeddedFeed : ILogFeed
{
    private readonly EmbeddedLog _log;
    private readonly LogReading _reading;
    private readonly Dictionary<int, long> _wanted = []; // by ordinal, the next offset to give away
    private readonly Queue<LogMessage> _read = new(); // of one block
    private readonly List<LogMessage> _found = [];
    private readonly HashSet<TopicPartition> _assigned = [];
    private TopicTable? _seen;
    private long _block; // where the one begins that was read last

    internal EmbeddedFeed(EmbeddedLog log)
    {
        _log = log;
        _reading = new LogReading(log.Journal, log.Journal.End);
    }

    /// <inheritdoc/>
    public void Seek(TopicPartition partition, long offset)
    {
        int ordinal = _log.Table.OrdinalOf(partition)
            ?? throw new ArgumentException($"There is no partition {partition}.", nameof(partition));
        _wanted[ordinal] = offset;
        _log.OnStored(partition, offset); // what lies before it is stored; after a reset, what lies behind it is wanted once more
        long position = _log.PositionOf(ordinal, offset);
        // What was read and not given away is read again, too.
        long unread = _read.Count > 0 ? _block : _reading.Position;
        _read.Clear();
        _reading.Seek(Math.Min(position, unread));
    }

    /// <inheritdoc/>
    public async ValueTask<FeedReading> ReadAsync(int mostMessages, int mostBytes, CancellationToken cancellationToken)
    {
        while (true)
        {
            if (!ReferenceEquals(_seen, _log.Table))
            {
                _seen = _log.Table;
                TopicPartition[] added = [.. AllOf(_seen).Where(_assigned.Add)];
                if (added.Length > 0)
                {
                    return new FeedReading([], added, []);
                }
            }

            List<LogMessage> messages = Take(mostMessages, mostBytes, cancellationToken);
            if (messages.Count > 0)
            {
                return new FeedReading(messages, [], []);
            }

            await _log.WaitForChangeAsync(_reading.Position, _seen, cancellationToken).ConfigureAwait(false);
        }
    }

    /// <inheritdoc/>
    public void OnStored(TopicPartition partition, long nextOffset) => _log.OnStored(partition, nextOffset);

    /// <inheritdoc/>
    public ValueTask DisposeAsync()
    {
        _reading.Dispose();
        return ValueTask.CompletedTask;
    }

    private static IEnumerable<TopicPartition> AllOf(TopicTable table) =>
        table.Topics.SelectMany(topic => Enumerable.Range(0, topic.Ordinals.Count).Select(number => new TopicPartition(topic.Name, number)));

    private List<LogMessage> Take(int mostMessages, int mostBytes, CancellationToken cancellationToken)
    {
        var taken = new List<LogMessage>();
        long bytes = 0;
        while (taken.Count < mostMessages && (taken.Count == 0 || bytes < mostBytes))
        {
            if (!_read.TryPeek(out LogMessage next))
            {
                if (taken.Count == 0)
                {
                    cancellationToken.ThrowIfCancellationRequested(); // what was taken is given, or it would be passed over
                }

                if (!TryReadBlock())
                {
                    break;
                }

                continue;
            }

            bytes += next.Weight;
            if (taken.Count > 0 && bytes > mostBytes)
            {
                break;
            }

            _read.Dequeue();
            _wanted[_log.Table.OrdinalOf(next.At.Of)!.Value] = next.At.Offset + 1;
            taken.Add(next);
        }

        return taken;
    }

    private bool TryReadBlock()
    {
        TopicTable table = _log.Table;
        _block = _reading.Position;
        try
        {
            if (!_reading.TryReadBlock(run => IsWanted(run) ? table[run.Ordinal] : null, _found))
            {
                return false;
            }
        }
        catch (JournalDeletedException error)
        {
            _reading.Seek(error.Start); // what was deleted is stored, or was given up
            return true;
        }
        catch (IOException error)
        {
            throw _log.WhyUnread(error);
        }

        foreach (LogMessage message in _found)
        {
            if (message.At.Offset >= _wanted[table.OrdinalOf(message.At.Of)!.Value])
            {
                _read.Enqueue(message);
            }
        }

        _found.Clear();
        return true;
    }

    private bool IsWanted(ProductionRun run) => _wanted.TryGetValue(run.Ordinal, out long offset) && run.First + run.Count > offset;
}
