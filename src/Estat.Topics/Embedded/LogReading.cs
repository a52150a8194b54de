// Reads messages of one partition out of the journal.
using Estat.Base.Journal;
using Estat.Topics.Messages;

namespace Estat.Topics.Embedded;

/// <summary>A reading from one position on. One user.</summary>
/// <param name="journal">The log's journal.</param>
/// <param name="position">Where a block begins.</param>
internal sealed class LogReading(SegmentedJournal journal, long position) : IDisposable
{
    private readonly JournalCursor _cursor = journal.Read(position);
    private ReadOnlyMemory<byte> _lastHeaderBytes;
    private IReadOnlyList<MessageHeader> _lastHeaders = [];

    /// <summary>Where the next block begins.</summary>
    internal long Position => _cursor.Position;

    /// <summary>Goes elsewhere.</summary>
    internal void Seek(long position) => _cursor.Seek(position);

    /// <summary>Reads a block.</summary>
    /// <param name="partitionOf">Names the partition of an ordinal; null: it is not wanted.</param>
    /// <param name="into">Gets the messages that are wanted, in the journal's order. They own their bytes.</param>
    /// <returns>False at the end.</returns>
    /// <exception cref="IOException">As <see cref="JournalCursor.TryRead"/>.</exception>
    internal bool TryReadBlock(Func<ProductionRun, TopicPartition?> partitionOf, ICollection<LogMessage> into)
    {
        if (!_cursor.TryRead(out JournalBlock block))
        {
            return false;
        }

        foreach (ReadOnlyMemory<byte> shared in block.Records())
        {
            ProductionHead head = ProductionLayout.ReadHead(shared, block.Position);
            var partitions = new TopicPartition?[head.Runs.Length];
            int wanted = 0;
            for (int run = 0; run < partitions.Length; run++)
            {
                partitions[run] = partitionOf(head.Runs[run]);
                wanted += partitions[run] is null ? 0 : 1;
            }

            // Of a record that is wanted in part, one small message must not hold the rest in memory.
            if (wanted > 0)
            {
                bool isWhole = wanted == partitions.Length;
                Take(isWhole ? shared.ToArray() : shared, isWhole, head, partitions, block.Position, into);
            }
        }

        return true;
    }

    /// <inheritdoc/>
    public void Dispose() => _cursor.Dispose();

    private void Take(
        ReadOnlyMemory<byte> record, bool isOwned, ProductionHead head, TopicPartition?[] partitions, long position, ICollection<LogMessage> into)
    {
        Span<int> taken = partitions.Length <= 64 ? stackalloc int[partitions.Length] : new int[partitions.Length];
        int at = head.MessagesAt;
        int count = 0;
        foreach (ProductionRun run in head.Runs)
        {
            count += run.Count;
        }

        for (; count > 0; count--)
        {
            ProductionMessage message = ProductionLayout.ReadMessage(record, ref at, partitions.Length, position);
            long offset = head.Runs[message.Run].First + taken[message.Run]++;
            if (partitions[message.Run] is { } partition)
            {
                into.Add(new LogMessage(
                    new MessagePosition(partition.Topic, partition.Partition, offset), head.Time, Own(message.Key, isOwned),
                    HeadersOf(message.Headers, isOwned), Own(message.Value, isOwned)));
            }
        }
    }

    private static ReadOnlyMemory<byte>? Own(ReadOnlyMemory<byte>? bytes, bool isOwned) =>
        isOwned || bytes is not { } shared ? bytes : shared.ToArray();

    // Most messages of a producer have the same headers.
    private IReadOnlyList<MessageHeader> HeadersOf(ReadOnlyMemory<byte> bytes, bool isOwned)
    {
        if (!_lastHeaderBytes.Span.SequenceEqual(bytes.Span))
        {
            _lastHeaderBytes = isOwned ? bytes : bytes.ToArray();
            _lastHeaders = ProductionLayout.ReadHeaders(_lastHeaderBytes);
        }

        return _lastHeaders;
    }
}
