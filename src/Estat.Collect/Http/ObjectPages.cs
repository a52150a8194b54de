// /admin/objects: what this process stored last, and what lies under a key.
using Estat.Base.Storage;
using Estat.Collect.Uploading;
using Estat.Http.Administration;
using Microsoft.AspNetCore.Http;

namespace Estat.Collect.Http;

/// <summary>Reads objects of the lake; a failure of the store comes out as <see cref="StorageException"/>.</summary>
internal sealed class ObjectPages(StorageOptions options, IObjectCatalog? catalog, StoredObjects last)
{
    private const string KeyMeaning = $"the key of an object, as {AdminPaths.Objects} and {AdminPaths.Quarantine} list them";

    /// <summary>The last objects.</summary>
    internal AdminReply List(AdminRequest request)
    {
        var query = new AskedQuery(request);
        int limit = query.Number("limit", 1, StoredObjects.Kept, 50);
        return query.Fault ?? AdminJson.Reply(new ObjectList(last.Newest(limit)), AdminJson.Readable.ObjectList);
    }

    /// <summary>The first lines of an object.</summary>
    internal async Task<AdminReply> PreviewAsync(AdminRequest request, CancellationToken cancellationToken)
    {
        var query = new AskedQuery(request);
        string key = query.Needed("key", KeyMeaning);
        int lines = query.Number("lines", 1, ContentPreview.MostLines, 20);
        if ((query.Fault ?? Forbidden(key)) is { } fault)
        {
            return fault;
        }

        await using OpenObject? there = await catalog!.OpenAsync(key, cancellationToken).ConfigureAwait(false);
        if (there is null)
        {
            return Missing(key);
        }

        ContentPreview preview = await ContentPreview.ReadAsync(there.Content, lines, cancellationToken).ConfigureAwait(false);
        return AdminJson.Reply(new ObjectPreview(key, preview.Lines, preview.Truncated), AdminJson.Readable.ObjectPreview);
    }

    /// <summary>An object as a download.</summary>
    internal async Task<AdminReply> ContentAsync(AdminRequest request, CancellationToken cancellationToken)
    {
        var query = new AskedQuery(request);
        string key = query.Needed("key", KeyMeaning);
        if ((query.Fault ?? Forbidden(key)) is { } fault)
        {
            return fault;
        }

        OpenObject? there = await catalog!.OpenAsync(key, cancellationToken).ConfigureAwait(false);
        return there is null ? Missing(key) : Download(key[(key.LastIndexOf('/') + 1)..], there.Content, there.Entry.Bytes);
    }

    /// <summary>A body that is saved under a name, and never shown as a page.</summary>
    internal static AdminReply Download(string name, Stream content, long length) =>
        new(StatusCodes.Status200OK, name.EndsWith(".gz", StringComparison.Ordinal) ? "application/gzip" : "application/octet-stream")
        {
            Content = content,
            ContentLength = length,
            FileName = new string([.. name.Select(c => char.IsAsciiLetterOrDigit(c) || c is '_' or '-' or '.' ? c : '_')]),
        };

    private static AdminReply Missing(string key) => AdminReply.Error(StatusCodes.Status404NotFound, $"There is no object {key}.");

    private AdminReply? Forbidden(string key) =>
        catalog is null ? AdminReply.Error(StatusCodes.Status404NotFound, "This node's object store cannot list objects.")
        : KeyScope.Holds(key, options.RawPrefix, options.DlqPrefix) || last.Holds(key)
            ? null // a write key's prefix may be another
        : AdminReply.Error(
            StatusCodes.Status403Forbidden,
            $"This page reads only object keys below {options.RawPrefix}/ and {options.DlqPrefix}/, and those that "
                + $"{AdminPaths.Objects} lists.");
}

/// <summary>The last objects, newest first.</summary>
internal sealed record ObjectList(IReadOnlyList<StoredObject> Objects);

/// <summary>An object's first lines.</summary>
internal sealed record ObjectPreview(string Key, IReadOnlyList<string> Lines, bool Truncated);
