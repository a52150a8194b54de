// What a gateway measures of its packets.
using System.Diagnostics.Metrics;

namespace Estat.Grains.Forwarding;

/// <summary>Everything here is recorded per packet or per call, never per event.</summary>
internal sealed class ForwardingInstruments
{
    private const string Seconds = "s";
    private const string Bytes = "By";

    private static readonly InstrumentAdvice<double> CallBuckets =
        new() { HistogramBucketBoundaries = [0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5] };

    private static readonly InstrumentAdvice<double> SizeBuckets =
        new() { HistogramBucketBoundaries = [1, 2, 5, 10, 25, 50, 100, 250, 500, 1000, 2500, 10_000] };

    private readonly Histogram<double> _packetEvents;
    private readonly Histogram<double> _callDuration;
    private readonly Counter<long> _retries;
    private readonly Counter<long> _unknownEvents;

    /// <param name="meter">The node's meter.</param>
    internal ForwardingInstruments(Meter meter)
    {
        _packetEvents = meter.CreateHistogram("estat_forward_packet_events", null, "Events in a packet to a silo", advice: SizeBuckets);
        _callDuration = meter.CreateHistogram(
            "estat_forward_call_duration_seconds", Seconds, "Time of one call to a silo, by outcome", advice: CallBuckets);
        _retries = meter.CreateCounter<long>("estat_forward_retries_total",
            description: "Packets sent to another silo because the one before certainly had not taken them");
        _unknownEvents = meter.CreateCounter<long>(
            "estat_forward_unknown_events_total",
            description: "Events in calls during which the silo failed: not acknowledged, perhaps stored, once");
    }

    /// <summary>Adds the instruments that are read when asked for.</summary>
    internal static void Observe(Meter meter, SiloChoice silos, ForwardingQueue queue)
    {
        meter.CreateObservableGauge("estat_forward_silos_known", () => silos.Known, description: "Silos that are members of the cluster");
        meter.CreateObservableGauge(
            "estat_forward_silos_healthy", () => silos.HealthyNow, description: "Silos that get packets; the gateway probes the others");
        meter.CreateObservableGauge("estat_forward_calls_in_flight", () => silos.Calls, description: "Calls to silos that were not answered yet");
        meter.CreateObservableGauge("estat_forward_queue_requests", () => queue.Requests,
            description: "Requests whose events are gathered or in flight; CHANNEL_SIZE is the limit");
        meter.CreateObservableGauge("estat_forward_queue_bytes", () => queue.Bytes, Bytes,
            "Memory of events gathered or in flight; CHANNEL_BYTES is the limit");
    }

    /// <summary>A packet leaves for its first silo.</summary>
    internal void OnPacket(int events) => _packetEvents.Record(events);

    /// <summary>A call to a silo ended.</summary>
    internal void OnCall(TimeSpan duration, CallOutcome outcome) =>
        _callDuration.Record(duration.TotalSeconds, new KeyValuePair<string, object?>("outcome", outcome.ToText()));

    /// <summary>A packet goes to another silo.</summary>
    internal void OnRetry() => _retries.Add(1);

    /// <summary>Nobody knows whether these events were taken.</summary>
    internal void OnUnknown(int events) => _unknownEvents.Add(events);
}
