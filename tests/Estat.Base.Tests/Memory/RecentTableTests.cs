// What was put in last is there, and no more than the bound.
using Estat.Base.Memory;

namespace Estat.Base.Tests.Memory;

public sealed class RecentTableTests
{
    [Fact]
    public void It_holds_what_was_put_in_last_and_never_more_than_its_bound()
    {
        var table = new RecentTable<int, int>(10);
        for (int i = 0; i < 1_000; i++)
        {
            table.Put(i, -i);
            Assert.True(table.TryFind(i, out int value) && value == -i);
            Assert.InRange(table.Count, 1, 10);
        }

        Assert.True(table.TryFind(996, out _));
        Assert.False(table.TryFind(900, out _));
    }

    [Fact]
    public void The_last_value_of_a_key_is_found_and_what_is_put_in_again_stays()
    {
        var table = new RecentTable<int, string>(10);
        table.Put(1, "old");
        for (int i = 100; i < 200; i++)
        {
            Assert.True(table.TryFind(1, out string? found, out bool isOld));
            table.Put(1, isOld ? "again" : found);
            table.Put(i, "other");
        }

        Assert.True(table.TryFind(1, out string? last) && last == "again");
        table.Put(1, "new");
        Assert.True(table.TryFind(1, out last) && last == "new");
        table.Remove(1);
        Assert.False(table.TryFind(1, out _));
    }
}
