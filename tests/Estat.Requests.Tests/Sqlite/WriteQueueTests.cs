// Promise 8 at acceptance: one campaign's flood leaves room and turns to the others.
using Estat.Requests.Sqlite;

namespace Estat.Requests.Tests.Sqlite;

public sealed class WriteQueueTests
{
    [Fact]
    public void Campaigns_take_turns_however_many_wait_of_one()
    {
        using var queue = new WriteQueue(most: 100, mostBytes: 1 << 20);
        foreach (string campaign in Enumerable.Repeat("flood", 20).Concat(["a", "a", "b"]))
        {
            Assert.Null(queue.TryAdd(Of(campaign)));
        }

        Assert.Equal(["flood", "a", "b", "flood", "a"], Take(queue, 5));
        Assert.Equal(["flood", "flood"], Take(queue, 2));
        Assert.Equal(16, Take(queue, 100).Count());
        Assert.Equal(0, queue.Submissions);
    }

    [Fact]
    public void One_campaign_holds_at_most_half()
    {
        using var queue = new WriteQueue(most: 10, mostBytes: 1 << 20);
        Assert.All(Enumerable.Range(0, 5), _ => Assert.Null(queue.TryAdd(Of("flood"))));
        Assert.Equal(AcceptanceOutcome.QueueFull, queue.TryAdd(Of("flood")));
        Assert.All(Enumerable.Range(0, 5), number => Assert.Null(queue.TryAdd(Of($"{number}"))));
        Assert.Equal(AcceptanceOutcome.QueueFull, queue.TryAdd(Of("another")));
    }

    private static PendingAcceptance Of(string campaign) => new(new Submission(campaign, default, default, new byte[10]));

    private static IEnumerable<string> Take(WriteQueue queue, int most)
    {
        List<PendingAcceptance> taken = [];
        Assert.True(queue.Take(most, taken, [], TimeSpan.Zero));
        return taken.Select(pending => pending.Submission.CampaignId);
    }
}
