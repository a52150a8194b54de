// What a node has before it does anything: signals, logs, the time for its end, its certificate.
using Estat.Base.Threading;
using Estat.Http;
using Estat.Http.Bodies;
using Estat.Http.Listening;
using Estat.Http.Options;
using Estat.Node.Logging;

namespace Estat.Node.Running;

/// <summary>Made first, and handed to <see cref="NodeHost"/>, which disposes of it.</summary>
internal sealed class NodeFrame : IDisposable
{
    /// <param name="http">Options of the listener.</param>
    /// <param name="options">Options of the process.</param>
    /// <param name="time">The clock of everything.</param>
    /// <param name="isTerminal">Whether standard output is a terminal.</param>
    /// <param name="limit">What bounds the process' end; null in a test's process.</param>
    /// <exception cref="Base.Options.OptionException">The certificate cannot be read.</exception>
    internal NodeFrame(HttpOptions http, NodeOptions options, TimeProvider time, bool isTerminal, ExitLimit? limit)
    {
        Http = http;
        Options = options;
        Time = time;
        IsReadAlong = LogSetup.IsText(options, isTerminal);
        Signals = new StopSignals(time, limit);
        Loggers = LogSetup.Create(options, isTerminal);
        End = new ShutdownShares(options.ShutdownTimeout, time, Loggers.CreateLogger<ShutdownShares>());
        Certificate = HttpCertificate.Of(http, time, Loggers);
        Services = new NodeServices(http, time, Loggers, Signals.First, new HeapRelief(TimeProvider.System));
    }

    /// <summary>Options of the listener.</summary>
    internal HttpOptions Http { get; }

    /// <summary>Options of the process.</summary>
    internal NodeOptions Options { get; }

    /// <summary>The clock.</summary>
    internal TimeProvider Time { get; }

    /// <summary>Whether somebody reads the log as it comes.</summary>
    internal bool IsReadAlong { get; }

    /// <summary>What ends the node.</summary>
    internal StopSignals Signals { get; }

    /// <summary>Where everything is logged.</summary>
    internal ILoggerFactory Loggers { get; }

    /// <summary>How SHUTDOWN_TIMEOUT is shared out.</summary>
    internal ShutdownShares End { get; }

    /// <summary>The listener's; null without TLS.</summary>
    internal HttpCertificate? Certificate { get; }

    /// <summary>What capabilities get of it.</summary>
    internal NodeServices Services { get; }

    /// <inheritdoc/>
    public void Dispose()
    {
        Certificate?.Dispose();
        Signals.Dispose();
        Loggers.Dispose();
    }
}
