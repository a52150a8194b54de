// The operator's pages of topics, and the one place where their failures become answers.
using System.Text.Json;
using Estat.Http;
using Estat.Http.Answering;
using Estat.Http.Bodies;
using Estat.Topics.Hosting;
using Estat.Topics.Log;
using Estat.Topics.Postgres;
using Estat.Topics.Querying;
using Microsoft.AspNetCore.Http;
using Npgsql;

namespace Estat.Topics.Http;

/// <summary>The router lets only the operator through to them.</summary>
internal sealed class AdminTopicPages
{
    private const string TopicsPath = "/admin/topics";
    private const string SinkPath = "/admin/sink";
    private const string LettersPath = "/admin/dead-letters";

    // What an order may have besides a mended value.
    private const int OrderBytes = 64 * 1024;

    private readonly AdminTopics _topics;
    private readonly AdminSink _sink;
    private readonly AdminDeadLetters _letters;

    /// <param name="engine">What they show and change.</param>
    /// <param name="queries">What the database knows of topics, and rates.</param>
    /// <param name="node">What the node gives.</param>
    internal AdminTopicPages(TopicsEngine engine, QueryService queries, NodeServices node)
    {
        int largest = engine.Options.MaxMessageBytes + OrderBytes;
        var bodies = new OrderBodies(new RequestBodies(node.Http, largest, largest, node.Relief));
        ILogger logger = node.Loggers.CreateLogger<AdminTopicPages>();
        _topics = new AdminTopics(engine, new AdminTopicJson(engine, queries), bodies, logger);
        _sink = new AdminSink(engine, bodies, node.Time, logger);
        _letters = new AdminDeadLetters(engine, bodies, logger);
    }

    /// <summary>The entries.</summary>
    internal IReadOnlyList<Page> All =>
    [
        new(TopicsPath, Guarded(TopicsAsync), IsTree: true), new(SinkPath, Guarded(SinkAsync), IsTree: true),
        new(LettersPath, Guarded(LettersAsync), IsTree: true),
    ];

    /// <summary>200, or another status, with JSON.</summary>
    /// <param name="context">The request.</param>
    /// <param name="write">Writes the members of the object.</param>
    /// <param name="status">The status.</param>
    internal static Task AnswerAsync(HttpContext context, Action<Utf8JsonWriter> write, int status = StatusCodes.Status200OK)
    {
        AnswerBuffer body = QueryAnswers.Make(write);
        context.Response.StatusCode = status;
        return QueryAnswers.WriteAsync(context, body);
    }

    /// <summary>What the operator needs a database for.</summary>
    /// <param name="engine">Has it or not.</param>
    /// <exception cref="OrderRefusedException">There is none.</exception>
    internal static OperatorDesk DeskOf(TopicsEngine engine) => engine.Desk ?? throw new OrderRefusedException(
        StatusCodes.Status409Conflict, "This node has no database: TOPICS_DATABASE is not set. Ask a node that has.");

    private Task TopicsAsync(HttpContext context) => (PartsBehind(context, TopicsPath), MethodOf(context)) switch
    {
        ([], "GET") => _topics.ListAsync(context),
        ([], _) => Problem.NotAllowedAsync(context, "GET, HEAD"),
        ([var name], "GET") => _topics.ShowAsync(context, name),
        ([var name], "PUT") => _topics.PutAsync(context, name),
        ([_], _) => Problem.NotAllowedAsync(context, "GET, HEAD, PUT"),
        ([var name, "reset"], "POST") => _sink.ResetAsync(context, name),
        ([_, "reset"], _) => Problem.NotAllowedAsync(context, "POST"),
        _ => NoPage(),
    };

    private Task SinkAsync(HttpContext context) => (PartsBehind(context, SinkPath), MethodOf(context)) switch
    {
        (["pause"], "POST") => _sink.PauseAsync(context, isPaused: true),
        (["resume"], "POST") => _sink.PauseAsync(context, isPaused: false),
        (["adopt"], "POST") => _sink.AdoptAsync(context),
        (["give-up"], "POST") => _sink.GiveUpAsync(context),
        (["pause" or "resume" or "adopt" or "give-up"], _) => Problem.NotAllowedAsync(context, "POST"),
        _ => NoPage(),
    };

    private Task LettersAsync(HttpContext context) => (PartsBehind(context, LettersPath), MethodOf(context)) switch
    {
        ([], "GET") => _letters.ListAsync(context),
        ([], _) => Problem.NotAllowedAsync(context, "GET, HEAD"),
        (["replay"], "POST") => _letters.ManyAsync(context, isReplay: true),
        (["discard"], "POST") => _letters.ManyAsync(context, isReplay: false),
        (["replay" or "discard"], _) => Problem.NotAllowedAsync(context, "POST"),
        ([var number], "GET") => _letters.ShowAsync(context, number),
        ([_], _) => Problem.NotAllowedAsync(context, "GET, HEAD"),
        ([var number, "replay"], "POST") => _letters.ReplayAsync(context, number),
        ([var number, "discard"], "POST") => _letters.DiscardAsync(context, number),
        ([_, "replay" or "discard"], _) => Problem.NotAllowedAsync(context, "POST"),
        _ => NoPage(),
    };

    private static RequestDelegate Guarded(Func<HttpContext, Task> handle) => async context =>
    {
        Problem problem;
        try
        {
            await handle(context).ConfigureAwait(false);
            return;
        }
        catch (OrderRefusedException refused)
        {
            problem = refused.Status == StatusCodes.Status503ServiceUnavailable ? Problem.Unavailable(refused.Message)
                : Problem.Of(refused.Status, refused.Message);
        }
        catch (TopicLogException error) when (error.IsBound)
        {
            problem = Problem.Of(StatusCodes.Status409Conflict, $"The log cannot do this: {error.Message.TrimEnd('.')}.");
        }
        catch (TopicLogException error)
        {
            problem = Problem.Unavailable($"The log cannot do this now: {error.Message.TrimEnd('.')}.");
        }
        catch (Exception error) when (!context.RequestAborted.IsCancellationRequested && WhyAway(error) is { } why)
        {
            problem = Problem.Unavailable(why);
        }

        await problem.WriteAsync(context).ConfigureAwait(false);
    };

    // Null: it is not the database's fault.
    private static string? WhyAway(Exception error) => error switch
    {
        PostgresException { SqlState: PostgresErrorCodes.UndefinedTable or PostgresErrorCodes.UndefinedColumn } =>
            "The database has not got the tables of this version yet. The sink makes them at its start (TOPICS_MIGRATE=true). Ask again then.",
        NpgsqlException or TimeoutException or System.Net.Sockets.SocketException =>
            $"The database does not answer as it should: {SqlErrors.Text(error).TrimEnd('.')}. Messages are still taken and kept in the log. An "
            + "order may have been carried out all the same: give it again once the database is there, it does nothing twice.",
        _ => null,
    };

    private static Task NoPage() => throw new OrderRefusedException(
        StatusCodes.Status404NotFound, "There is no such page. docs/admin-api.md lists the pages.");

    private static string[] PartsBehind(HttpContext context, string path) =>
        context.Request.Path.Value![path.Length..].Split('/', StringSplitOptions.RemoveEmptyEntries);

    private static string MethodOf(HttpContext context) =>
        HttpMethods.IsHead(context.Request.Method) ? HttpMethods.Get : context.Request.Method;
}
