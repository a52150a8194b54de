// What a start makes of the log's folder: the journal, its index, and where each partition goes on.
using System.Diagnostics;
using Estat.Base.Journal;
using Estat.Topics.Log;
using Estat.Topics.Messages;
using Estat.Topics.Options;

namespace Estat.Topics.Embedded;

/// <summary>The journal with what is known of its content. Read from the index's last point on, or from where the oldest idempotency key may
/// be.</summary>
internal sealed partial class LogState : IAsyncDisposable
{
    private const long BytesUnsaved = 64 << 20;

    // A first start that was broken off leaves no more than marks.
    private const long LongestBeginning = 64 * 1024;

    private readonly LogFolder _folder;
    private readonly string _id;
    private long _saved = -1;

    private LogState(LogFolder folder, string id, SegmentedJournal journal, LogIndex index, LogNumbers numbers)
    {
        _folder = folder;
        _id = id;
        Journal = journal;
        Index = index;
        Numbers = numbers;
        journal.Completion.ContinueWith(
            _ => numbers.End(), CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
    }

    /// <summary>The journal.</summary>
    internal SegmentedJournal Journal { get; }

    /// <summary>Where to look in it.</summary>
    internal LogIndex Index { get; }

    /// <summary>Where each partition goes on.</summary>
    internal LogNumbers Numbers { get; }

    /// <summary>Bytes of a segment: a small log has small ones, as a segment goes as a whole.</summary>
    internal static long SegmentBytesOf(TopicsOptions options) => Math.Min(options.SegmentBytes, options.MaxSizeBytes / 4);

    /// <summary>Opens it.</summary>
    /// <param name="options">Checked options.</param>
    /// <param name="folder">The files.</param>
    /// <param name="file">What <c>topics.json</c> says; gets a new id when the journal is gone.</param>
    /// <param name="keys">Gets the idempotency keys.</param>
    /// <param name="time">The clock.</param>
    /// <param name="logger">Where long readings and losses are told.</param>
    /// <exception cref="IOException">The folder cannot be used, or what is in it is damaged.</exception>
    internal static LogState Open(
        TopicsOptions options, LogFolder folder, ref TopicFile file, IdempotencyKeys keys, TimeProvider time, ILogger logger)
    {
        // Its numbers are stamped only by appends, and nothing is appended before this has ended.
        var stamps = new DeferredStamps();
        var journal = new SegmentedJournal(folder.Files, SegmentBytesOf(options), options.QueueBytes, stamps);
        try
        {
            file = Check(folder, file, journal, logger);
            LogState state = Read(options, folder, file, journal, keys, time, logger);
            stamps.Numbers = state.Numbers;
            return state;
        }
        catch
        {
            journal.DisposeAsync().AsTask().GetAwaiter().GetResult();
            throw;
        }
    }

    /// <summary>Saves the index when enough is new in it.</summary>
    /// <exception cref="IOException">The disk refuses.</exception>
    internal void SaveIndex(bool always)
    {
        if (Index.LastPosition is { } last && last != _saved && (always || _saved < 0 || last - _saved >= BytesUnsaved))
        {
            _folder.WriteIndex(Index, _id);
            _saved = last;
        }
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await Journal.DisposeAsync().ConfigureAwait(false);
        try
        {
            SaveIndex(always: true);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            // The next start reads more of the journal instead.
        }
    }

    private static TopicFile Check(LogFolder folder, TopicFile file, SegmentedJournal journal, ILogger logger)
    {
        if (journal.End == 0 && file.IsBegun)
        {
            LogGone(logger, folder.Description);
            file = file with { Id = Guid.NewGuid().ToString(), IsBegun = false, Trim = TrimMark.None };
            folder.WriteTopics(file);
            return file;
        }

        if (!file.IsBegun)
        {
            return journal.End == 0 || HasOnlyMarks(journal) ? file
                : throw new IOException($"TOPICS_DIR ({folder.Description}) holds messages, and its topics.json does not know of them. Put "
                    + "topics.json back from a backup; without it the messages cannot be read.");
        }

        return journal.Start > file.Trim.Position
                ? throw new JournalDamagedException(file.Trim.Position, $"the segments in {folder.Description} up to {journal.Start} are missing")
            : journal.End < file.Trim.Position
                ? throw new JournalDamagedException(
                    journal.End,
                    $"the journal in {folder.Description} ends here, and topics.json knows of messages up to {file.Trim.Position}: segments "
                        + "are missing, or topics.json is newer than they are")
            : file;
    }

    private static bool HasOnlyMarks(SegmentedJournal journal)
    {
        using JournalCursor cursor = journal.Read(journal.Start);
        while (cursor.Position < LongestBeginning && cursor.TryRead(out JournalBlock block))
        {
            if (block.Records().Any(record => ProductionLayout.ReadHead(record, block.Position).Runs.Length > 0))
            {
                return false;
            }
        }

        return cursor.Position == journal.End;
    }

    private static LogState Read(
        TopicsOptions options, LogFolder folder, TopicFile file, SegmentedJournal journal, IdempotencyKeys keys, TimeProvider time, ILogger logger)
    {
        var table = new TopicTable(file.Topics);
        LogIndex? saved = folder.ReadIndex(file.Id);
        if (saved?.LastPosition >= journal.End)
        {
            throw new JournalDamagedException(
                journal.End,
                $"the journal in {folder.Description} ends here, and {LogFolder.Index} beside it knows of messages behind it: segments are "
                    + $"missing or shorter than they were. If you have put back an older copy, remove {LogFolder.Index}");
        }

        if (saved?.LastPosition >= file.Trim.Position && saved.Partitions <= table.Count)
        {
            try
            {
                var known = new LogState(folder, file.Id, journal, saved, new LogNumbers(saved, time)) { _saved = saved.LastPosition!.Value };
                known.Read(table, file.Trim, keys, options.Dedup, time, logger);
                return known;
            }
            catch (JournalDamagedException)
            {
                // It is the index that is wrong, or the journal says the same when all of it is read.
            }
        }

        var index = new LogIndex();
        var state = new LogState(folder, file.Id, journal, index, new LogNumbers(index, time));
        state.Read(table, file.Trim, keys, options.Dedup, time, logger);
        return state;
    }

    private void Read(TopicTable table, TrimMark trim, IdempotencyKeys keys, TimeSpan dedup, TimeProvider time, ILogger logger)
    {
        Index.Trim(trim.Position);
        long known = Index.LastPosition ?? trim.Position;
        Numbers.Resume(Index.LastPosition is null ? trim.Offsets : Index.OffsetsAt(known, table.Count));
        DateTimeOffset now = time.GetUtcNow();
        long oldestKey = Math.Max(trim.Position, Index.FirstKeysSince((now - dedup).ToUnixTimeMilliseconds()) ?? known);
        using JournalCursor cursor = Journal.Read(Math.Min(known, oldestKey));
        long began = Stopwatch.GetTimestamp();
        while (cursor.TryRead(out JournalBlock block))
        {
            bool isFirst = true;
            foreach (ReadOnlyMemory<byte> record in block.Records())
            {
                ProductionHead head = ProductionLayout.ReadHead(record, block.Position);
                if (block.Position >= known)
                {
                    Numbers.Resume(block.Position, isFirst, head, table.Count);
                }

                if (head.Idempotency is { } idempotency)
                {
                    keys.Resume(
                        idempotency, PositionsOf(record, head, table, block.Position), now - DateTimeOffset.FromUnixTimeMilliseconds(head.Time));
                }

                isFirst = false;
            }

            if (Stopwatch.GetElapsedTime(began) > TimeSpan.FromSeconds(5))
            {
                began = Stopwatch.GetTimestamp();
                LogReads(logger, _folder.Description, cursor.Position >> 20, Journal.End >> 20);
            }
        }

        Numbers.EndResume();
    }

    private static Produced PositionsOf(ReadOnlyMemory<byte> record, ProductionHead head, TopicTable table, long position)
    {
        int[] runOf = new int[head.Runs.Sum(run => run.Count)];
        int at = head.MessagesAt;
        for (int index = 0; index < runOf.Length; index++)
        {
            runOf[index] = ProductionLayout.ReadMessage(record, ref at, head.Runs.Length, position).Run;
        }

        TopicPartition[] partitions = [.. head.Runs.Select(run => table[run.Ordinal])];
        return new Produced(
            ProduceOutcome.Taken,
            new RunPositions(
                partitions[0].Topic, [.. partitions.Select(partition => partition.Partition)], [.. head.Runs.Select(run => run.First)], runOf));
    }

    [LoggerMessage(Level = LogLevel.Critical,
        Message = "All messages of TOPICS_DIR ({Folder}) are gone: topics.json is there, and the journal beside it is empty. The log begins anew "
            + "with another id; the sink stops until the operator adopts it")]
    private static partial void LogGone(ILogger logger, string folder);

    [LoggerMessage(Level = LogLevel.Information, Message = "Reading the log in {Folder}: at {Position} of {End} MiB")]
    private static partial void LogReads(ILogger logger, string folder, long position, long end);

    // The journal wants its stamps before it can be read, and the numbers come from reading it.
    private sealed class DeferredStamps : IJournalStamps
    {
        internal IJournalStamps? Numbers { get; set; }

        public void Begin() => Numbers!.Begin();

        public void Stamp(object? owner, Span<byte> record) => Numbers!.Stamp(owner, record);

        public void Commit(long position) => Numbers!.Commit(position);

        public void Undo() => Numbers!.Undo();
    }
}
