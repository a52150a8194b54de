// Metrics and traces by OTLP, when OTEL_EXPORTER_OTLP_ENDPOINT names a receiver.
using Estat.Base.Metrics;
using Estat.Http.Options;
using OpenTelemetry;
using OpenTelemetry.Metrics;
using OpenTelemetry.Resources;
using OpenTelemetry.Trace;

namespace Estat.Node.Telemetry;

/// <summary>OpenTelemetry's SDK over the core's meter and activity source. What is left is sent when it is disposed of.</summary>
internal sealed class OtlpExport : IDisposable
{
    private const string EndpointVariable = "OTEL_EXPORTER_OTLP_ENDPOINT";
    private const string ServiceName = "estat";
    private readonly MeterProvider _meters;
    private readonly TracerProvider? _traces;

    private OtlpExport(Uri endpoint, TracesSampler sampler)
    {
        // The SDK adds each signal's path to an endpoint that comes from the environment, and reads the other OTEL_ variables there too.
        Environment.SetEnvironmentVariable(EndpointVariable, endpoint.ToString());
        ResourceBuilder resource = ResourceBuilder.CreateDefault().AddService(ServiceName).AddEnvironmentVariableDetector();
        _meters = Sdk.CreateMeterProviderBuilder().SetResourceBuilder(resource)
            .AddMeter(EstatActivities.SourceName).AddMeter("System.Runtime").AddOtlpExporter().Build();
        // Requests are chosen before their span is made (RequestTraces); batches and their uploads, of which there are few, are all told.
        _traces = sampler == TracesSampler.AlwaysOff ? null : Sdk.CreateTracerProviderBuilder().SetResourceBuilder(resource)
            .SetSampler(new AlwaysOnSampler())
            .AddSource(EstatActivities.SourceName).AddOtlpExporter().Build();
    }

    /// <summary>Null without a receiver.</summary>
    internal static OtlpExport? For(NodeOptions options) =>
        options.OtlpEndpoint is null ? null : new OtlpExport(options.OtlpEndpoint, options.TracesSampler);

    /// <summary>Time that a receiver which does not answer may hold up the end of the process.</summary>
    internal static TimeSpan LongestDispose { get; } = TimeSpan.FromSeconds(1);

    public void Dispose()
    {
        int half = (int)LongestDispose.TotalMilliseconds / 2;
        _traces?.Shutdown(half);
        _meters.Shutdown(half);
        _traces?.Dispose();
        _meters.Dispose();
    }
}
