// Between the thread that consumes and the sink that reads.
using Estat.Topics.Log;
using Estat.Topics.Messages;

namespace Estat.Topics.Kafka.Feeding;

/// <summary>
/// Holds what was read and not given away yet, and which partitions came and went. Bounded by bytes. After a partition went, nothing of it is given;
/// before it was sought, neither. Any thread; changes of partitions and messages come from the consuming one.
/// </summary>
/// <param name="mostBytes">Bytes of messages above which the consumer waits.</param>
/// <param name="mostMessages">Messages above which the consumer waits.</param>
internal sealed class HandOver(long mostBytes, int mostMessages)
{
    private readonly object _gate = new();
    private readonly HashSet<TopicPartition> _known = []; // the reader has heard of them
    private readonly HashSet<TopicPartition> _came = [];
    private readonly HashSet<TopicPartition> _went = [];
    private readonly Dictionary<TopicPartition, long> _wanted = []; // of partitions that were sought, the next offset
    private readonly Dictionary<TopicPartition, long> _seeks = []; // that the consumer has not made yet
    private readonly Dictionary<TopicPartition, long> _marks = [];
    private Queue<LogMessage> _read = new();
    private long _bytes;
    private bool _isHeld; // the reader heard what went, and may still be at work on it
    private Exception? _failure;
    private TaskCompletionSource _news = NewSignal();

    /// <summary>Whether seeks or marks wait for the consumer.</summary>
    internal bool HasWork
    {
        get
        {
            lock (_gate)
            {
                return _seeks.Count + _marks.Count > 0;
            }
        }
    }

    /// <summary>Whether there is room for more messages.</summary>
    internal bool HasRoom
    {
        get
        {
            lock (_gate)
            {
                return IsRoomy();
            }
        }
    }

    /// <summary>Seeks that wait.</summary>
    internal IReadOnlyList<(TopicPartition Partition, long Offset)> Seeks
    {
        get
        {
            lock (_gate)
            {
                return [.. _seeks.Select(seek => (seek.Key, seek.Value))];
            }
        }
    }

    /// <summary>Where a partition is read on; null: nowhere.</summary>
    internal long? WantedOf(TopicPartition partition)
    {
        lock (_gate)
        {
            return _wanted.TryGetValue(partition, out long offset) ? offset : null;
        }
    }

    /// <summary>The reader says where a partition goes on.</summary>
    internal void Seek(TopicPartition partition, long offset)
    {
        lock (_gate)
        {
            if (_known.Contains(partition) && !_went.Contains(partition))
            {
                Drop(partition);
                _wanted[partition] = offset;
                _seeks[partition] = offset;
            }
        }
    }

    /// <summary>The consumer has made a seek.</summary>
    internal void OnSought(TopicPartition partition, long offset)
    {
        lock (_gate)
        {
            if (_seeks.TryGetValue(partition, out long wanted) && wanted == offset)
            {
                _seeks.Remove(partition);
            }
        }
    }

    /// <summary>The reader has stored messages.</summary>
    internal void Mark(TopicPartition partition, long nextOffset)
    {
        lock (_gate)
        {
            _marks[partition] = nextOffset;
        }
    }

    /// <summary>Takes the marks.</summary>
    internal IReadOnlyList<(TopicPartition Partition, long Offset)> TakeMarks()
    {
        lock (_gate)
        {
            (TopicPartition, long)[] marks = [.. _marks.Select(mark => (mark.Key, mark.Value))];
            _marks.Clear();
            return marks;
        }
    }

    /// <summary>A message came.</summary>
    internal void Add(LogMessage message)
    {
        lock (_gate)
        {
            TopicPartition partition = message.At.Of;
            if (_seeks.ContainsKey(partition) || !_wanted.TryGetValue(partition, out long next) || message.At.Offset < next)
            {
                return;
            }

            _wanted[partition] = message.At.Offset + 1;
            _read.Enqueue(message);
            _bytes += message.Weight;
            if (_read.Count == 1)
            {
                Signal();
            }
        }
    }

    /// <summary>Partitions came.</summary>
    internal void OnAssigned(IEnumerable<TopicPartition> partitions)
    {
        lock (_gate)
        {
            _came.UnionWith(partitions);
            Signal();
        }
    }

