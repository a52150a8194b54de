// /admin/uploads: orders about all that a node has not stored yet.
using Estat.Collect.Hosting;
using Estat.Http.Administration;

namespace Estat.Collect.Http;

/// <summary>Passes the orders on to the engine, and writes down who gave them.</summary>
internal sealed partial class UploadOrders(Engine engine, ILogger<UploadOrders> logger)
{
    private const string Due = "due";
    private const string Failed = "failed";

    /// <summary>Answers what lies below /admin/uploads.</summary>
    /// <param name="request">The request.</param>
    /// <param name="rest">The path behind /admin/uploads, without a leading slash.</param>
    /// <param name="cancellationToken">Ends the waiting, not the order.</param>
    internal async Task<AdminReply> AnswerAsync(AdminRequest request, string rest, CancellationToken cancellationToken) =>
        (request.Method, rest) switch
        {
            ("POST", "flush") => Flush(request),
            ("POST", "retry") => await RetryAsync(request, cancellationToken).ConfigureAwait(false),
            (_, "flush" or "retry") => AdminDesk.NotAllowed("POST"),
            _ => AdminDesk.NotFound(request.Path),
        };

    private AdminReply Flush(AdminRequest request)
    {
        FlushedBatches flushed = engine.Flush();
        LogFlushed(logger, request.Asker, flushed.Batches, flushed.Events);
        return AdminJson.Reply(new Flushed(flushed.Batches, flushed.Events), AdminJson.Readable.Flushed);
    }

    private async Task<AdminReply> RetryAsync(AdminRequest request, CancellationToken cancellationToken)
    {
        RetriedUploads retried = await engine.RetryAsync().WaitAsync(cancellationToken).ConfigureAwait(false);
        if (retried.Fault is null)
        {
            LogRetried(logger, request.Asker, retried.Segments, retried.Files);
        }

        return AdminJson.Reply(
            new Retried(retried.Fault is null ? Due : Failed, retried.Segments, retried.Files, retried.Fault), AdminJson.Readable.Retried);
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "{Asker} flushed {Batches} open batches with {Events} events; they are uploaded now")]
    private static partial void LogFlushed(ILogger logger, string asker, int batches, long events);

    [LoggerMessage(Level = LogLevel.Information,
        Message = "{Asker} made {Segments} batches of the spool and {Files} files of the DLQ due now")]
    private static partial void LogRetried(ILogger logger, string asker, int segments, int files);
}

/// <summary>Batches that an order ended.</summary>
internal sealed record Flushed(int Batches, long Events);

/// <summary>What an order to try again made due: <c>due</c>, or <c>failed</c> because storage does not answer.</summary>
internal sealed record Retried(string Outcome, int Segments, int Files, string? Detail);
