// How many requests are being answered, told by two counters.
using Estat.Http.Metrics;

namespace Estat.Http.Tests.Metrics;

public sealed class RequestCountersTests
{
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
