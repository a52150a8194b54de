// The journal on a real disk.
using System.Globalization;
using System.Text;
using Estat.Base.Journal;

namespace Estat.Base.Tests.Journal;

public sealed class SegmentedJournalTests : IDisposable
{
    private const int SegmentBytes = 4_000;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Records_are_read_at_their_positions_over_segments_and_starts()
    {
        List<(JournalPosition Position, string Record)> appended = [];
        for (int start = 0; start < 3; start++)
        {
            await using SegmentedJournal journal = Open();
            for (int i = 0; i < 20; i++)
            {
                string record = string.Create(CultureInfo.InvariantCulture, $"{start}/{i} {new string('x', 300)}");
                appended.Add((await AppendAsync(journal, record), record));
            }
        }

        Assert.True(Segments().Length > 3);
        await using SegmentedJournal again = Open();
        Assert.Equal(appended, ReadAll(again, again.Start));
        Assert.Equal(appended[40..], ReadAll(again, appended[40].Position.Block));
        Assert.Equal(appended.Select(each => each.Position).Order(Comparer<JournalPosition>.Create(
            (a, b) => (a.Block, a.Index).CompareTo((b.Block, b.Index)))), appended.Select(each => each.Position));
    }

    [Fact]
    public async Task Appends_at_once_share_a_block_and_an_empty_and_a_large_record_are_records_too()
    {
        await using SegmentedJournal journal = Open();
        string[] records = [.. Enumerable.Range(0, 500).Select(i => new string('r', i)), "", new string('l', 3 << 20), "last"];
        JournalPosition[] positions = await Task.WhenAll(records.Select(record => AppendAsync(journal, record)));
        Assert.Equal(positions.Zip(records), ReadAll(journal, journal.Start));
        Assert.True(positions.Select(position => position.Block).Distinct().Count() < records.Length);
    }

    [Fact]
    public async Task Stamps_are_told_of_each_record_in_its_order_and_of_blocks_that_failed()
    {
        var files = new HeldFiles(new DiskFiles(_folder.Path));
        var stamps = new Numbering();
        await using var journal = new SegmentedJournal(files, SegmentBytes, long.MaxValue, stamps);
        await AppendStampedAsync("a");
        files.SyncFails = true;
        Assert.False((await Assert.ThrowsAsync<JournalFailedException>(() => AppendStampedAsync("b"))).IsCertainlyNotThere);
        files.SyncFails = false;
        await AppendStampedAsync("c");
        await Task.WhenAll(Enumerable.Range(0, 50).Select(number => AppendStampedAsync($"{number}")));

        List<(JournalPosition Position, string Record)> read = ReadAll(journal, 0);
        Assert.Equal(Enumerable.Range(0, 52), read.Select(each => int.Parse(each.Record.Split(' ')[0], CultureInfo.InvariantCulture)));
        Assert.Equal((52, 1), (stamps.Committed, stamps.Undone));
        Assert.Equal(read.Select(each => each.Position.Block).Distinct(), stamps.Blocks);
        Assert.All(read.Select(each => each.Record.Split(' ')), words => Assert.Equal(
            words[1], stamps.Owners[int.Parse(words[0], CultureInfo.InvariantCulture)]));

        async Task AppendStampedAsync(string owner)
        {
            Assert.True(journal.TryAppend(Encoding.ASCII.GetBytes($"00 {owner}"), out ValueTask<JournalPosition> appended, owner));
            await appended;
        }
    }

    [Fact]
    public async Task At_the_bound_of_what_waits_nothing_is_taken_and_what_was_taken_becomes_durable()
    {
        var files = new HeldFiles(new DiskFiles(_folder.Path));
        await using var journal = new SegmentedJournal(files, SegmentBytes, mostWaiting: 1_000);
        files.Hang();
        Task<JournalPosition> first = AppendAsync(journal, new string('a', 600));
        await Wait.UntilAsync(() => files.IsSyncing, Patience, "the sync to begin");
        Task<JournalPosition> second = AppendAsync(journal, new string('b', 300));
        Assert.False(journal.TryAppend(new byte[300], out _));
        Assert.False(first.IsCompleted);
        Assert.False(second.IsCompleted);
        Assert.Empty(ReadAll(journal, 0));
        files.GoOn();
        await Task.WhenAll(first, second).WaitAsync(Patience, TestContext.Current.CancellationToken);
        await AppendAsync(journal, new string('c', 300));
        Assert.Equal(["aaa", "bbb", "ccc"], ReadAll(journal, 0).Select(each => each.Record[..3]));
    }

