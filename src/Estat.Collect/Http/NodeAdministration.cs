// The pages of one node, put together: the same in the standalone server, in a silo and in a gateway.
using Estat.Base.Acks;
using Estat.Base.Metrics;
using Estat.Collect.Administration;
using Estat.Collect.Hosting;
using Estat.Collect.Metrics;
using Estat.Collect.Options;
using Estat.Collect.Tailing;
using Estat.Http.Administration;
using Estat.Http.Answering;
using Estat.Http.Metrics;
using Microsoft.AspNetCore.Http;

namespace Estat.Collect.Http;

/// <summary>Owns what the pages share.</summary>
internal sealed class NodeAdministration
{
    private static readonly Problem NothingComesHere = Problem.Of(
        StatusCodes.Status404NotFound,
        "This silo gets its events from gateways. Watch the tail of a gateway: it shows the events that this gateway accepts.");

    private readonly AdminPages _pages;

    /// <param name="options">Checked options.</param>
    /// <param name="areKeysConfigured">Whether requests need a write key.</param>
    /// <param name="node">Whose state it is.</param>
    /// <param name="peers">The nodes beside it.</param>
    /// <param name="stopping">Completes when the node begins to drain.</param>
    /// <param name="time">Clock.</param>
    /// <param name="loggers">Where failures are logged.</param>
    internal NodeAdministration(
        CollectOptions options, bool areKeysConfigured, AdministeredNode node, IPeerNodes peers, Task stopping, TimeProvider time,
            ILoggerFactory loggers)
    {
        var sampler = new StateSampler(
            node.Facts(options, areKeysConfigured, time), node.Requests, node.Instruments, node.AcceptedRequests, node.NotReadyBecause, node.Engine,
                time);
        var own = new SharedReading<NodeReading>(async () =>
        {
            NodeState state = await sampler.ReadAsync().ConfigureAwait(false);
            return new NodeReading(state.ToJson());
        }, time);
        Desk = new AdminDesk(options.Storage, own, node.Engine, node.Spools, loggers);
        TailEndpoint? tail = node.IsCollecting ? new TailEndpoint(Tail = new TailHub(time, loggers.CreateLogger<TailHub>()), stopping, time) : null;
        Page tailing = new(AdminPaths.Tail, context => TailAsync(context, tail));
        _pages = new AdminPages(
            Desk, new NodeDirectory(node.Name, own, peers, time), [tailing],
            [AdminPaths.Objects, AdminPaths.Dlq, AdminPaths.Quarantine, AdminPaths.Uploads, AdminPaths.Spools], stopping);
    }

    /// <summary>Answers for this node; what a gateway asks a silo's.</summary>
    internal IAdminDesk Desk { get; }

    /// <summary>Where accepted events are shown; null where none come by HTTP.</summary>
    internal TailHub? Tail { get; }

    /// <summary>The entries of the router's table.</summary>
    internal IReadOnlyList<Page> Pages => _pages.All;

    // A stream has no end, so there is no HEAD of one.
    private static Task TailAsync(HttpContext context, TailEndpoint? tail) =>
        !HttpMethods.IsGet(context.Request.Method) ? Problem.NotAllowedAsync(context, "GET") : tail is null ? NothingComesHere.WriteAsync(context)
            : tail.HandleAsync(context);
}

/// <summary>What the pages are about.</summary>
/// <param name="Name">The node's name.</param>
/// <param name="Role">standalone, silo, gateway or both.</param>
/// <param name="Levels">The ack levels that it offers.</param>
/// <param name="Requests">Counters of its HTTP.</param>
/// <param name="Instruments">Where its acks are timed.</param>
/// <param name="AcceptedRequests">Requests whose events were taken.</param>
/// <param name="NotReadyBecause">Why it takes no events; null when it does.</param>
/// <param name="Engine">What keeps its events; null at a gateway.</param>
/// <param name="Storage">Where objects go; null at a gateway.</param>
/// <param name="IsCollecting">Whether events come to it over HTTP.</param>
internal sealed record AdministeredNode(
    string Name, string Role, IReadOnlyList<AckLevel> Levels, RequestCounters Requests, EstatInstruments Instruments, Func<long> AcceptedRequests,
    Func<string?> NotReadyBecause, Engine? Engine = null, string? Storage = null, bool IsCollecting = true)
{
    /// <summary>The reminders of the cluster's spools; null at a node that cannot reach them.</summary>
    internal ISpoolReminders? Spools { get; init; }

    /// <summary>A node that keeps events itself.</summary>
    internal static AdministeredNode Of(Engine engine, string name, string role, string storage, bool isCollecting = true) => new(
        name, role, engine.Levels, engine.Requests, engine.Instruments, () => engine.AcceptedRequests,
        () => engine.NotReadyBecause, engine, storage, isCollecting);

    /// <summary>What does not change while it runs.</summary>
    internal NodeFacts Facts(CollectOptions options, bool areKeysConfigured, TimeProvider time) => new(
        Name, Role, Engine?.Instance, typeof(NodeAdministration).Assembly.GetName().Version?.ToString(3)
            ?? "", Moments.ToMilliseconds(time.GetUtcNow()), options.Ack.ToText(),
        [.. Levels.Select(level => level.ToText())], Storage, options.Storage.RawPrefix, options.Storage.DlqPrefix,
            options.FlushInterval.TotalSeconds,
        KeysConfigured: areKeysConfigured);
}
