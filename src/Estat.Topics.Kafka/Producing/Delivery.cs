// What becomes of the messages of one production.
using Confluent.Kafka;
using Estat.Topics.Log;
using Estat.Topics.Messages;

namespace Estat.Topics.Kafka.Producing;

/// <summary>Its reports come on the producer's thread, one for each message that was sent.</summary>
/// <param name="count">Messages.</param>
internal sealed class Delivery(int count)
{
    private readonly Lock _lock = new();
    private readonly MessagePosition?[] _positions = new MessagePosition?[count];
    private readonly TaskCompletionSource<Produced> _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _left = count;
    private int _there;
    private int _unknown;
    private string? _error;

    /// <summary>Ends with what became of them.</summary>
    internal Task<Produced> Ended => _ended.Task;

    /// <summary>The report of a message.</summary>
    /// <param name="index">Which of the production.</param>
    /// <param name="report">What became of it.</param>
    internal void OnReport(int index, DeliveryReport<byte[], byte[]> report)
    {
        lock (_lock)
        {
            if (!report.Error.IsError)
            {
                _positions[index] = new MessagePosition(report.Topic, report.Partition.Value, report.Offset.Value);
                _there++;
            }
            else
            {
                _error ??= report.Error.Reason;
                _unknown += report.Status == PersistenceStatus.NotPersisted ? 0 : 1;
            }

            EndOf(1);
        }
    }

    /// <summary>The last messages were not sent.</summary>
    /// <param name="messages">How many.</param>
    /// <param name="error">Why.</param>
    internal void OnUnsent(int messages, string error)
    {
        lock (_lock)
        {
            _error ??= error;
            EndOf(messages);
        }
    }

    /// <summary>No more reports will come.</summary>
    /// <param name="error">Why.</param>
    internal void OnAbandoned(string error)
    {
        lock (_lock)
        {
            if (_left > 0)
            {
                _error ??= error;
                _unknown += _left;
                EndOf(_left);
            }
        }
    }

    private void EndOf(int messages)
    {
        _left -= messages;
        if (_left == 0)
        {
            _ended.TrySetResult(
                _there == _positions.Length ? new Produced(ProduceOutcome.Taken, _positions)
                : _there + _unknown == 0 ? new Produced(ProduceOutcome.Failed, [], _error)
                : new Produced(ProduceOutcome.Perhaps, _positions, _error));
        }
    }
}
