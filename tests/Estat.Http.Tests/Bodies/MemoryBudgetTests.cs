// INFLIGHT_BYTES is for everybody: one client address cannot keep it from the others.
using Estat.Http.Bodies;

namespace Estat.Http.Tests.Bodies;

public sealed class MemoryBudgetTests
{
    [Fact]
    public void While_little_is_in_use_one_address_may_take_up_to_half()
    {
        var budget = new MemoryBudget(1000);
        Assert.All(Enumerable.Range(0, 5), _ => Assert.True(budget.For(1).TryTake(100, out BodyOutcome _)));
    }

    [Fact]
    public void Past_half_an_address_with_a_quarter_gets_no_more_and_another_does()
    {
        var budget = new MemoryBudget(1000);
        for (int i = 0; i < 6; i++)
        {
            Assert.True(budget.For(1).TryTake(100, out _)); // the sixth is the one that may go past its share
        }

        Assert.False(budget.For(1).TryTake(100, out BodyOutcome problem));
        Assert.Equal(BodyOutcome.OverShare, problem);
        Assert.True(budget.For(2).TryTake(400, out _));
        Assert.False(budget.For(2).TryTake(1, out problem));
        Assert.Equal(BodyOutcome.NoMemory, problem);
    }

    [Fact]
    public void One_request_of_an_address_at_a_time_may_take_what_there_is()
    {
        var budget = new MemoryBudget(1000);
        RequestMemory first = budget.For(1);
        RequestMemory second = budget.For(1);
        Assert.True(first.TryTake(600, out _));
        Assert.False(second.TryTake(100, out _));
        Assert.True(first.TryTake(400, out _));

        first.Return(1000);

        Assert.True(second.TryTake(1000, out _));
    }

    [Fact]
    public void What_is_given_back_can_be_taken_again()
    {
        var budget = new MemoryBudget(1000);
        for (int i = 0; i < 100; i++)
        {
            RequestMemory memory = budget.For((ulong)i % 3);
            Assert.True(memory.TryTake(400, out _));
            Assert.True(memory.TryTake(600, out _));
            memory.Return(600);
            memory.Return(400);
        }
    }
}
