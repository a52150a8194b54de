// /admin/quarantine: what cannot be read as gzip JSONL.
using Estat.Base.Storage;
using Estat.Collect.Dlq;
using Estat.Collect.Recovery;
using Estat.Http.Administration;
using Microsoft.AspNetCore.Http;

namespace Estat.Collect.Http;

/// <summary>Looks at the quarantine and passes orders on; a failure of the store comes out as <see cref="StorageException"/>.</summary>
internal sealed class QuarantinePages(StorageOptions options, Quarantine quarantine, ObjectPages objects)
{
    // Each costs a question to the store.
    private const int MostObjects = 200;
    private const string KeyMeaning = $"the key of an object, as {AdminPaths.Quarantine} lists them";
    private const string EventsMeaning = "the number of events in it, as the list shows it; nothing else is then discarded";

    /// <summary>Answers what lies below /admin/quarantine.</summary>
    /// <param name="request">The request.</param>
    /// <param name="rest">The path behind /admin/quarantine, without a leading slash.</param>
    /// <param name="cancellationToken">Ends a reading; orders go on.</param>
    internal async Task<AdminReply> AnswerAsync(AdminRequest request, string rest, CancellationToken cancellationToken)
    {
        switch (request.Method, rest)
        {
            case ("GET", ""):
                return await ListAsync(request, cancellationToken).ConfigureAwait(false);
            case ("GET", "preview"):
                return await objects.PreviewAsync(request, cancellationToken).ConfigureAwait(false);
            case ("GET", "content"):
                return await objects.ContentAsync(request, cancellationToken).ConfigureAwait(false);
            case ("POST", "retry"):
                return await OrderAsync(request, needsEvents: false, (key, _) => quarantine.RetryAsync(key, CancellationToken.None))
                    .ConfigureAwait(false);
            case ("DELETE", ""):
                return await OrderAsync(
                    request, needsEvents: true, (key, events) => quarantine.DiscardAsync(key, events, request.Asker, CancellationToken.None))
                        .ConfigureAwait(false);
            case (_, ""):
                return AdminDesk.NotAllowed("GET, HEAD, DELETE");
            case (_, "preview" or "content"):
                return AdminDesk.NotAllowed("GET, HEAD");
            case (_, "retry"):
                return AdminDesk.NotAllowed("POST");
            default:
                return AdminDesk.NotFound(request.Path);
        }
    }

    private async Task<AdminReply> ListAsync(AdminRequest request, CancellationToken cancellationToken)
    {
        var query = new AskedQuery(request);
        int limit = query.Number("limit", 1, MostObjects, 100);
        string? after = query.Text("after");
        if (after is not null && !KeyScope.Holds(after, options.DlqPrefix))
        {
            return Forbidden();
        }

        return query.Fault ?? AdminJson.Reply(
            await quarantine.ListAsync(limit, after, cancellationToken).ConfigureAwait(false), AdminJson.Readable.QuarantinedObjects);
    }

    private async Task<AdminReply> OrderAsync(AdminRequest request, bool needsEvents, Func<string, long, Task<OrderResult>> order)
    {
        var query = new AskedQuery(request);
        string key = query.Needed("key", KeyMeaning);
        long events = needsEvents ? query.Count("events", EventsMeaning) : 0;
        return query.Fault
            ?? (KeyScope.Holds(key, options.DlqPrefix)
                ? Orders.Reply(await order(key, events).ConfigureAwait(false), $"object {key}") : Forbidden());
    }

    private AdminReply Forbidden() =>
        AdminReply.Error(StatusCodes.Status403Forbidden, $"The quarantine has only object keys below {options.DlqPrefix}/.");
}
