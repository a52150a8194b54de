// A node's HTTP, over whatever takes its events: the same in the standalone server, in a silo and in a gateway.
using Microsoft.AspNetCore.Http;
using Estat.Base.Access;
using Estat.Base.Acks;
using Estat.Base.Metrics;
using Estat.Collect.Intake;
using Estat.Collect.Metrics;
using Estat.Collect.Options;
using Estat.Collect.Tailing;
using Estat.Http.Access;
using Estat.Http.Answering;
using Estat.Http.Bodies;
using Estat.Http.Connections;
using Estat.Http.Health;
using Estat.Http.Metrics;
using Estat.Http.Options;
using Estat.Http.Routing;
using Estat.Http.Tracing;

namespace Estat.Collect.Http;

/// <summary>What a node's HTTP is made over.</summary>
/// <param name="Options">Limits and levels.</param>
/// <param name="Http">Limits, headers and who may ask what.</param>
/// <param name="Node">Which requests are traced.</param>
/// <param name="Health">How the node is.</param>
/// <param name="Metrics">The text of <c>/metrics</c>.</param>
/// <param name="Instruments">Where acks are timed.</param>
/// <param name="Requests">Where requests are counted.</param>
/// <param name="Time">The clock of arrival.</param>
/// <param name="Loggers">Where failed requests are logged.</param>
/// <param name="Pages">Paths of this kind of node alone; those that are not open are guarded here.</param>
/// <param name="Keys">Who may send; null when everybody may.</param>
/// <param name="IsOpen">Whether requests without a key are taken although there are keys.</param>
/// <param name="Tail">Who watches what is accepted; null: nobody can.</param>
internal sealed record HttpSurface(
    CollectOptions Options, HttpOptions Http, NodeOptions Node, INodeHealth Health, PrometheusText Metrics, EstatInstruments Instruments,
    RequestCounters Requests, TimeProvider Time, ILoggerFactory Loggers, IReadOnlyList<Page>? Pages = null, WriteKeys? Keys = null,
    bool IsOpen = false, TailHub? Tail = null)
{
    // A silo without collecting paths has it as well: it shows the same numbers, only nothing can be sent from there.
    private static Page Console => new("/console", new EmbeddedFiles("/console", "console/").HandleAsync, IsTree: true);

    /// <summary>Is told of requests that hold much memory; the server that listens disposes of it.</summary>
    internal HeapRelief Relief { get; } = new(TimeProvider.System);

    /// <summary>All of Estat's HTTP.</summary>
    /// <param name="ingest">Who takes the events.</param>
    /// <param name="levels">The levels that a request may ask for.</param>
    internal RequestDelegate Collecting(IIngest ingest, IReadOnlyList<AckLevel> levels)
    {
        var answers = new Answers(Options, Http.InflightBytes, levels, Requests);
        var envelope = new Envelope(Options, Time);
        var access = WriteAccess.Of(Http, Keys, IsOpen, Requests, Time);
        TailHub tail = Tail ?? new TailHub(Time, Loggers.CreateLogger<TailHub>());
        var bodies = new RequestBodies(Http, Options.MaxBodySize, Options.MaxBatchBodySize, Relief);
        var routes = new CollectRoutes(
            new CollectEndpoint(bodies, ingest, envelope, answers, access, Instruments, tail, Time),
            new PixelEndpoint(Options, ingest, envelope, answers, access, tail),
            new BulkEndpoint(Options, ingest, envelope, answers, access, Requests, bodies, tail),
            new Cors(Http, access), answers, Requests, Loggers.CreateLogger<CollectRoutes>());
        OperatorRouter operators = Operators(CollectRoutes.Names, SnippetPage.Create(), OpenApiPage.Create(Options, levels));
        return RequestTraces.Around(new Router(routes.All, operators).HandleAsync, Node, CollectRoutes.Paths, Time);
    }

    /// <summary>Health and metrics alone, for a node that takes its events in another way.</summary>
    internal RequestDelegate OperatorsOnly()
    {
        OperatorRouter operators = Operators("");
        return ConnectionSeat.Around(context =>
        {
            Http10.EndAfterChunks(context);
            return operators.HandleAsync(context);
        });
    }

    // The pace of scrapes is the machine's, whatever the clock of arrival is.
    private OperatorRouter Operators(string paths, params Page[] own)
    {
        var access = new AdminAccess(Http, Instruments.Meter, Time, Loggers);
        return new OperatorRouter(
            new HealthEndpoints(Health, access), new SharedScrape(Metrics.Write, TimeProvider.System), paths,
            [.. own, Console, .. Pages ?? []], access,
            Loggers.CreateLogger<OperatorRouter>());
    }
}
