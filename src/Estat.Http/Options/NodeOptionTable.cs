// The rows of the options of a process: its end, its log, its telemetry.
using Option = Estat.Base.Options.OptionSpec<Estat.Http.Options.NodeOptions>;

namespace Estat.Http.Options;

/// <summary>The table of <see cref="NodeOptions"/>.</summary>
internal static class NodeOptionTable
{
    private static readonly NodeOptions Default = new();

    /// <summary>In the order in which help and README list them.</summary>
    internal static IReadOnlyList<Option> All { get; } =
    [
        Option.Duration("SHUTDOWN_TIMEOUT", Default.ShutdownTimeout, "1s", "1h", "Time from SIGTERM to exit (Fargate gives 30s).",
            (o, v) => o with { ShutdownTimeout = v }),
        Option.OneOf("LOG_LEVEL", Default.LogLevel,
            [.. new[] { "trace", "debug", "information", "warning", "error", "critical" }.Select(level => (level, level))],
            "Lowest level that is logged.", (o, v) => o with { LogLevel = v }),
        Option.OneOf("LOG_FORMAT", "auto", [("auto", LogFormat.Auto), ("json", LogFormat.Json), ("text", LogFormat.Text)],
            "How entries are written: auto is text to a terminal and a JSON object a line to anything else.", (o, v) => o with { LogFormat = v }),
        Option.Url("OTEL_EXPORTER_OTLP_ENDPOINT", "URL to which the node sends metrics and traces by OTLP. OpenTelemetry's other OTEL_ variables "
            + "work too.",
            (o, v) => o with { OtlpEndpoint = v }),
        Option.OneOf("OTEL_TRACES_SAMPLER", "parentbased_traceidratio",
            [
                ("always_on", TracesSampler.AlwaysOn), ("always_off", TracesSampler.AlwaysOff), ("traceidratio", TracesSampler.TraceIdRatio),
                ("parentbased_always_on", TracesSampler.ParentBasedAlwaysOn), ("parentbased_always_off", TracesSampler.ParentBasedAlwaysOff),
                ("parentbased_traceidratio", TracesSampler.ParentBasedTraceIdRatio),
            ],
            "Which requests are traced. Samplers that begin with parentbased follow a client's traceparent.",
            (o, v) => o with { TracesSampler = v }),
        Option.Fraction("OTEL_TRACES_SAMPLER_ARG", "0.0009765625", 0, 1, "Part of the requests that a traceidratio sampler traces; the default is "
            + "one in 1024.",
            (o, v) => o with { TracesSamplerRatio = v }),
    ];
}
