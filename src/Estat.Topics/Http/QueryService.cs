// Queries as a whole: everything behind their paths, put together.
using Estat.Http;
using Estat.Http.Access;
using Estat.Http.Bodies;
using Estat.Topics.Log;
using Estat.Topics.Options;
using Estat.Topics.Querying;
using Microsoft.AspNetCore.Http;

namespace Estat.Topics.Http;

/// <summary>Owns the connections of queries. The log, the sink and who may read stay their owners'.</summary>
internal sealed class QueryService : IAsyncDisposable
{
    private const string PageHeaders = "Authorization, Content-Type, X-Api-Key, traceparent, tracestate";
    private const string PageReads = "Retry-After";
    private const int LongestBody = 4096;

    private readonly LogEndpoint _log;
    private readonly QueryRoutes _routes;

    /// <param name="options">Checked options.</param>
    /// <param name="connectionString">Npgsql's; empty: TOPICS_DATABASE is not set.</param>
    /// <param name="log">The log.</param>
    /// <param name="sink">The node's sink; null without.</param>
    /// <param name="readers">Who may read.</param>
    /// <param name="refusals">The answers to what cannot be asked.</param>
    /// <param name="node">What the node gives.</param>
    internal QueryService(
        TopicsOptions options, string connectionString, ITopicLog log, ISinkState? sink, IReaders readers, QueryRefusals refusals, NodeServices node)
    {
        Database = new QueryDatabase(connectionString, options, node.Time, node.Loggers.CreateLogger<QueryDatabase>());
        Rates = new TopicRates(log, node.Time);
        Status = new TopicStatusTable(Database, options.SinkName);
        _log = new LogEndpoint(log, refusals, node.Stopping, node.Time);
        var endpoints = new QueryEndpoints(
            new RowsEndpoint(new RowReader(Database, node.Time), refusals),
            new AggregateEndpoint(new MetricAggregates(Database, node.Time), refusals),
            new ErrorEndpoint(new ErrorMarks(Database, node.Time), new RequestBodies(node.Http, LongestBody, 1, node.Relief), refusals),
            new TopicsEndpoint(log, Status, Rates, sink, options.Retention, refusals, node.Time),
            _log);
        _routes = new QueryRoutes(
            endpoints, readers, new UserCors(node.Http, PageHeaders, PageReads), refusals, new ApiProblems(node.Time));
    }

    /// <summary>Its connections, and what happened to queries.</summary>
    internal QueryDatabase Database { get; }

    /// <summary>Messages a second of each topic.</summary>
    internal TopicRates Rates { get; }

    /// <summary>What the database knows of topics.</summary>
    internal TopicStatusTable Status { get; }

    /// <summary>Answers an HTTP request to a path below <c>/api</c>; 404 where nothing is. The caller counts its begin and its end.</summary>
    internal Task HandleAsync(HttpContext context) => _routes.HandleAsync(context);

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        Rates.Dispose();
        _log.Dispose();
        await Database.DisposeAsync().ConfigureAwait(false);
    }
}
