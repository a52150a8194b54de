// Which request goes where: the table of the collecting paths; the others are in OperatorRouter.
using Estat.Api.Bulk;
using Estat.Api.Collecting;
using Estat.Api.Connections;
using Estat.Api.Http;
using Estat.Base.Threading;
using Estat.Collect.Metrics;
using Microsoft.AspNetCore.Connections;

namespace Estat.Api.Routing;

/// <summary>
/// The one request delegate. It matches paths itself: a table of seven fixed paths needs no routing middleware on the way of every event. What goes
/// wrong while an event is read ends here: answered, counted and, if it is our fault, logged. However a request ends, what it began to count ends
/// with it: its connection's seat and the request itself.
/// </summary>
internal sealed partial class Router(
    CollectEndpoint collect, PixelEndpoint pixel, BulkEndpoint bulk, OperatorRouter operators, Cors cors, Answers answers, RequestCounters requests,
    ILogger<Router> logger)
{
    // Kestrel's words for a body that is shorter than announced; it gives no other sign.
    private const string EndedEarly = "Unexpected end of request content.";

    // How its complaint of a NUL in a trailer ends, which it throws as if it were the application's fault.
    private const string NulInTrailer = "not allowed in request headers.";

    private readonly RequestDelegate _pixelAsNothing = context => pixel.HandleAsync(context, asGif: false);
    private readonly RequestDelegate _pixelAsGif = context => pixel.HandleAsync(context, asGif: true);
    private readonly RequestDelegate _batch = bulk.HandleAsync;

    /// <summary>Handles any request. Methods are compared by case (RFC 9110, 9.1), as Kestrel does: it sends a body after "head" and none after
    /// "HEAD".</summary>
    internal Task HandleAsync(HttpContext context)
    {
        ConnectionSeat? seat = ConnectionSeat.Of(context);
        if (seat?.TryBegin() == false)
        {
            context.Abort(); // it was just taken for idle: nobody has read the request, and its client may send it again
            return Task.CompletedTask;
        }

        return FairShare.MayStay(context) ? RouteAsync(context, seat) : SwitchAndRouteAsync(context, seat);
    }

    private async Task SwitchAndRouteAsync(HttpContext context, ConnectionSeat? seat)
    {
        await PoolThread.Switch();
        await RouteAsync(context, seat).ConfigureAwait(false);
    }

    // What throws here has not been handed on to anybody who would end the seat.
    private Task RouteAsync(HttpContext context, ConnectionSeat? seat)
    {
        try
        {
            return ChooseAsync(context, seat);
        }
        catch (Exception error)
        {
            seat?.End();
            return Task.FromException(error);
        }
    }

    private Task ChooseAsync(HttpContext context, ConnectionSeat? seat)
    {
        if (context.Request.ContentLength is null)
        {
            Http10.EndAfterChunks(context);
        }

        string method = context.Request.Method;
        switch (context.Request.Path.Value)
        {
            case "/collect" when method == HttpMethods.Post:
                return CollectAsync(context, seat);
            case "/collect" when method == HttpMethods.Get:
                return CountAsync(context, seat, _pixelAsNothing);
            case "/collect.gif" when method == HttpMethods.Get:
                return CountAsync(context, seat, _pixelAsGif);
            case "/collect/batch" when method == HttpMethods.Post:
                return CountAsync(context, seat, _batch);
            case "/collect" or "/collect.gif" or "/collect/batch" when method == HttpMethods.Options:
                return EndAsync(seat, cors.PreflightAsync(context));
            case "/collect":
                cors.Apply(context);
                return EndAsync(seat, Problem.NotAllowedAsync(context, "GET, POST, OPTIONS"));
            case "/collect.gif":
                cors.Apply(context);
                return EndAsync(seat, Problem.NotAllowedAsync(context, "GET, OPTIONS"));
            case "/collect/batch":
                cors.Apply(context);
                return EndAsync(seat, Problem.NotAllowedAsync(context, "POST, OPTIONS"));
            default:
                return EndAsync(seat, operators.HandleAsync(context));
        }
    }

    private static async Task EndAsync(ConnectionSeat? seat, Task handling)
    {
        try
        {
            await handling.ConfigureAwait(false);
        }
        finally
        {
            seat?.End();
        }
    }

    // Without a state machine while everything completes at once, as it does for nearly every event.
    private Task CollectAsync(HttpContext context, ConnectionSeat? seat)
    {
        long ordinal = Begin(context);
        Task handling;
        try
        {
            handling = collect.HandleAsync(context, ordinal);
        }
        catch (Exception error)
        {
            handling = Task.FromException(error);
        }

        if (handling.IsCompletedSuccessfully)
        {
            requests.Ended.Increment();
            seat?.End();
            return Task.CompletedTask;
        }

        return FinishAsync(context, seat, handling);
    }

    private Task CountAsync(HttpContext context, ConnectionSeat? seat, RequestDelegate handle)
    {
        Begin(context);
        Task handling;
        try
        {
            handling = handle(context);
        }
        catch (Exception error)
        {
            handling = Task.FromException(error);
        }

        return FinishAsync(context, seat, handling);
    }

    private long Begin(HttpContext context)
    {
        cors.Apply(context);
        return requests.Started.Increment();
    }

    private async Task FinishAsync(HttpContext context, ConnectionSeat? seat, Task handling)
    {
        try
        {
            await handling.ConfigureAwait(false);
        }
        catch (BadHttpRequestException error) when (error.Message == EndedEarly)
        {
            answers.GoneAway(context);
        }
        catch (BadHttpRequestException error)
        {
            await answers.BadRequestAsync(context, error).ConfigureAwait(false);
        }
        catch (InvalidDataException error)
        {
            await answers.MalformedAsync(context, $"The body cannot be decoded by its Content-Encoding: {error.Message}.").ConfigureAwait(false);
        }
        catch (Exception error) when (error is ClientLeftException or ConnectionResetException or ConnectionAbortedException)
        {
            // The token below may learn of it only after this.
            answers.GoneAway(context);
        }
        catch (Exception error) when (context.RequestAborted.IsCancellationRequested && error is IOException or OperationCanceledException)
        {
            answers.GoneAway(context);
        }
        catch (IOException error) when (error.InnerException is OverflowException)
        {
            await answers.MalformedAsync(context, "Invalid chunk size.").ConfigureAwait(false);
        }
        catch (InvalidOperationException error) when (error.Message.EndsWith(NulInTrailer, StringComparison.Ordinal))
        {
            await answers.BadRequestAsync(context, new BadHttpRequestException("A trailer holds a NUL.")).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            await answers.TimeoutAsync(context).ConfigureAwait(false);
        }
        catch (Exception error)
        {
            LogRequestFailed(logger, error, context.Request.Method, context.Request.Path);
            await Problem.OurFault.WriteAsync(context).ConfigureAwait(false);
        }
        finally
        {
            requests.Ended.Increment();
            seat?.End();
        }
    }

    [LoggerMessage(Level = LogLevel.Error, Message = "{Method} {Path} failed")]
    private static partial void LogRequestFailed(ILogger logger, Exception error, string method, PathString path);
}
