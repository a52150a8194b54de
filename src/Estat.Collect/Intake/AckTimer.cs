// How long acks take, by a sample of the requests.
using Estat.Collect.Metrics;

namespace Estat.Collect.Intake;

/// <summary>Times every n-th request of a core for <c>estat_ack_duration_seconds</c>: a clock for each would be felt. Any thread.</summary>
internal sealed class AckTimer(EstatInstruments instruments, TimeProvider time)
{
    // A power of two.
    private const long SampleEvery = 64;

    /// <summary>When the request with this number began; 0 if it is not one of those that are timed.</summary>
    internal long Start(long ordinal) => ordinal % SampleEvery == 0 ? time.GetTimestamp() : 0;

    /// <summary>Its events were acknowledged.</summary>
    internal void OnAcknowledged(long started)
    {
        if (started != 0)
        {
            instruments.OnAckSampled(time.GetElapsedTime(started));
        }
    }
}