    /// <summary>Partitions went: what was read of them is dropped.</summary>
    /// <returns>Whether the reader knew of them, and must let go.</returns>
    internal bool OnRevoked(IReadOnlyCollection<TopicPartition> partitions)
    {
        lock (_gate)
        {
            foreach (TopicPartition partition in partitions)
            {
                Drop(partition);
                _wanted.Remove(partition);
                _seeks.Remove(partition);
                _came.Remove(partition);
                if (_known.Contains(partition))
                {
                    _went.Add(partition);
                }
            }

            Signal();
            return _went.Count > 0;
        }
    }

    /// <summary>Waits until the reader has let go of what went: it asks for more then.</summary>
    /// <param name="most">How long.</param>
    /// <param name="isOver">Whether nobody reads any more.</param>
    internal void WaitUntilLetGo(TimeSpan most, Func<bool> isOver)
    {
        long until = Environment.TickCount64 + (long)most.TotalMilliseconds;
        lock (_gate)
        {
            while ((_went.Count > 0 || _isHeld) && !isOver() && until - Environment.TickCount64 is var left and > 0)
            {
                Monitor.Wait(_gate, (int)Math.Min(left, 100));
            }
        }
    }

    /// <summary>Waits for room.</summary>
    /// <param name="most">How long.</param>
    /// <param name="isOver">Whether nobody reads any more.</param>
    internal void WaitForRoom(TimeSpan most, Func<bool> isOver)
    {
        long until = Environment.TickCount64 + (long)most.TotalMilliseconds;
        lock (_gate)
        {
            // The reader wakes this thread before it takes anything, too.
            while (!IsRoomy() && !isOver() && until - Environment.TickCount64 is var left and > 0)
            {
                Monitor.Wait(_gate, (int)left);
            }
        }
    }

    /// <summary>Nothing more will come.</summary>
    internal void Fail(Exception failure)
    {
        lock (_gate)
        {
            _failure ??= failure;
            Signal();
        }
    }

    /// <summary>Ends every wait.</summary>
    internal void Wake()
    {
        lock (_gate)
        {
            Monitor.PulseAll(_gate);
        }
    }

    /// <summary>The reader's reading.</summary>
    /// <param name="most">At least 1 message.</param>
    /// <param name="bytes">Bytes after which it ends.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    internal async ValueTask<FeedReading> ReadAsync(int most, int bytes, CancellationToken cancellationToken)
    {
        lock (_gate)
        {
            _isHeld = false;
            Monitor.PulseAll(_gate);
        }

        while (true)
        {
            Task news;
            lock (_gate)
            {
                cancellationToken.ThrowIfCancellationRequested();
                if (_failure is { } failure)
                {
                    throw new TopicLogException($"Kafka cannot be read: {failure.Message}", failure);
                }

                if (_came.Count + _went.Count > 0)
                {
                    return TakeChange();
                }

                if (_read.Count > 0)
                {
                    List<LogMessage> messages = Take(most, bytes);
                    Monitor.PulseAll(_gate);
                    return new FeedReading(messages, [], []);
                }

                news = _news.Task;
            }

            await news.WaitAsync(cancellationToken).ConfigureAwait(false);
        }
    }

    private static TaskCompletionSource NewSignal() => new(TaskCreationOptions.RunContinuationsAsynchronously);

    private bool IsRoomy() => _bytes < mostBytes && _read.Count < mostMessages;

    private FeedReading TakeChange()
    {
        TopicPartition[] came = [.. _came];
        TopicPartition[] went = [.. _went];
        _known.ExceptWith(went);
        _known.UnionWith(came);
        _came.Clear();
        _went.Clear();
        _isHeld = went.Length > 0;
        return new FeedReading([], came, went);
    }

    private List<LogMessage> Take(int most, int mostBytesTaken)
    {
        var taken = new List<LogMessage>(Math.Min(most, _read.Count));
        long bytes = 0;
        while (taken.Count < most && _read.TryPeek(out LogMessage next))
        {
            int weight = next.Weight;
            if (taken.Count > 0 && bytes + weight > mostBytesTaken)
            {
                break;
            }

            taken.Add(_read.Dequeue());
            bytes += weight;
        }

        _bytes -= bytes;
        return taken;
    }

    private void Drop(TopicPartition partition)
    {
        if (_read.Any(message => message.At.Of == partition))
        {
            _read = new Queue<LogMessage>(_read.Where(message => message.At.Of != partition));
            _bytes = _read.Sum(message => (long)message.Weight);
        }
    }

    private void Signal()
    {
        TaskCompletionSource news = _news;
        _news = NewSignal();
        news.TrySetResult();
    }
}
