// A node's HTTP, over whatever takes its events: the same in the standalone server, in a silo and in a gateway.
using Estat.Api.Access;
using Estat.Api.Bulk;
using Estat.Api.Collecting;
using Estat.Api.Connections;
using Estat.Api.Health;
using Estat.Api.Http;
using Estat.Api.Metrics;
using Estat.Api.OpenApi;
using Estat.Api.Options;
using Estat.Api.Routing;
using Estat.Api.Snippet;
using Estat.Base.Access;
using Estat.Base.Acks;
using Estat.Base.Metrics;
using Estat.Collect.Intake;
using Estat.Collect.Metrics;
using Estat.Collect.Tailing;

namespace Estat.Api.Hosting;

/// <summary>What a node's HTTP is made over.</summary>
/// <param name="Options">Limits, headers and levels.</param>
/// <param name="Health">How the node is.</param>
/// <param name="Metrics">The text of <c>/metrics</c>.</param>
/// <param name="Instruments">Where acks are timed.</param>
/// <param name="Requests">Where requests are counted.</param>
/// <param name="Time">The clock of arrival.</param>
/// <param name="Loggers">Where failed requests are logged.</param>
/// <param name="Pages">Paths of this kind of node alone; those that are not open are guarded here.</param>
/// <param name="Keys">Who may send; null when whoever reaches it may.</param>
/// <param name="Tail">Who watches what is accepted; null: nobody can.</param>
internal sealed record HttpSurface(
    EstatOptions Options, INodeHealth Health, PrometheusText Metrics, EstatInstruments Instruments, RequestCounters Requests, TimeProvider Time,
    ILoggerFactory Loggers, IReadOnlyList<Page>? Pages = null, WriteKeys? Keys = null, TailHub? Tail = null)
{
    private const string CollectingPaths = "/collect, /collect.gif, /collect/batch, ";

    // A silo without collecting paths has it as well: it shows the same numbers, only nothing can be sent from there.
    private static Page Console => new("/console", new EmbeddedFiles("/console", "console/").HandleAsync, IsTree: true);

    /// <summary>Is told of requests that hold much memory; the server that listens disposes of it.</summary>
    internal HeapRelief Relief { get; } = new(TimeProvider.System);

    /// <summary>All of Estat's HTTP.</summary>
    /// <param name="ingest">Who takes the events.</param>
    /// <param name="levels">The levels that a request may ask for.</param>
    internal RequestDelegate Collecting(IIngest ingest, IReadOnlyList<AckLevel> levels)
    {
        var answers = new Answers(Options, levels, Requests);
        var envelope = new Envelope(Options, Time);
        var access = WriteAccess.Of(Options, Keys, Requests, Time);
        TailHub tail = Tail ?? new TailHub(Time, Loggers.CreateLogger<TailHub>());
        var bodies = new RequestBodies(Options, Relief);
        return RequestTraces.Around(new Router(
            new CollectEndpoint(bodies, ingest, envelope, answers, access, Instruments, tail, Time),
            new PixelEndpoint(Options, ingest, envelope, answers, access, tail),
            new BulkEndpoint(Options, ingest, envelope, answers, access, Requests, bodies, tail),
            Operators(CollectingPaths, SnippetPage.Create(), OpenApiPage.Create(Options, levels)),
            new Cors(Options, access), answers, Requests, Loggers.CreateLogger<Router>()).HandleAsync, Options, Time);
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
        var access = new AdminAccess(Options, Instruments, Time, Loggers);
        return new OperatorRouter(
            new HealthEndpoints(Health, access), new SharedScrape(Metrics.Write, TimeProvider.System), paths,
            [.. own, Console, .. Pages ?? []], access,
            Loggers.CreateLogger<OperatorRouter>());
    }
}
