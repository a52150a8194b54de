// Reads a feed as the sink does.
using Estat.Topics.Log;

namespace Estat.Topics.Tests.Log;

/// <summary>Seeks what comes, keeps what is read, and throws when a partition's offsets do not rise or it is not its own.</summary>
internal sealed class FeedPump(ILogFeed feed, Func<TopicPartition, long?>? from = null)
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);

    internal HashSet<TopicPartition> Own { get; } = [];

    internal List<LogMessage> Read { get; } = [];

    internal Dictionary<TopicPartition, long> Next { get; } = [];

    internal async Task StepAsync(CancellationToken cancellationToken)
    {
        FeedReading reading = await feed.ReadAsync(100, 1 << 20, cancellationToken);
        Assert.True(reading.Messages.Count == 0 || reading.Assigned.Count + reading.Revoked.Count == 0);
        foreach (TopicPartition partition in reading.Revoked)
        {
            Assert.True(Own.Remove(partition), $"{partition} went, and was not there");
        }

        foreach (TopicPartition partition in reading.Assigned)
        {
            Assert.True(Own.Add(partition), $"{partition} came, and was there");
            if ((from is null ? 0 : from(partition)) is { } offset)
            {
                Seek(partition, offset);
            }
        }

        foreach (LogMessage message in reading.Messages)
        {
            Assert.True(Next.TryGetValue(message.At.Of, out long next), $"{message.At} was given, and nobody sought it");
            Assert.True(Own.Contains(message.At.Of) && message.At.Offset >= next, $"{message.At} was given, and {next} was wanted");
            Next[message.At.Of] = message.At.Offset + 1;
            Read.Add(message);
        }
    }

    internal void Seek(TopicPartition partition, long offset)
    {
        Next[partition] = offset;
        feed.Seek(partition, offset);
    }

    internal async Task UntilAsync(Func<bool> condition, string what)
    {
        using var over = new CancellationTokenSource(Limit);
        while (!condition())
        {
            try
            {
                await StepAsync(over.Token);
            }
            catch (OperationCanceledException)
            {
                throw new TimeoutException($"waited {Limit} for {what}; {Read.Count} read, own: {string.Join(' ', Own)}");
            }
        }
    }

    /// <summary>Reads for a while.</summary>
    internal async Task ForAsync(TimeSpan time)
    {
        using var over = new CancellationTokenSource(time);
        try
        {
            while (true)
            {
                await StepAsync(over.Token);
            }
        }
        catch (OperationCanceledException)
        {
        }
    }
}
