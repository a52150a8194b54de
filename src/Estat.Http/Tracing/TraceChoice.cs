// Which requests are traced, decided before anything is made for them.
using System.Buffers.Binary;
using System.Diagnostics;
using Estat.Http.Intake;
using Estat.Http.Options;
using Microsoft.Extensions.Primitives;

namespace Estat.Http.Tracing;

/// <summary>
/// OpenTelemetry's samplers over W3C's <c>traceparent</c>. Where a client's flag decides and the operator asked for a part of all requests only, at
/// most <see cref="MostByClientsPerSecond"/> a second are taken for that flag, as anybody can send it. Safe for concurrent use; allocates nothing for
/// a request that is not taken and has no <c>traceparent</c>.
/// </summary>
internal sealed class TraceChoice(TracesSampler sampler, double ratio, TimeProvider time)
{
    /// <summary>Requests a second that are traced because their client says so, while the operator asks for less than all.</summary>
    internal const int MostByClientsPerSecond = 100;

    private const int TraceParentLength = 55;
    private readonly bool _isParentBased =
        sampler is TracesSampler.ParentBasedAlwaysOn or TracesSampler.ParentBasedAlwaysOff or TracesSampler.ParentBasedTraceIdRatio;
    private long _second;
    private int _taken;

    /// <summary>Whether a request is traced.</summary>
    /// <param name="request">The request.</param>
    /// <param name="parent">The span of its client; default when it names none, or none that can be read.</param>
    internal bool Takes<TRequest>(TRequest request, out ActivityContext parent)
        where TRequest : struct, IRequestView
    {
        parent = default;
        StringValues traceParent = request.TraceParent;
        if (traceParent.Count == 0)
        {
            return TakesRoot();
        }

        if (traceParent.Count > 1 || traceParent[0] is not { Length: TraceParentLength } text
            || !ActivityContext.TryParse(text, request.TraceState is [{ } state] ? state : null, isRemote: true, out parent))
        {
            return TakesRoot();
        }

        bool isFlagged = (parent.TraceFlags & ActivityTraceFlags.Recorded) != 0;
        return _isParentBased ? isFlagged && MayFollowClient() : sampler == TracesSampler.AlwaysOn || IsInRatio(parent.TraceId);
    }

    private bool TakesRoot() => sampler switch
    {
        TracesSampler.AlwaysOn or TracesSampler.ParentBasedAlwaysOn => true,
        TracesSampler.AlwaysOff or TracesSampler.ParentBasedAlwaysOff => false,
        _ => Random.Shared.NextDouble() < ratio,
    };

    // As OpenTelemetry's SDK for .NET: services with the same ratio decide the same of a trace.
    private bool IsInRatio(ActivityTraceId trace)
    {
        Span<byte> bytes = stackalloc byte[16];
        trace.CopyTo(bytes);
        long low = BinaryPrimitives.ReadInt64BigEndian(bytes);
        return ratio >= 1 || (ratio > 0 && (low == long.MinValue ? long.MaxValue : Math.Abs(low)) < (long)(ratio * long.MaxValue));
    }

    private bool MayFollowClient()
    {
        if (sampler == TracesSampler.ParentBasedAlwaysOn)
        {
            return true;
        }

        long now = time.GetTimestamp() / time.TimestampFrequency;
        if (Interlocked.Exchange(ref _second, now) != now)
        {
            Volatile.Write(ref _taken, 0);
        }

        return Interlocked.Increment(ref _taken) <= MostByClientsPerSecond;
    }
}
