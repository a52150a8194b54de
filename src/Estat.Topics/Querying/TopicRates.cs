// How many messages a second come into each topic: the log's ends, looked at every few seconds.
using Estat.Topics.Log;

namespace Estat.Topics.Querying;

/// <summary>Remembers the ends of the last minute. Any thread.</summary>
internal sealed class TopicRates : IDisposable
{
    private static readonly TimeSpan Pace = TimeSpan.FromSeconds(5);
    private const int Kept = 13; // a minute

    private readonly ITopicLog _log;
    private readonly TimeProvider _time;
    private readonly Lock _gate = new();
    private readonly Queue<Look> _looks = new();
    private readonly ITimer _timer;

    /// <param name="log">The log.</param>
    /// <param name="time">Clock and timers.</param>
    internal TopicRates(ITopicLog log, TimeProvider time)
    {
        _log = log;
        _time = time;
        _timer = time.CreateTimer(_ => Take(), null, TimeSpan.Zero, Pace);
    }

    /// <summary>Messages a second over the last minute, or since the start; null while nobody can tell.</summary>
    /// <param name="topic">The topic as it is now.</param>
    internal double? RateOf(LogTopic topic)
    {
        lock (_gate)
        {
            Look? first = _looks.FirstOrDefault(look => look.Ends.ContainsKey(topic.Name));
            return first is null || _time.GetElapsedTime(first.At) is not { TotalSeconds: >= 1 } elapsed ? null
                : Math.Max(0, EndOf(topic) - first.Ends[topic.Name]) / elapsed.TotalSeconds;
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _timer.Dispose();

    private static long EndOf(LogTopic topic) => topic.Partitions.Sum(partition => partition.End);

    private void Take()
    {
        var look = new Look(_time.GetTimestamp(), _log.Topics.ToDictionary(topic => topic.Name, EndOf, StringComparer.Ordinal));
        lock (_gate)
        {
            _looks.Enqueue(look);
            if (_looks.Count > Kept)
            {
                _looks.Dequeue();
            }
        }
    }

    private sealed record Look(long At, Dictionary<string, long> Ends);
}
