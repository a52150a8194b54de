// A drain's second step: those who are being answered already.
using Estat.Http.Metrics;

namespace Estat.Node.Running;

/// <summary>Waits until no request is being handled.</summary>
/// <param name="requests">Those of everything that the node does.</param>
/// <param name="time">Clock.</param>
internal sealed class RequestsInFlight(IReadOnlyList<RequestCounters> requests, TimeProvider time)
{
    private static readonly TimeSpan Longest = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan Poll = TimeSpan.FromMilliseconds(10);

    /// <summary>Those who send slowly are not waited for longer than a fifth of the time, 5 s at most; their answer is then 503, as their partition
    /// has closed.</summary>
    /// <param name="all">Time for the whole drain.</param>
    /// <param name="hurry">Ends the wait.</param>
    internal async Task WaitAsync(TimeSpan all, CancellationToken hurry)
    {
        long started = time.GetTimestamp();
        TimeSpan patience = all / 5 < Longest ? all / 5 : Longest;
        while (requests.Any(counters => counters.InFlight > 0) && time.GetElapsedTime(started) < patience && !hurry.IsCancellationRequested)
        {
            await Task.Delay(Poll, CancellationToken.None).ConfigureAwait(false);
        }
    }
}
