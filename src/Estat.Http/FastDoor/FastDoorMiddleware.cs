// A door before Kestrel's HTTP, for the few requests that nearly all are.
using System.Diagnostics;
using System.Diagnostics.Metrics;
using System.Text;
using Estat.Base.Metrics;
using Estat.Http.Tracing;
using Microsoft.AspNetCore.Connections;

namespace Estat.Http.FastDoor;

/// <summary>
/// Takes from a connection's buffer what is wholly there and plainly well formed, and leaves all else to Kestrel (what it promises, and why it is so,
/// stands in docs/decisions/0013-fast-door.md). Rules and answers are those of every door: the door calls them.
/// </summary>
internal sealed partial class FastDoorMiddleware
{
    private readonly (byte[] Line, IFastRoute Route)[] _routes;
    private readonly RequestTraces? _traces;
    private readonly ILogger _logger;
    private readonly StripedCounter _left = new();

    /// <param name="routes">What it takes.</param>
    /// <param name="traces">Which requests are traced; null for none.</param>
    /// <param name="keepAlive">How long a connection may be idle (<c>KEEPALIVE_TIMEOUT</c>).</param>
    /// <param name="time">The clock of answers.</param>
    /// <param name="logger">Where an answer is told that could not be written.</param>
    internal FastDoorMiddleware(IEnumerable<IFastRoute> routes, RequestTraces? traces, TimeSpan keepAlive, TimeProvider time, ILogger logger)
    {
        _logger = logger;
        Texts = new AnswerTexts(time);
        _routes = [.. routes.Select(route => (Encoding.ASCII.GetBytes($"POST {route.Path} HTTP/1.1\r\n"), route))];
        _traces = traces;
        KeepAlive = keepAlive;
    }

    /// <summary>How long a connection may be idle.</summary>
    internal TimeSpan KeepAlive { get; }

    /// <summary>Writes the answers of all connections.</summary>
    internal AnswerTexts Texts { get; }

    /// <summary>Adds its metrics.</summary>
    internal void Observe(Meter meter) => meter.CreateObservableCounter("estat_fast_door_left_total", () => _left.Value,
        description: "Connections of HTTP/1.1 that Kestrel's HTTP took over, with the first request that the fast door does not read itself");

    /// <summary>Serves a connection of HTTP/1.1, and hands it to Kestrel when a request comes that is not for this door.</summary>
    /// <param name="connection">Its <see cref="ClientAddress.Peer"/> is among its features.</param>
    /// <param name="kestrel">Kestrel's HTTP.</param>
    internal async Task RunAsync(ConnectionContext connection, ConnectionDelegate kestrel)
    {
        if (await new FastConnection(this, connection).ServeAsync(connection).ConfigureAwait(false))
        {
            _left.Increment();
            await kestrel(connection).ConfigureAwait(false);
        }
    }

    /// <summary>Reads a request's head.</summary>
    /// <param name="head">Gets what it says.</param>
    /// <param name="received">What has come.</param>
    /// <returns>Who takes it; null: the door does not.</returns>
    internal IFastRoute? Find(RequestHead head, ReadOnlyMemory<byte> received)
    {
        foreach ((byte[] line, IFastRoute route) in _routes)
        {
            if (head.TryRead(received, line))
            {
                return route;
            }
        }

        return null;
    }

    /// <summary>The span of a request, if it is one of those that are traced.</summary>
    internal Activity? BeginSpan(FastRequestView request, IFastRoute route) => _traces?.Begin(request, "POST", route.Path);

    /// <summary>An answer could not be written, and its client has not left: its connection ends.</summary>
    internal void OnFault(Exception error) => LogFault(_logger, error);

    [LoggerMessage(Level = LogLevel.Error, Message = "An answer could not be written; the server ends its connection")]
    private static partial void LogFault(ILogger logger, Exception error);
}
