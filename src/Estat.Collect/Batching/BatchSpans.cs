// The spans of a batch's own: of its time before the seal, and of its way to the DLQ.
using System.Diagnostics;
using Estat.Base.Metrics;

namespace Estat.Collect.Batching;

/// <summary>Spans in the batch's trace; without a listener every method costs one check.</summary>
internal static class BatchSpans
{
    /// <summary>A batch from its first event to its seal, which is now.</summary>
    /// <returns>What its uploads are children of; null when nobody listens.</returns>
    internal static ActivityContext? Sealed(SealedBatch batch)
    {
        if (!EstatActivities.IsOn)
        {
            return null;
        }

        using Activity? activity = EstatActivities.Source.StartActivity(
            "estat.batch", ActivityKind.Internal, EstatActivities.TraceRoot(batch.Key),
            links: batch.Requests?.Select(request => new ActivityLink(request)),
            startTime: batch.Opened);
        activity?.SetTag("estat.key", batch.Key)
            .SetTag("estat.events", batch.Seal.Events)
            .SetTag("estat.bytes", batch.Seal.Bytes)
            .SetTag("estat.content_bytes", batch.ContentBytes)
            .SetTag("estat.sealed_by", batch.Reason.ToString().ToLowerInvariant());
        return activity?.Context;
    }

    /// <summary>A batch goes to the DLQ; the caller disposes of it when it is there.</summary>
    internal static Activity? MovingToDlq(SealedBatch batch, string reason)
    {
        if (!EstatActivities.IsOn)
        {
            return null;
        }

        return EstatActivities.Source.StartActivity("estat.dlq", ActivityKind.Internal, batch.Trace ?? EstatActivities.TraceRoot(batch.Key))?
            .SetTag("estat.key", batch.Key)
            .SetTag("estat.events", batch.Seal.Events)
            .SetTag("estat.reason", reason);
    }
}
