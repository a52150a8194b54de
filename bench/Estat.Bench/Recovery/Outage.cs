// How storage goes away.
using Estat.Testing;

namespace Estat.Bench.Recovery;

internal enum Outage
{
    /// <summary>The gateway takes connections and never answers: uploads time out, and batches wait in the spool, as they were written.</summary>
    Hung,

    /// <summary>Connections are refused: uploads fail at once, and batches wait in the DLQ, compressed.</summary>
    Stopped,
}

internal static class Outages
{
    internal static Outage Parse(string text) => text switch
    {
        "hung" => Outage.Hung,
        "stopped" => Outage.Stopped,
        _ => throw new FormatException($"storage is hung or stopped, not '{text}'"),
    };

    internal static Task BeginAsync(this Outage outage, CephRgw gateway) =>
        outage == Outage.Hung ? gateway.PauseGatewayAsync() : gateway.StopGatewayAsync();

    /// <summary>Returns once the gateway answers again.</summary>
    internal static Task EndAsync(this Outage outage, CephRgw gateway) =>
        outage == Outage.Hung ? gateway.ContinueGatewayAsync() : gateway.StartGatewayAsync();
}
