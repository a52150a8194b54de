// /admin/dlq: what waits because its upload failed.
using Microsoft.AspNetCore.Http;
using Estat.Base.Storage;
using Estat.Collect.Dlq;
using Estat.Collect.Recovery;
using Estat.Http.Administration;
using Estat.Lake.Names;

namespace Estat.Collect.Http;

/// <summary>Looks at the DLQ and passes orders on.</summary>
internal sealed class DlqPages(DlqOffice dlq)
{
    private const int MostFiles = 500;
    private const string EventsMeaning = "the number of events in it, as the list shows it; nothing else is then discarded";

    /// <summary>Answers what lies below /admin/dlq.</summary>
    /// <param name="request">The request.</param>
    /// <param name="rest">The path behind /admin/dlq, without a leading slash.</param>
    /// <param name="cancellationToken">Ends a preview.</param>
    internal async Task<AdminReply> AnswerAsync(AdminRequest request, string rest, CancellationToken cancellationToken)
    {
        string[] parts = rest.Split('/');
        switch (request.Method, parts)
        {
            case ("GET", [""]):
                return List(request);
            case ("POST", ["retry"]):
                return AdminJson.Reply(new FileCount(dlq.RetryAll()), AdminJson.Readable.FileCount);
            case ("GET", [var name]) when name is not ("" or "retry"):
                return await InspectAsync(name, request, cancellationToken).ConfigureAwait(false);
            case ("DELETE", [var name]) when name is not ("" or "retry"):
                return Discard(name, request);
            case ("GET", [var name, "content"]):
                return Download(name);
            case ("POST", [var name, "retry"]):
                return Orders.Reply(await dlq.RetryAsync(name).ConfigureAwait(false), What(name));
            case (_, [""] or [_, "content"]):
                return AdminDesk.NotAllowed("GET, HEAD");
            case (_, ["retry"] or [_, "retry"]):
                return AdminDesk.NotAllowed("POST");
            case (_, [_]):
                return AdminDesk.NotAllowed("GET, HEAD, DELETE");
            default:
                return AdminDesk.NotFound(request.Path);
        }
    }

    private AdminReply List(AdminRequest request)
    {
        var query = new AskedQuery(request);
        int limit = query.Number("limit", 1, MostFiles, 100);
        return query.Fault ?? AdminJson.Reply(dlq.List(limit, query.Text("after")), AdminJson.Readable.DlqPage);
    }

    private async Task<AdminReply> InspectAsync(string name, AdminRequest request, CancellationToken cancellationToken)
    {
        var query = new AskedQuery(request);
        int lines = query.Number("lines", 1, ContentPreview.MostLines, 20);
        if (query.Fault is { } fault)
        {
            return fault;
        }

        if (dlq.Find(name) is not { } file)
        {
            return Missing(name);
        }

        try
        {
            await using FileStream? content = dlq.Open(name);
            if (content is null)
            {
                return Missing(name);
            }

            ContentPreview preview = await ContentPreview.ReadAsync(content, lines, cancellationToken).ConfigureAwait(false);
            return AdminJson.Reply(InspectedFile.Of(file, preview), AdminJson.Readable.InspectedFile);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            return AdminJson.Reply(InspectedFile.Of(file, new ContentPreview([$"(cannot be read: {error.Message})"], Truncated: true)),
                AdminJson.Readable.InspectedFile);
        }
    }

    private AdminReply Download(string name)
    {
        try
        {
            return dlq.Open(name) is { } content
                ? ObjectPages.Download(ObjectKeys.NameOf(name) + ObjectKeys.Extension, content, content.Length)
                : Missing(name);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            return AdminReply.Error(
                StatusCodes.Status404NotFound, $"{What(name)} cannot be read: {error.Message.TrimEnd('.')}. Check the folder of DLQ_DIR.");
        }
    }

    private AdminReply Discard(string name, AdminRequest request)
    {
        var query = new AskedQuery(request);
        long events = query.Count("events", EventsMeaning);
        return query.Fault ?? Orders.Reply(dlq.Discard(name, events, request.Asker), What(name));
    }

    private static string What(string name) => $"DLQ file {name}";

    private static AdminReply Missing(string name) => Orders.Reply(new OrderResult(OrderEnd.Missing), What(name));
}

/// <summary>A file of the DLQ with its first lines.</summary>
internal sealed record InspectedFile(
    string Name, string Key, long Events, long Bytes, DateTime Created, double AgeS, string Reason, int Attempts, DateTime? NextDue, bool Expired,
    string Form,
    IReadOnlyList<string> Lines, bool Truncated)
{
    internal static InspectedFile Of(DlqFile file, ContentPreview preview) => new(
        file.Name, file.Key, file.Events, file.Bytes, file.Created, file.AgeS, file.Reason, file.Attempts, file.NextDue, file.Expired, file.Form,
        preview.Lines,
        preview.Truncated);
}
