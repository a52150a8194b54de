// The collecting paths over whatever takes their events: an engine, or a gateway's way to the silos.
using Estat.Base.Access;
using Estat.Base.Acks;
using Estat.Collect.Intake;
using Estat.Collect.Metrics;
using Estat.Collect.Options;
using Estat.Collect.Tailing;
using Estat.Http;
using Estat.Http.Access;
using Estat.Http.Answering;
using Estat.Http.Bodies;
using Estat.Http.FastDoor;
using Estat.Http.Intake;
using Estat.Http.Metrics;
using Estat.Http.Routing;

namespace Estat.Collect.Http;

/// <summary>Puts the endpoints together.</summary>
internal sealed class CollectHttp
{
    /// <param name="options">Limits and levels.</param>
    /// <param name="node">What the node gives.</param>
    /// <param name="ingest">Who takes the events.</param>
    /// <param name="levels">The levels that a request may ask for.</param>
    /// <param name="instruments">Where acks are timed.</param>
    /// <param name="requests">Where requests are counted.</param>
    /// <param name="keys">Who may send; null when everybody may.</param>
    /// <param name="isOpen">Whether requests without a key are taken although there are keys.</param>
    /// <param name="tail">Who watches what is accepted; null: nobody can.</param>
    internal CollectHttp(
        CollectOptions options, NodeServices node, IIngest ingest, IReadOnlyList<AckLevel> levels, EstatInstruments instruments,
        RequestCounters requests, WriteKeys? keys, bool isOpen, TailHub? tail)
    {
        var access = WriteAccess.Of(node.Http, keys, isOpen, requests, node.Time);
        var cors = new Cors(node.Http, access);
        var refusals = new CollectRefusals(options, node.Http.InflightBytes, levels, requests);
        tail ??= new TailHub(node.Time, node.Loggers.CreateLogger<TailHub>());
        var intake = new EventIntake(
            new RequestGate(cors, access, requests), new HeadRules(options, levels, ingest, refusals), ingest, new Envelope(options, node.Time),
            refusals, new AckTimer(instruments, node.Time), tail);
        var bodies = new RequestBodies(node.Http, options.MaxBodySize, options.MaxBatchBodySize, node.Relief);
        var end = new HttpRequestEnd(refusals, requests, node.Loggers.CreateLogger<CollectRoutes>());
        Routes = new CollectRoutes(
            new CollectEndpoint(bodies, intake), new PixelEndpoint(intake), new BulkEndpoint(options, intake, requests, bodies), cors, intake,
            end).All;
        FastRoutes = [new CollectFastRoute(CollectRoutes.Event, intake, end)];
        Pages = [SnippetPage.Create()];
        Describe = () => CollectOpenApi.Write(options, levels);
    }

    /// <summary>Who handles which path.</summary>
    internal IReadOnlyDictionary<string, PathHandler> Routes { get; }

    /// <summary>What the fast door takes.</summary>
    internal IReadOnlyList<IFastRoute> FastRoutes { get; }

    /// <summary>What is open to everybody beside them.</summary>
    internal IReadOnlyList<Page> Pages { get; }

    /// <summary>Writes their description.</summary>
    internal Func<string> Describe { get; }
}
