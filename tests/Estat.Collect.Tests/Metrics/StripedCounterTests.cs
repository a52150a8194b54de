// A counter on the hot path counts every step, whoever takes it.
using Estat.Base.Metrics;
using Estat.Http.Metrics;

namespace Estat.Collect.Tests.Metrics;

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

    [Fact]
    public void Requests_in_flight_are_those_that_started_and_did_not_end()
    {
        var requests = new RequestCounters();
        requests.Started.Increment();
        requests.Started.Increment();
        requests.Ended.Increment();
        Assert.Equal(1, requests.InFlight);
        requests.Ended.Increment();
        requests.Ended.Increment(); // a reading between the two counters may see this
        Assert.Equal(0, requests.InFlight);
    }
}
