// A counter on the hot path counts every step, whoever takes it.
using Estat.Core.Metrics;

namespace Estat.Core.Tests.Metrics;

public sealed class StripedCounterTests
{
    [Fact]
    public void Steps_of_many_threads_are_all_counted()
    {
        var counter = new StripedCounter();
        Parallel.For(0, 8, new ParallelOptions { MaxDegreeOfParallelism = 8 }, _ =>
        {
            for (int n = 0; n < 100_000; n++)
            {
                counter.Increment();
            }
        });
        Assert.Equal(800_000, counter.Value);
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
