// How a request ends behind Kestrel, whatever goes wrong on the way.
using Estat.Http.Answering;
using Estat.Http.Bodies;
using Estat.Http.Connections;
using Estat.Http.Metrics;
using Microsoft.AspNetCore.Connections;

namespace Estat.Http.Intake;

/// <summary>
/// What goes wrong while a request is handled ends here: answered, counted and, if it is our fault, logged. However a request ends, what it began to
/// count ends with it, and so does its connection's seat.
/// </summary>
/// <param name="refusals">The capability's answers.</param>
/// <param name="requests">Where its requests are counted.</param>
/// <param name="logger">Where our faults are told.</param>
internal sealed partial class HttpRequestEnd(IReadingRefusals refusals, RequestCounters requests, ILogger logger)
{
    // Kestrel's words for a body that is shorter than announced; it gives no other sign.
    private const string EndedEarly = "Unexpected end of request content.";

    // How its complaint of a NUL in a trailer ends, which it throws as if it were the application's fault.
    private const string NulInTrailer = "not allowed in request headers.";

    /// <summary>Handles a request and ends it. Its begin was counted.</summary>
    internal Task RunAsync(HttpContext context, ConnectionSeat? seat, RequestDelegate handle)
    {
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

    /// <summary>Waits for what handles a request, and ends it.</summary>
    internal async Task FinishAsync(HttpContext context, ConnectionSeat? seat, Task handling)
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
            await HttpAnswers.WriteAsync(context, Wrong(error.StatusCode, error.Message)).ConfigureAwait(false);
        }
        catch (InvalidDataException error)
        {
            await HttpAnswers.WriteAsync(context, refusals.Malformed($"The body cannot be decoded by its Content-Encoding: {error.Message}."))
                .ConfigureAwait(false);
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
            await HttpAnswers.WriteAsync(context, refusals.Malformed("Invalid chunk size.")).ConfigureAwait(false);
        }
        catch (InvalidOperationException error) when (error.Message.EndsWith(NulInTrailer, StringComparison.Ordinal))
        {
            await HttpAnswers.WriteAsync(context, Wrong(StatusCodes.Status400BadRequest, "A trailer holds a NUL.")).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            await HttpAnswers.WriteAsync(context, refusals.Timeout).ConfigureAwait(false);
        }
        catch (Exception error)
        {
            OnFault(error, context.Request.Method, context.Request.Path);
            await Problem.OurFault.WriteAsync(context).ConfigureAwait(false);
        }
        finally
        {
            requests.Ended.Increment();
            seat?.End();
        }
    }

    /// <summary>Logs what is the node's own fault. It is answered by <see cref="Problem.OurFault"/>.</summary>
    internal void OnFault(Exception error, string method, PathString path) => LogRequestFailed(logger, error, method, path);

    // What Kestrel found wrong with a body, after which the rest of the request is not worth reading.
    private Refusal Wrong(int status, string detail) =>
        status == StatusCodes.Status408RequestTimeout ? refusals.Timeout : new Refusal(Problem.Final(status, detail), requests.Invalid);

    // There is nobody to answer, and nothing more to read.
    private void GoneAway(HttpContext context)
    {
        requests.Aborted.Increment();
        context.Abort();
    }

    [LoggerMessage(Level = LogLevel.Error, Message = "{Method} {Path} failed")]
    private static partial void LogRequestFailed(ILogger logger, Exception error, string method, PathString path);
}
