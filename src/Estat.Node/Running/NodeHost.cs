// A node from start to drain, whatever it does: the standalone server, a silo and a gateway are this with different parts.
using System.Diagnostics.Metrics;
using Estat.Base.Metrics;
using Estat.Http;
using Estat.Http.Access;
using Estat.Http.Administration;
using Estat.Http.Answering;
using Estat.Http.FastDoor;
using Estat.Http.Health;
using Estat.Http.Listening;
using Estat.Http.Routing;
using Estat.Http.Tracing;
using Estat.Node.Telemetry;
using Microsoft.AspNetCore.Http;

namespace Estat.Node.Running;

/// <summary>
/// Puts capabilities together without knowing one, and owns the order of things. Start: the cluster, what the node does, the listener. Stop:
/// readiness, requests in flight, what the node does, the listener, the cluster.
/// </summary>
internal sealed partial class NodeHost : INodeServer
{
    private readonly NodeFrame _frame;
    private readonly IReadOnlyList<ICapability> _capabilities;
    private readonly INodeMembership? _membership;
    private readonly Action<NodeHost> _introduce;
    private readonly Meter _meter = new(EstatActivities.SourceName);
    private readonly PrometheusText _metrics;
    private readonly OtlpExport? _otlp;
    private readonly HttpFront _front;
    private readonly ILogger _logger;
    private bool _isListening;

    /// <param name="frame">What the node has before it does anything; becomes this one's.</param>
    /// <param name="capabilities">What it does; become this one's.</param>
    /// <param name="introduce">Logs what the node is, once it listens.</param>
    /// <param name="membership">The cluster that it is part of; null by itself.</param>
    /// <param name="maxConnections">Client connections, where the listener has to share open files; null is MAX_CONNECTIONS.</param>
    /// <param name="pages">Pages of the program itself, for the operator.</param>
    /// <exception cref="InvalidOperationException">Two capabilities have the same path; the message names both.</exception>
    internal NodeHost(
        NodeFrame frame, IReadOnlyList<ICapability> capabilities, Action<NodeHost> introduce, INodeMembership? membership = null,
        int? maxConnections = null, IReadOnlyList<Page>? pages = null)
    {
        _frame = frame;
        _capabilities = capabilities;
        _introduce = introduce;
        _membership = membership;
        _logger = frame.Loggers.CreateLogger<NodeHost>();
        ThrowIfShared(capabilities);
        _metrics = new PrometheusText([_meter, .. capabilities.Select(capability => capability.Meter)]);
        _otlp = OtlpExport.For(frame.Options);
        Dictionary<string, PathHandler> routes = capabilities.SelectMany(capability => capability.Routes)
            .ToDictionary(StringComparer.Ordinal);
        Dictionary<string, PathHandler> trees = capabilities.SelectMany(capability => capability.Trees).ToDictionary(StringComparer.Ordinal);
        var access = new AdminAccess(frame.Http, _meter, frame.Time, frame.Loggers);
        var operators = new OperatorRouter(
            // The pace of scrapes is the machine's, whatever the clock of arrival is.
            new HealthEndpoints(new NodeHealth(capabilities), access, frame.Time), new SharedScrape(_metrics.Write, TimeProvider.System),
            routes.Keys.Concat(trees.Keys.Select(tree => tree + "/…")),
            [Console, new CapabilitiesPage(capabilities.Select(capability => capability.Name)).Page, .. OpenApiPage.Of(Descriptions), .. pages ?? [],
                .. capabilities.SelectMany(capability => capability.Pages)], access,
            frame.Loggers.CreateLogger<OperatorRouter>());
        var traces = RequestTraces.Of(frame.Options, routes.Keys.ToHashSet(StringComparer.Ordinal), frame.Time, trees.Keys);
        RequestDelegate handle = new Router(routes, trees, operators).HandleAsync;
        IReadOnlyList<IFastRoute> fast = [.. capabilities.SelectMany(capability => capability.FastRoutes)];
        FastDoorMiddleware? door = frame.Http.FastDoor && fast.Count > 0
            ? new FastDoorMiddleware(
                fast, traces, frame.Http.KeepAliveTimeout, TimeProvider.System, frame.Loggers.CreateLogger<FastDoorMiddleware>())
            : null;
        int most = maxConnections ?? frame.Http.MaxConnections;
        _front = new HttpFront(
            frame.Http with { MaxConnections = most }, OpenFiles.Of(most, capabilities.Sum(capability => capability.FilesNeeded)),
            capabilities.Max(capability => capability.LongestQuery), frame.Signals, frame.Loggers,
            traces?.Around(handle) ?? handle, frame.Services.Relief, frame.Certificate, door);
        ProcessInstruments.Observe(_meter);
        _front.Observe(_meter);
        frame.Certificate?.Observe(_meter);
    }

    /// <summary>Where it listens, once started: as it is bound.</summary>
    internal string Bound => _front.Bound;

    /// <summary>Where it listens, once started: as this machine reaches it.</summary>
    internal Uri Address => _front.Address;

    // A node without paths for everybody has it as well: it shows the same numbers, only nothing can be sent from there.
    private static Page Console => new("/console", new EmbeddedFiles("/console", "console/").HandleAsync, IsTree: true);

