// The collecting paths: which method goes where, and what becomes of what goes wrong on the way.
using Microsoft.AspNetCore.Http;
using Estat.Collect.Intake;
using Estat.Http.Access;
using Estat.Http.Answering;
using Estat.Http.Connections;
using Estat.Http.Intake;
using Estat.Http.Routing;

namespace Estat.Collect.Http;

/// <summary>
/// What goes wrong while an event is read ends in <see cref="HttpRequestEnd"/>. Methods are compared by case (RFC 9110, 9.1), as Kestrel does: it
/// sends a body after "head" and none after "HEAD".
/// </summary>
internal sealed class CollectRoutes
{
    /// <summary>Where one event comes in.</summary>
    internal const string Event = "/collect";

    private const string Pixel = "/collect.gif";
    private const string Batch = "/collect/batch";

    private readonly CollectEndpoint _collect;
    private readonly Cors _cors;
    private readonly EventIntake _intake;
    private readonly HttpRequestEnd _end;
    private readonly RequestDelegate _pixelAsNothing;
    private readonly RequestDelegate _pixelAsGif;
    private readonly RequestDelegate _batch;

    internal CollectRoutes(
        CollectEndpoint collect, PixelEndpoint pixel, BulkEndpoint bulk, Cors cors, EventIntake intake, HttpRequestEnd end)
    {
        _collect = collect;
        _cors = cors;
        _intake = intake;
        _end = end;
        _pixelAsNothing = context => pixel.HandleAsync(context, asGif: false);
        _pixelAsGif = context => pixel.HandleAsync(context, asGif: true);
        _batch = bulk.HandleAsync;
    }

    /// <summary>Who handles which path.</summary>
    internal IReadOnlyDictionary<string, PathHandler> All => new Dictionary<string, PathHandler>(StringComparer.Ordinal)
    {
        [Event] = HandleEventAsync,
        [Pixel] = HandlePixelAsync,
        [Batch] = HandleBatchAsync,
    };

    private Task HandleEventAsync(HttpContext context, ConnectionSeat? seat)
    {
        string method = context.Request.Method;
        return method == HttpMethods.Post ? CollectAsync(context, seat)
            : method == HttpMethods.Get ? CountAsync(context, seat, _pixelAsNothing)
            : OtherwiseAsync(context, seat, "GET, POST, OPTIONS");
    }

    private Task HandlePixelAsync(HttpContext context, ConnectionSeat? seat) =>
        context.Request.Method == HttpMethods.Get ? CountAsync(context, seat, _pixelAsGif) : OtherwiseAsync(context, seat, "GET, OPTIONS");

    private Task HandleBatchAsync(HttpContext context, ConnectionSeat? seat) =>
        context.Request.Method == HttpMethods.Post ? CountAsync(context, seat, _batch) : OtherwiseAsync(context, seat, "POST, OPTIONS");

    private Task OtherwiseAsync(HttpContext context, ConnectionSeat? seat, string allowed)
    {
        if (context.Request.Method == HttpMethods.Options)
        {
            return ConnectionSeat.EndAfterAsync(seat, _cors.PreflightAsync(context));
        }

        HttpAnswers.Show(context, _intake.PageOf(new HttpRequestView(context)));
        return ConnectionSeat.EndAfterAsync(seat, Problem.NotAllowedAsync(context, allowed));
    }

    // Without a state machine while everything completes at once, as it does for nearly every event.
    private Task CollectAsync(HttpContext context, ConnectionSeat? seat)
    {
        long ordinal = Begin(context);
        Task handling;
        try
        {
            handling = _collect.HandleAsync(context, ordinal);
        }
        catch (Exception error)
        {
            handling = Task.FromException(error);
        }

        if (handling.IsCompletedSuccessfully)
        {
            _intake.End();
            seat?.End();
            return Task.CompletedTask;
        }

        return _end.FinishAsync(context, seat, handling);
    }

    private Task CountAsync(HttpContext context, ConnectionSeat? seat, RequestDelegate handle)
    {
        Begin(context);
        return _end.RunAsync(context, seat, handle);
    }

    private long Begin(HttpContext context)
    {
        HttpAnswers.Show(context, _intake.PageOf(new HttpRequestView(context)));
        return _intake.Begin();
    }
}
