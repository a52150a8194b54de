// Traces: spans of chosen requests, of batches, of attempts to store them, of their ways into and out of the DLQ. None per event.
using System.Diagnostics;
using System.Security.Cryptography;
using System.Text;
using Estat.Base.Storage;

namespace Estat.Base.Metrics;

/// <summary>
/// The activity source of a node. A batch has a trace of its own, whose number follows from its key (<see cref="TraceOf"/>): so whoever handles the
/// batch, also another process a day later, adds to the same trace, and an object leads to its trace without a search. Requests belong to their
/// clients' traces; the batch's span links to them. Without a listener every method costs one check.
/// </summary>
public static class EstatActivities
{
    /// <summary>Name of the source and of the meters, for exporters.</summary>
    public const string SourceName = "Estat";

    /// <summary>Requests that one batch's span links to; of more than these the first are kept.</summary>
    public const int MostLinks = 32;

    internal static readonly ActivitySource Source = new(SourceName);

    /// <summary>Whether anybody listens.</summary>
    public static bool IsOn => Source.HasListeners();

    /// <summary>The trace of a batch: the first 16 bytes of the SHA-256 of its key.</summary>
    public static ActivityTraceId TraceOf(string key)
    {
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(Encoding.UTF8.GetBytes(key), hash);
        return ActivityTraceId.CreateFromBytes(hash[..16]);
    }

    /// <summary>A request that was chosen to be traced; the caller disposes of it when it is answered.</summary>
    /// <param name="name">Method and path.</param>
    /// <param name="parent">What its <c>traceparent</c> says; default for one without.</param>
    public static Activity? Request(string name, ActivityContext parent) => Source.StartActivity(name, ActivityKind.Server, parent);

    /// <summary>The chosen request that is being handled here; null for nearly all.</summary>
    internal static ActivityContext? CurrentRequest => Current?.Context;

    /// <summary>The span of work that is being done here; null where it is not traced.</summary>
    internal static Activity? Current => Activity.Current is { } current && ReferenceEquals(current.Source, Source) ? current : null;

    /// <summary>An attempt to store a batch; the caller disposes of it when the attempt ends.</summary>
    /// <param name="name"><c>estat.upload</c> or <c>estat.recover</c>.</param>
    /// <param name="key">The object's key.</param>
    /// <param name="content">What is stored.</param>
    /// <param name="of">The batch that it belongs to.</param>
    internal static Activity? Storing(string name, string key, ObjectContent content, in BatchTrace of)
    {
        if (!IsOn)
        {
            return null;
        }

        return Source.StartActivity(name, ActivityKind.Client, of.Sealed ?? TraceRoot(of.Key))?
            .SetTag("estat.key", key)
            .SetTag("estat.events", content.Seal.Events)
            .SetTag("estat.bytes", content.Seal.Bytes)
            .SetTag("estat.attempt", of.Attempt);
    }

    /// <summary>Where a span of a batch stands that has no other span to be a child of.</summary>
    internal static ActivityContext TraceRoot(string key) => new(TraceOf(key), default, ActivityTraceFlags.Recorded);
}

/// <summary>Where an attempt to store stands in its batch's trace.</summary>
/// <param name="Key">The batch's key.</param>
/// <param name="Attempt">1 for the first; as far as this process, or the DLQ's meta, knows.</param>
/// <param name="Sealed">The span of the batch, when this process sealed it.</param>
internal readonly record struct BatchTrace(string Key, int Attempt, ActivityContext? Sealed = null);
