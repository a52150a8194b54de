// The collecting paths: which method goes where, and what becomes of what goes wrong on the way.
using Microsoft.AspNetCore.Http;
using Estat.Collect.Intake;
using Estat.Http.Access;
using Estat.Http.Answering;
using Estat.Http.Bodies;
using Estat.Http.Connections;
using Estat.Http.Intake;
using Estat.Http.Metrics;
using Estat.Http.Routing;
using Microsoft.AspNetCore.Connections;

namespace Estat.Collect.Http;

/// <summary>
/// What goes wrong while an event is read ends here: answered, counted and, if it is our fault, logged. However a request ends, what it began to
/// count ends with it. Methods are compared by case (RFC 9110, 9.1), as Kestrel does: it sends a body after "head" and none after "HEAD".
/// </summary>
internal sealed partial class CollectRoutes
{
    private const string Event = "/collect";
    private const string Pixel = "/collect.gif";
    private const string Batch = "/collect/batch";

    // Kestrel's words for a body that is shorter than announced; it gives no other sign.
    private const string EndedEarly = "Unexpected end of request content.";

    // How its complaint of a NUL in a trailer ends, which it throws as if it were the application's fault.
    private const string NulInTrailer = "not allowed in request headers.";

    private readonly CollectEndpoint _collect;
    private readonly Cors _cors;
    private readonly EventIntake _intake;
    private readonly RequestCounters _requests;
    private readonly ILogger<CollectRoutes> _logger;
    private readonly RequestDelegate _pixelAsNothing;
    private readonly RequestDelegate _pixelAsGif;
    private readonly RequestDelegate _batch;

    internal CollectRoutes(
        CollectEndpoint collect, PixelEndpoint pixel, BulkEndpoint bulk, Cors cors, EventIntake intake, RequestCounters requests,
        ILogger<CollectRoutes> logger)
    {
        _collect = collect;
        _cors = cors;
        _intake = intake;
        _requests = requests;
        _logger = logger;
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
        HttpAnswers.Show(context, _intake.PageOf(new HttpRequestView(context)));
        return _intake.Begin();
    }

    private async Task FinishAsync(HttpContext context, ConnectionSeat? seat, Task handling)
    {
        try
        {
            await handling.ConfigureAwait(false);
        }
        catch (BadHttpRequestException error) when (error.Message == EndedEarly)
        {
            GoneAway(context);
        }
        catch (BadHttpRequestException error)
        {
            await HttpAnswers.WriteAsync(context, _intake.Refusals.Wrong(error.StatusCode, error.Message)).ConfigureAwait(false);
        }
        catch (InvalidDataException error)
        {
            await HttpAnswers.WriteAsync(
                context, _intake.Refusals.Malformed($"The body cannot be decoded by its Content-Encoding: {error.Message}.")).ConfigureAwait(false);
        }
        catch (Exception error) when (error is ClientLeftException or ConnectionResetException or ConnectionAbortedException)
        {
            // The token below may learn of it only after this.
            GoneAway(context);
        }
        catch (Exception error) when (context.RequestAborted.IsCancellationRequested && error is IOException or OperationCanceledException)
        {
            GoneAway(context);
        }
        catch (IOException error) when (error.InnerException is OverflowException)
        {
            await HttpAnswers.WriteAsync(context, _intake.Refusals.Malformed("Invalid chunk size.")).ConfigureAwait(false);
        }
        catch (InvalidOperationException error) when (error.Message.EndsWith(NulInTrailer, StringComparison.Ordinal))
        {
            await HttpAnswers.WriteAsync(
                context, _intake.Refusals.Wrong(StatusCodes.Status400BadRequest, "A trailer holds a NUL.")).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            await HttpAnswers.WriteAsync(context, _intake.Refusals.Timeout).ConfigureAwait(false);
        }
        catch (Exception error)
        {
            LogRequestFailed(_logger, error, context.Request.Method, context.Request.Path);
            await Problem.OurFault.WriteAsync(context).ConfigureAwait(false);
        }
        finally
        {
            _intake.End();
            seat?.End();
        }
    }

    // There is nobody to answer, and nothing more to read.
    private void GoneAway(HttpContext context)
    {
        _requests.Aborted.Increment();
        context.Abort();
    }

    [LoggerMessage(Level = LogLevel.Error, Message = "{Method} {Path} failed")]
    private static partial void LogRequestFailed(ILogger logger, Exception error, string method, PathString path);
}
