// Leaving threads on which nothing slow may run.

using Estat.Base.Threading;

namespace Estat.Base.Tests.Threading;

public sealed class PoolThreadTests
{
    [Fact]
    public async Task Who_is_on_another_thread_goes_on_on_one_of_the_pool()
    {
        var before = new TaskCompletionSource<bool>();
        var after = new TaskCompletionSource<bool>();
        new Thread(() => _ = SwitchAsync()).Start();
        Assert.False(await before.Task);
        Assert.True(await after.Task);

        async Task SwitchAsync()
        {
            before.SetResult(Thread.CurrentThread.IsThreadPoolThread);
            await PoolThread.Switch();
            after.SetResult(Thread.CurrentThread.IsThreadPoolThread);
        }
    }

    [Fact]
    public async Task Who_is_on_the_pool_stays_where_it_is() =>
        Assert.True(await Task.Run(() => PoolThread.Switch().GetAwaiter().IsCompleted));
}