    [Fact]
    public async Task A_reader_waits_for_what_comes()
    {
        await using SegmentedJournal journal = Open();
        Task waiting = journal.WaitBeyondAsync(journal.End, TestContext.Current.CancellationToken);
        Assert.False(waiting.IsCompleted);
        await AppendAsync(journal, "comes");
        await waiting.WaitAsync(Patience, TestContext.Current.CancellationToken);
        using var enough = new CancellationTokenSource();
        Task forever = journal.WaitBeyondAsync(journal.End, enough.Token);
        await enough.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => forever);
    }

    [Fact]
    public async Task Whole_segments_are_deleted_but_never_the_last_and_positions_go_on()
    {
        await using (SegmentedJournal journal = Open())
        {
            JournalPosition[] positions = await FillAsync(journal, 40);
            int before = Segments().Length;
            using JournalCursor reading = journal.Read(0);
            Assert.True(reading.TryRead(out _));

            int deleted = journal.DeleteBefore(positions[20].Block);
            Assert.InRange(deleted, 1, before - 2);
            Assert.Equal(before - deleted, Segments().Length);
            Assert.InRange(journal.Start, 1, positions[20].Block);
            Assert.Equal(20, ReadAll(journal, positions[20].Block).Count);

            // A reader that was there goes on to the segment's end; then it is told.
            JournalDeletedException gone = Assert.Throws<JournalDeletedException>(() =>
            {
                while (reading.TryRead(out _))
                {
                }
            });
            Assert.Equal(journal.Start, gone.Start);
            Assert.True(reading.Position > positions[2].Block);
            journal.DeleteBefore(long.MaxValue);
            Assert.Single(Segments());
        }

        await using SegmentedJournal again = Open();
        long end = again.End;
        Assert.Equal(end, (await AppendAsync(again, "after")).Block);
        Assert.Equal("after", ReadAll(again, end).Single().Record);
    }

    [Fact]
    public async Task A_block_that_is_not_whole_is_cut_off_and_positions_go_on_in_front_of_it()
    {
        JournalPosition[] positions;
        await using (SegmentedJournal journal = Open())
        {
            positions = await FillAsync(journal, 3);
        }

        string segment = Segments()[^1];
        using (FileStream file = File.OpenWrite(segment))
        {
            file.SetLength(file.Length - 10);
        }

        await using SegmentedJournal again = Open();
        Assert.Equal(positions[2].Block, again.End);
        Assert.Equal(positions[2], await AppendAsync(again, "instead"));
        Assert.Equal(["instead"], ReadAll(again, positions[2].Block).Select(each => each.Record));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Damage_of_what_was_durable_is_said_with_its_position(bool inLastSegment)
    {
        JournalPosition[] positions;
        await using (SegmentedJournal journal = Open())
        {
            positions = await FillAsync(journal, 40);
        }

        string segment = inLastSegment ? Segments()[^1] : Segments()[1];
        long start = JournalFormat.StartOf(Path.GetFileName(segment))!.Value;
        JournalPosition damaged = positions.First(position => position.Block >= start);
        Assert.True(positions[^1].Block > damaged.Block);
        using (FileStream file = File.Open(segment, FileMode.Open))
        {
            file.Position = JournalFormat.HeadBytes + 100;
            file.WriteByte((byte)'!');
        }

        if (inLastSegment)
        {
            JournalDamagedException atStart = Assert.Throws<JournalDamagedException>(() => Open());
            Assert.Equal(damaged.Block, atStart.Position);
            return;
        }

        await using SegmentedJournal again = Open();
        JournalDamagedException atReading = Assert.Throws<JournalDamagedException>(() => ReadAll(again, 0));
        Assert.Equal(damaged.Block, atReading.Position);
        JournalPosition behind = positions.First(position => position.Block > damaged.Block);
        Assert.NotEmpty(ReadAll(again, behind.Block));
    }

    [Fact]
    public async Task A_segment_that_is_missing_or_cut_ends_the_start_with_its_position()
    {
        await using (SegmentedJournal journal = Open())
        {
            await FillAsync(journal, 40);
        }

        string[] segments = Segments();
        File.Move(segments[1], segments[1] + ".away");
        JournalDamagedException missing = Assert.Throws<JournalDamagedException>(() => Open());
        Assert.Contains("missing", missing.Message, StringComparison.Ordinal);
        File.Move(segments[1] + ".away", segments[1]);
        await using (Open())
        {
        }

        using (FileStream file = File.OpenWrite(segments[1]))
        {
            file.SetLength(file.Length - 1);
        }

        JournalDamagedException cut = Assert.Throws<JournalDamagedException>(() => Open());
        Assert.Equal(JournalFormat.StartOf(Path.GetFileName(segments[1])), cut.Position);
    }

    [Fact]
    public async Task Names_that_are_no_segments_are_left_alone_and_unfinished_files_are_removed()
    {
        string other = Path.Combine(_folder.Path, "00000000000000ZZ.journal");
        string unfinished = Path.Combine(_folder.Path, ".tmp-0000000000000000");
        File.WriteAllText(other, "other");
        File.WriteAllText(unfinished, "half");
        await using SegmentedJournal journal = Open();
        await AppendAsync(journal, "one");
        Assert.True(File.Exists(other));
        Assert.False(File.Exists(unfinished));
    }

    [Fact]
    public async Task A_closed_journal_takes_nothing_and_what_waited_is_durable()
    {
        SegmentedJournal journal = Open();
        Task<JournalPosition> waiting = AppendAsync(journal, "waits");
        await journal.DisposeAsync();
        await waiting;
        Assert.False(journal.TryAppend(new byte[1], out _));
        await using SegmentedJournal again = Open();
        Assert.Equal("waits", ReadAll(again, 0).Single().Record);
    }

    [Fact]
    public async Task Who_waits_for_more_hears_when_the_journal_ends()
    {
        SegmentedJournal journal = Open();
        await AppendAsync(journal, "one");
        Task waiting = journal.WaitBeyondAsync(journal.End, TestContext.Current.CancellationToken);
        await journal.DisposeAsync();
        await Assert.ThrowsAsync<ObjectDisposedException>(() => waiting.WaitAsync(Patience));
        await Assert.ThrowsAsync<ObjectDisposedException>(
            () => journal.WaitBeyondAsync(journal.End, CancellationToken.None).WaitAsync(Patience, TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task An_append_that_is_awaited_again_or_too_early_throws_and_changes_nobody_elses()
    {
        var files = new HeldFiles(new DiskFiles(_folder.Path));
        await using var journal = new SegmentedJournal(files, SegmentBytes, long.MaxValue);
        files.Hang();
        Assert.True(journal.TryAppend("early"u8.ToArray(), out ValueTask<JournalPosition> early));
        Assert.Throws<InvalidOperationException>(() => early.GetAwaiter().GetResult());
        files.GoOn();
        await early;
        Task<JournalPosition> other = AppendAsync(journal, "other");
        Assert.Throws<InvalidOperationException>(() => early.GetAwaiter().GetResult());
        await other;
        Assert.Equal(["early", "other"], ReadAll(journal, 0).Select(each => each.Record));
    }

    [Fact]
    public async Task A_segment_that_could_not_be_finished_nor_removed_is_in_nobodys_way_once_the_disk_works()
    {
        var files = new HeldFiles(new DiskFiles(_folder.Path));
        await using var journal = new SegmentedJournal(files, SegmentBytes, long.MaxValue);
        files.RefusesFolder = true;
        JournalFailedException refused = await Assert.ThrowsAsync<JournalFailedException>(() => AppendAsync(journal, "refused"));
        Assert.True(refused.IsCertainlyNotThere);
        Assert.Single(Segments());
        files.RefusesFolder = false;
        Assert.Equal(0, (await AppendAsync(journal, "taken")).Block);
        Assert.Equal(["taken"], ReadAll(journal, 0).Select(each => each.Record));
    }

    private SegmentedJournal Open() => new(new DiskFiles(_folder.Path), SegmentBytes, long.MaxValue);

    private string[] Segments() =>
        [.. Directory.GetFiles(_folder.Path).Where(path => JournalFormat.StartOf(Path.GetFileName(path)) is not null).Order(StringComparer.Ordinal)];

    private static async Task<JournalPosition[]> FillAsync(SegmentedJournal journal, int records)
    {
        var positions = new JournalPosition[records];
        for (int i = 0; i < records; i++)
        {
            positions[i] = await AppendAsync(journal, string.Create(CultureInfo.InvariantCulture, $"{i} {new string('x', 500)}"));
        }

        return positions;
    }

    private static Task<JournalPosition> AppendAsync(SegmentedJournal journal, string record)
    {
        Assert.True(journal.TryAppend(Encoding.ASCII.GetBytes(record), out ValueTask<JournalPosition> appended));
        return appended.AsTask();
    }

    private static List<(JournalPosition Position, string Record)> ReadAll(SegmentedJournal journal, long position)
    {
        List<(JournalPosition, string)> found = [];
        using JournalCursor cursor = journal.Read(position);
        while (cursor.TryRead(out JournalBlock block))
        {
            int index = 0;
            foreach (ReadOnlyMemory<byte> record in block.Records())
            {
                found.Add((new JournalPosition(block.Position, index++), Encoding.ASCII.GetString(record.Span)));
            }
        }

        return found;
    }

    // Writes two digits at the front of each record.
    private sealed class Numbering : IJournalStamps
    {
        private int _next;

        internal int Committed { get; private set; }

        internal int Undone { get; private set; }

        internal List<long> Blocks { get; } = [];

        internal Dictionary<int, string> Owners { get; } = [];

        void IJournalStamps.Begin() => _next = Committed;

        void IJournalStamps.Stamp(object? owner, Span<byte> record)
        {
            Owners[_next] = (string)owner!;
            Encoding.ASCII.GetBytes(_next.ToString("00", CultureInfo.InvariantCulture), record);
            _next++;
        }

        void IJournalStamps.Commit(long position)
        {
            Committed = _next;
            Blocks.Add(position);
        }

        void IJournalStamps.Undo() => Undone++;
    }
}
