// Traces: one span per upload attempt and per recovered file; none per event.
using System.Diagnostics;
using Estat.Core.Storage;

namespace Estat.Core.Metrics;

/// <summary>The activity source of the core. Without a listener, starting a span costs one check.</summary>
public static class EstatActivities
{
    /// <summary>Name of the source, for exporters.</summary>
    public const string SourceName = "Estat";

    private static readonly ActivitySource Source = new(SourceName);

    /// <summary>An attempt to store a batch; the caller disposes of it when the attempt ends.</summary>
    /// <param name="name"><c>estat.upload</c> or <c>estat.recover</c>.</param>
    /// <param name="key">The object's key.</param>
    /// <param name="content">What is stored.</param>
    internal static Activity? Storing(string name, string key, ObjectContent content) =>
        Source.StartActivity(name, ActivityKind.Client)?
            .SetTag("estat.key", key)
            .SetTag("estat.events", content.Seal.Events)
            .SetTag("estat.bytes", content.Seal.Bytes);
}
