// A backup while requests come, and what a restored store does and does not.
using System.Text;
using Estat.Requests.Deciding;
using Estat.Requests.Drawing;
using Estat.Requests.Options;
using Estat.Requests.Sqlite;
using Microsoft.Extensions.Logging.Abstractions;

namespace Estat.Requests.Tests.Sqlite;

public sealed class SqliteBackupTests : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);
    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task A_backup_of_a_store_in_use_is_of_one_moment_and_goes_on_under_another_epoch_with_other_sequences()
    {
        long last;
        string epoch;
        await using (SqliteRequestStore store = Open("one"))
        {
            await store.PutCampaignAsync("sale", FirstCome(10), null);
            using var end = new CancellationTokenSource();
            Task flood = Task.Run(async () =>
            {
                for (int i = 0; !end.IsCancellationRequested; i++)
                {
                    await AcceptAsync(store, $"user{i}");
                }
            });
            await Wait.UntilAsync(() => store.FindCampaign("sale")!.LastSequence > 100, Patience, "the flood");
            SqliteBackup.Save(_folder["one"], _folder["backup.db"]);
            await end.CancelAsync();
            await flood;
            last = store.FindCampaign("sale")!.LastSequence;
            epoch = (await store.NextOutcomesAsync(1))!.Epoch;
        }

        SqliteBackup.Restore(_folder["backup.db"], _folder["two"]);
        await using (SqliteRequestStore held = Open("two"))
        {
            Campaign campaign = held.FindCampaign("sale")!;
            Assert.True(held.IsHeld);
            Assert.Equal(campaign.Counts.Accepted, campaign.Counts.Sum);
            Assert.InRange(campaign.Counts.Accepted, 100, last);
            Assert.Equal(AcceptanceOutcome.Known, (await AcceptAsync(held, "user0")).Outcome);
            Assert.Equal(AcceptanceOutcome.Held, (await AcceptAsync(held, "somebody else")).Outcome);
            Assert.NotEqual(epoch, (await held.NextOutcomesAsync(1))!.Epoch);
        }

        SqliteBackup.Resume(_folder["two"]);
        await using SqliteRequestStore resumed = Open("two");
        Acceptance next = await AcceptAsync(resumed, "somebody else");
        Assert.Equal(AcceptanceOutcome.Accepted, next.Outcome);
        Assert.True(next.Request!.Sequence > last, $"{next.Request.Sequence} may have been told to another user");
        await Wait.UntilAsync(() => resumed.FindCampaign("sale")!.Counts.Open == 0, Patience, "everything to be decided");
        Assert.Equal(10, resumed.FindCampaign("sale")!.Counts.Succeeded);
    }

    [Fact]
    public async Task A_restored_store_holds_no_draw_by_itself_as_the_lost_one_may_have()
    {
        var time = new ManualTimeProvider();
        await using (SqliteRequestStore store = Open("one", time))
        {
            await store.PutCampaignAsync("prize", FirstCome(1) with
            {
                Policy = CampaignPolicy.Draw, OpensAt = time.GetUtcNow().AddDays(-1), ClosesAt = time.GetUtcNow().AddDays(1),
            }, null);
            await store.CloseAsync("prize");
            SqliteBackup.Save(_folder["one"], _folder["backup.db"]);
            await DrawnAsync(store, time, isExpected: true);
        }

        SqliteBackup.Restore(_folder["backup.db"], _folder["two"]);
        await using SqliteRequestStore restored = Open("two", time);
        await DrawnAsync(restored, time, isExpected: false);
    }

    // Long enough for ten looks.
    private static async Task DrawnAsync(SqliteRequestStore store, ManualTimeProvider time, bool isExpected)
    {
        using var end = new CancellationTokenSource();
        Task clock = new DrawClock(store, new DrawOffice(store, time), time, NullLogger.Instance).RunAsync(end.Token);
        for (int look = 0; look < 10; look++)
        {
            time.Advance(TimeSpan.FromSeconds(1));
            await Task.Yield();
        }

        if (isExpected)
        {
            await time.AdvanceUntilAsync(TimeSpan.FromSeconds(1), () => store.FindCampaign("prize")!.Draw is not null, "the draw");
        }

        await end.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => clock);
        Assert.Equal(isExpected, store.FindCampaign("prize")!.Draw is not null);
    }

    [Fact]
    public async Task Nothing_is_replaced_and_what_is_no_backup_leaves_nothing()
    {
        await using (SqliteRequestStore store = Open("one"))
        {
            SqliteBackup.Save(_folder["one"], _folder["backup.db"]);
            Assert.Throws<StoreException>(() => SqliteBackup.Save(_folder["one"], _folder["backup.db"]));
            Assert.Throws<Base.Files.FolderOwnedException>(() => SqliteBackup.Restore(_folder["backup.db"], _folder["one"]));
            Assert.Throws<Base.Files.FolderOwnedException>(() => SqliteBackup.Resume(_folder["one"]));
        }

        Assert.Throws<StoreException>(() => SqliteBackup.Restore(_folder["backup.db"], _folder["one"]));
        Assert.Throws<StoreException>(() => SqliteBackup.Save(_folder["nothing"], _folder["other.db"]));
        Directory.CreateDirectory(_folder["left"]);
        await File.WriteAllTextAsync(Path.Combine(_folder["left"], "requests.db-wal"), "the log of a database that was moved away");
        Assert.Throws<StoreException>(() => SqliteBackup.Restore(_folder["backup.db"], _folder["left"]));
        Assert.True(File.Exists(Path.Combine(_folder["left"], "requests.db-wal")));
        await File.WriteAllTextAsync(_folder["text"], "no database");
        Assert.Throws<StoreException>(() => SqliteBackup.Restore(_folder["text"], _folder["two"]));
        Assert.Empty(Directory.GetFiles(_folder["two"], "requests.db*"));
    }

    private SqliteRequestStore Open(string name, TimeProvider? time = null)
    {
        var store = new SqliteRequestStore(
            new RequestsOptions { Dir = _folder[name], MinFreeBytes = 0 }, new DecisionRule(), new Nobody(), time ?? TimeProvider.System,
            NullLogger.Instance);
        store.Start();
        return store;
    }

    private static ValueTask<Acceptance> AcceptAsync(SqliteRequestStore store, string user)
    {
        UserId id = UserId.Of(Encoding.UTF8.GetBytes(user))!.Value;
        return store.AcceptAsync(new Submission("sale", RequestId.Of(store.FindCampaign("sale")!.Secret.Span, "sale", id), id, default));
    }

    private static CampaignSettings FirstCome(long capacity) =>
        new() { Policy = CampaignPolicy.FirstCome, OpensAt = DateTimeOffset.UtcNow.AddDays(-1), Capacity = capacity };
}
