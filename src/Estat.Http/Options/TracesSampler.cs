namespace Estat.Http.Options;

/// <summary>Which requests are traced: the samplers that OpenTelemetry specifies, by its names.</summary>
public enum TracesSampler
{
    /// <summary>All.</summary>
    AlwaysOn,

    /// <summary>None; nor is anything else traced.</summary>
    AlwaysOff,

    /// <summary>A part of them, by the number of their trace.</summary>
    TraceIdRatio,

    /// <summary>Those whose client traces them, and all that come without a trace.</summary>
    ParentBasedAlwaysOn,

    /// <summary>Those whose client traces them.</summary>
    ParentBasedAlwaysOff,

    /// <summary>Those whose client traces them, and a part of those that come without a trace.</summary>
    ParentBasedTraceIdRatio,
}
