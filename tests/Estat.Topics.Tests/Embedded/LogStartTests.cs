// What a start of the embedded log makes of the folder that it finds.
using Estat.Base.Journal;
using Microsoft.Extensions.Logging;

namespace Estat.Topics.Tests.Embedded;

public sealed class LogStartTests : EmbeddedLogRig
{
    [Fact]
    public async Task A_start_goes_on_where_the_last_one_ended_and_reads_only_what_its_index_does_not_know()
    {
        await ProduceAsync(2_000, "user-activities");
        (long[] ends, string id) = (Ends(), Log.Id);
        await ReopenAsync();
        Assert.Equal((id, string.Join(' ', ends)), (Log.Id, string.Join(' ', Ends())));
        File.Delete(Folder["index"]);
        await ReopenAsync();
        Assert.Equal((id, string.Join(' ', ends)), (Log.Id, string.Join(' ', Ends())));
    }

    [Fact]
    public async Task A_log_whose_messages_are_gone_gets_another_id_and_says_so()
    {
        await ProduceAsync(10, "user-activities");
        string id = Log.Id;
        await CloseAsync();
        foreach (string segment in Directory.GetFiles(Folder.Path, "*.journal"))
        {
            File.Delete(segment);
        }

        Assert.NotEqual(id, Log.Id);
        Assert.Contains(Lines.Of(LogLevel.Critical), line => line.Contains("are gone", StringComparison.Ordinal));
        Assert.Equal(0, Ends().Sum());
    }

    [Fact]
    public async Task Without_its_topics_file_messages_cannot_be_read_and_the_start_says_so()
    {
        await ProduceAsync(10, "user-activities");
        await CloseAsync();
        File.Delete(Folder["topics.json"]);
        Assert.Contains("topics.json", Assert.Throws<IOException>(Open).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_topics_file_that_is_older_than_the_messages_ends_the_start()
    {
        await ProduceAsync(1, "user-activities");
        File.Copy(Folder["topics.json"], Folder["older"]);
        await Log.CreateTopicAsync("orders", 3, default);
        await ProduceAsync(30, "orders");
        await CloseAsync();
        File.Delete(Folder["index"]);
        File.Move(Folder["older"], Folder["topics.json"], overwrite: true);
        Assert.Contains("topics.json is older", Assert.ThrowsAny<IOException>(Open).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_journal_that_is_shorter_than_it_was_ends_the_start(bool byIndex)
    {
        Options = Options with { Retention = TimeSpan.FromHours(1) };
        await ProduceAsync(500, "user-activities");
        Time.Advance(TimeSpan.FromMinutes(2));
        await ProduceAsync(500, "user-activities");
        if (!byIndex)
        {
            Time.Advance(TimeSpan.FromHours(2));
            await ProduceAsync(1, "system-metrics");
            await Log.KeepOnceAsync();
            Assert.True(Log.Journal.Start > 0);
        }

        await CloseAsync();
        string[] segments = [.. Directory.GetFiles(Folder.Path, "*.journal").Order(StringComparer.Ordinal)];
        foreach (string segment in byIndex ? segments[1..] : segments)
        {
            File.Delete(segment);
        }

        if (!byIndex)
        {
            File.Delete(Folder["index"]);
            // What an older copy of the folder has.
            await using var older = new SegmentedJournal(new DiskFiles(Folder.Path), 20_000, 1 << 20);
            Assert.True(older.TryAppend(new byte[100], out ValueTask<JournalPosition> appended));
            await appended;
        }

        Assert.ThrowsAny<IOException>(Open);
    }

    [Fact]
    public async Task A_second_process_cannot_open_the_folder()
    {
        await ProduceAsync(1, "notifications");
        Assert.Contains("TOPICS_DIR", Assert.ThrowsAny<IOException>(Open).Message, StringComparison.Ordinal);
    }
}
