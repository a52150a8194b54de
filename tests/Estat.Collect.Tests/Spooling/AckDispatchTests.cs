// Who answers requests once their events are durable.

using Estat.Base.Acks;
using Estat.Collect.Batching;

namespace Estat.Collect.Tests.Spooling;

public sealed class AckDispatchTests
{
    private const int OwnShare = 64;
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(20);

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(OwnShare)]
    [InlineData(OwnShare + 1)]
    [InlineData(1000)]
    public async Task The_first_few_are_answered_at_once_the_rest_by_the_pool_and_all_of_them_once(int count)
    {
        var pool = new AckWaiterPool();
        var dispatch = new AckDispatch();
        var due = new List<AckWaiter>();
        var answers = new int[count];
        var here = 0;
        var elsewhere = 0;
        var thread = new Thread(() =>
        {
            for (var i = 0; i < count; i++)
            {
                var index = i;
                var waiter = pool.Rent();
                waiter.Begin(1);
                waiter.Key = $"key {i}";
                var awaiter = waiter.Task.ConfigureAwait(false).GetAwaiter();
                awaiter.UnsafeOnCompleted(() =>
                {
                    Interlocked.Add(ref answers[index], awaiter.GetResult().Key == $"key {index}" ? 1 : 100);
                    _ = Thread.CurrentThread.IsThreadPoolThread ? Interlocked.Increment(ref elsewhere) : Interlocked.Increment(ref here);
                });
                Assert.True(waiter.OnChunk(Admission.Accepted, AckLevel.Disk));
                due.Add(waiter);
            }

            dispatch.Send(due);
            Assert.Empty(due);
            Assert.Equal(Math.Min(count, OwnShare), Volatile.Read(ref here));
        });
        thread.Start();
        thread.Join();
        await Wait.UntilAsync(() => Volatile.Read(ref here) + Volatile.Read(ref elsewhere) == count, Limit, "all answers");
        Assert.All(answers, times => Assert.Equal(1, times));
        Assert.Equal(Math.Min(count, OwnShare), here);
    }

    [Fact]
    public void One_that_throws_keeps_no_other_from_its_answer()
    {
        var pool = new AckWaiterPool();
        var due = new List<AckWaiter>();
        int answered = 0;
        for (int i = 0; i < 3; i++)
        {
            int index = i;
            AckWaiter waiter = pool.Rent();
            waiter.Begin(1);
            GoOn(waiter, () =>
            {
                answered++;
                if (index == 0)
                {
                    throw new InvalidOperationException("a continuation that throws");
                }
            });
            Assert.True(waiter.OnChunk(Admission.Accepted, AckLevel.Disk));
            due.Add(waiter);
        }

        Assert.Throws<InvalidOperationException>(() => new AckDispatch().Send(due));
        Assert.Equal((3, 0), (answered, due.Count));
    }

    private static void GoOn(AckWaiter waiter, Action then)
    {
        var awaiter = waiter.Task.ConfigureAwait(false).GetAwaiter();
        awaiter.UnsafeOnCompleted(() =>
        {
            _ = awaiter.GetResult();
            then();
        });
    }
}
