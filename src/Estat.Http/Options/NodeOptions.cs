// The options of a process: its end, its log, its telemetry.
namespace Estat.Http.Options;

/// <summary>Already checked. Units and bounds stand at each entry of <see cref="NodeOptionTable"/>.</summary>
public sealed record NodeOptions
{
    /// <summary>Time from the signal to exit.</summary>
    public TimeSpan ShutdownTimeout { get; init; } = TimeSpan.FromSeconds(25);

    /// <summary>Least level that is logged: trace, debug, information, warning, error, critical.</summary>
    public string LogLevel { get; init; } = "information";

    /// <summary>How log entries are written.</summary>
    public LogFormat LogFormat { get; init; } = LogFormat.Auto;

    /// <summary>OTLP receiver for metrics and traces; null sends none.</summary>
    public Uri? OtlpEndpoint { get; init; }

    /// <summary>Which requests are traced.</summary>
    public TracesSampler TracesSampler { get; init; } = TracesSampler.ParentBasedTraceIdRatio;

    /// <summary>Part of the requests that a ratio takes, 0 to 1.</summary>
    public double TracesSamplerRatio { get; init; } = 1.0 / 1024;
}