    /// <summary>What writes the parts of <c>/openapi.json</c>.</summary>
    internal IReadOnlyList<Func<string>> Descriptions => [.. _capabilities.Select(capability => capability.Describe).OfType<Func<string>>()];

    private StopSignals Signals => _frame.Signals;

    /// <inheritdoc/>
    public async Task StartAsync()
    {
        Signals.Register();
        if (_membership is not null)
        {
            Task joining = _membership.JoinAsync();
            if (await Task.WhenAny(joining, Signals.First).ConfigureAwait(false) != joining)
            {
                return; // a membership that does not answer must not delay the end of the process
            }

            await joining.ConfigureAwait(false);
            _membership.OnJoined();
        }

        foreach (ICapability capability in _capabilities)
        {
            capability.Start();
        }

        await _front.StartAsync().ConfigureAwait(false);
        _isListening = true;
        _introduce(this);
        foreach (ICapability capability in _capabilities)
        {
            capability.OnListening();
        }
    }

    /// <inheritdoc/>
    public async Task<int> RunAsync()
    {
        string signal = await Signals.First.ConfigureAwait(false);
        ShutdownShares end = _frame.End;
        end.Begin();
        foreach (ICapability capability in _capabilities)
        {
            TryBeginDrain(capability, signal);
        }

        await new RequestsInFlight([.. _capabilities.Select(capability => capability.HttpRequests)], _frame.Time)
            .WaitAsync(_frame.Options.ShutdownTimeout, Signals.Second).ConfigureAwait(false);
        TimeSpan left = end.LeftForDrain(
            (_membership?.Leaving ?? TimeSpan.Zero) + (_otlp is null ? TimeSpan.Zero : OtlpExport.LongestDispose)
            + _capabilities.Aggregate(TimeSpan.Zero, (sum, capability) => sum + capability.Closing));
        bool[] kept = await Task.WhenAll(_capabilities.Select(capability => TryDrainAsync(capability, left))).ConfigureAwait(false);
        if (_isListening)
        {
            await end.StopListenerAsync(_front).ConfigureAwait(false);
            await (_membership?.LeaveAsync() ?? Task.CompletedTask).ConfigureAwait(false);
        }

        return kept.All(static all => all) && _membership is null or { HasFailed: false } ? 0 : 1;
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await _frame.End.DisposeListenerAsync(_front).ConfigureAwait(false);
        await (_membership?.EndAsync() ?? Task.CompletedTask).ConfigureAwait(false);
        _metrics.Dispose();
        _otlp?.Dispose();
        foreach (ICapability capability in _capabilities)
        {
            await capability.DisposeAsync().ConfigureAwait(false);
        }

        _meter.Dispose();
        _frame.Dispose();
    }

    // The first would answer, and nobody would miss the other.
    private static void ThrowIfShared(IReadOnlyList<ICapability> capabilities)
    {
        var owners = new Dictionary<string, ICapability>(StringComparer.Ordinal);
        foreach (ICapability capability in capabilities)
        {
            foreach (string path in capability.Routes.Keys.Concat(capability.Trees.Keys).Concat(capability.Pages.Select(page => page.Path)))
            {
                if (!owners.TryAdd(path, capability) && owners[path] != capability)
                {
                    throw new InvalidOperationException(
                        $"{path} is a path of {owners[path].Name} and of {capability.Name}: one node cannot serve both.");
                }
            }
        }
    }

    // One that fails keeps none of the others from their drain: what they hold in memory would be lost.
    private void TryBeginDrain(ICapability capability, string signal)
    {
        try
        {
            capability.BeginDrain(signal, _frame.Options.ShutdownTimeout);
        }
        catch (Exception error)
        {
            LogDrainNotBegun(_logger, error, capability.Name);
        }
    }

    // Whether nothing was lost.
    private async Task<bool> TryDrainAsync(ICapability capability, TimeSpan budget)
    {
        try
        {
            return await capability.DrainAsync(budget, Signals.Second).ConfigureAwait(false) == 0;
        }
        catch (Exception error)
        {
            LogDrainFailed(_logger, error, capability.Name);
            return false;
        }
    }

    // Not ready when one of them is not; the first that cannot get rid of its work speaks for the sink.
    private sealed class NodeHealth(IReadOnlyList<ICapability> capabilities) : INodeHealth
    {
        public string? NotReadyBecause => capabilities.Select(capability => capability.NotReadyBecause).FirstOrDefault(reason => reason is not null);

        public async Task<SinkFault?> AskSinkAsync()
        {
            foreach (ICapability capability in capabilities)
            {
                if (await capability.AskSinkAsync().ConfigureAwait(false) is { } fault)
                {
                    return fault;
                }
            }

            return null;
        }
    }

    [LoggerMessage(Level = LogLevel.Critical, Message = "The drain of {Capability} could not begin; the node drains it all the same. Report this")]
    private static partial void LogDrainNotBegun(ILogger logger, Exception error, string capability);

    [LoggerMessage(Level = LogLevel.Critical,
        Message = "The drain of {Capability} failed: what it held in memory may be lost. The node ends with exit code 1. Report this")]
    private static partial void LogDrainFailed(ILogger logger, Exception error, string capability);
}
