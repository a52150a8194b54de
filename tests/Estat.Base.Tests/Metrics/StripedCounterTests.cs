// A counter on the hot path counts every step, whoever takes it.
using Estat.Base.Metrics;

namespace Estat.Base.Tests.Metrics;

public sealed class StripedCounterTests
{
    [Fact]
    public void Steps_of_many_threads_are_all_counted()
    {
        const int Threads = 4;
        const int Steps = 2_000_000; // enough to meet on any two cores
        var counter = new StripedCounter();
        using var start = new Barrier(Threads);
        Thread[] threads = [.. Enumerable.Range(0, Threads).Select(_ => new Thread(() =>
        {
            start.SignalAndWait();
            for (int n = 0; n < Steps; n++)
            {
                counter.Increment();
            }
        }))];
        Array.ForEach(threads, thread => thread.Start());
        Array.ForEach(threads, thread => thread.Join());
        Assert.Equal(Threads * Steps, counter.Value);
    }
}
