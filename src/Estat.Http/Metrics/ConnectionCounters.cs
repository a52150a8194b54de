// What happened to client connections, counted where it happens; the instruments read it when somebody asks.
using System.Diagnostics.Metrics;
using Estat.Base.Metrics;

namespace Estat.Http.Metrics;

/// <summary>Counters of a node's listener.</summary>
public sealed class ConnectionCounters
{
    /// <summary>Connections that took a place.</summary>
    public StripedCounter Opened { get; } = new();

    /// <summary>Those of them that gave it back.</summary>
    public StripedCounter Closed { get; } = new();

    /// <summary>Connections that were closed as the longest idle, for the next one.</summary>
    public StripedCounter ClosedIdle { get; } = new();

    /// <summary>Connections that were closed at once: all others were busy.</summary>
    public StripedCounter Refused { get; } = new();

    /// <summary>Connections of HTTP/2 that were ended for what their client did with them.</summary>
    public StripedCounter Http2Aborted { get; } = new();

    /// <summary>Connections that hold a place now.</summary>
    public long Open
    {
        get
        {
            long closed = Closed.Value;
            return Math.Max(0, Opened.Value - closed);
        }
    }

    /// <summary>Adds what is read of them.</summary>
    internal void Observe(Meter meter)
    {
        meter.CreateObservableCounter("estat_connections_closed_idle_total", () => ClosedIdle.Value,
            description: "Idle connections closed because MAX_CONNECTIONS were open and a new one came");
        meter.CreateObservableCounter("estat_connections_refused_total", () => Refused.Value,
            description: "New connections closed because MAX_CONNECTIONS were open and none was idle");
        meter.CreateObservableCounter("estat_http2_connections_aborted_total", () => Http2Aborted.Value,
            description: "HTTP/2 connections ended because their client asked for too much at once");
        meter.CreateObservableGauge("estat_connections_open", () => Open, description: "Client connections that are open");
    }
}
