// This node's answers to the operator, however the question came.
using Estat.Base.Storage;
using Estat.Collect.Hosting;
using Estat.Http.Administration;
using Microsoft.AspNetCore.Http;

namespace Estat.Collect.Http;

/// <summary>Finds who answers a path. What goes wrong is answered with advice; what nobody expected is logged as well.</summary>
internal sealed partial class AdminDesk : IAdminDesk
{
    private static readonly AdminReply IsAlone = AdminReply.Error(
        StatusCodes.Status404NotFound, "This node belongs to no cluster, so its spool has no reminder: the node itself tries again what waits.");

    private static readonly AdminReply KeepsNothing = AdminReply.Error(
        StatusCodes.Status404NotFound,
        $"This node is a gateway and keeps no events. Ask a silo with ?node=NAME; {AdminPaths.Nodes} lists the silos.");

    private readonly SharedReading<NodeReading> _own;
    private readonly ObjectPages? _objects;
    private readonly DlqPages? _dlq;
    private readonly QuarantinePages? _quarantine;
    private readonly UploadOrders? _orders;
    private readonly SpoolPages? _spools;
    private readonly ILogger<AdminDesk> _logger;

    /// <param name="options">Prefixes.</param>
    /// <param name="own">The node's state.</param>
    /// <param name="engine">What keeps its events; null at a gateway.</param>
    /// <param name="spools">The reminders of the cluster's spools; null at a node that cannot reach them.</param>
    /// <param name="loggers">Where the unexpected is logged, and who gave which order.</param>
    internal AdminDesk(StorageOptions options, SharedReading<NodeReading> own, Engine? engine, ISpoolReminders? spools, ILoggerFactory loggers)
    {
        _own = own;
        _spools = spools is null ? null : new SpoolPages(spools, loggers.CreateLogger<SpoolPages>());
        _logger = loggers.CreateLogger<AdminDesk>();
        if (engine is not null)
        {
            _objects = new ObjectPages(options, engine.Catalog, engine.Objects);
            _dlq = new DlqPages(engine.Dlq);
            _orders = new UploadOrders(engine, loggers.CreateLogger<UploadOrders>());
            _quarantine = engine.Quarantine is null ? null : new QuarantinePages(options, engine.Quarantine, _objects);
        }
    }

    /// <inheritdoc/>
    public async Task<AdminReply> AnswerAsync(AdminRequest request, CancellationToken cancellationToken)
    {
        try
        {
            return await RouteAsync(request, cancellationToken).ConfigureAwait(false);
        }
        catch (StorageException error)
        {
            return AdminReply.Error(StatusCodes.Status502BadGateway, $"The object store failed: {error.Message.TrimEnd('.')}.");
        }
        catch (Exception error) when (error is not OperationCanceledException)
        {
            LogFailed(_logger, error, request.Method, request.Path);
            return AdminReply.Error(StatusCodes.Status500InternalServerError, $"{request.Path} failed ({error.Message}). The node's log has the "
                + "details.");
        }
    }

    /// <summary>405. HEAD comes here as GET.</summary>
    internal static AdminReply NotAllowed(string allowed) =>
        AdminReply.Error(StatusCodes.Status405MethodNotAllowed, $"This path allows {allowed}.") with { Allow = allowed };

    /// <summary>404.</summary>
    internal static AdminReply NotFound(string path) =>
        AdminReply.Error(StatusCodes.Status404NotFound, $"There is no page {path}. docs/admin-api.md lists the pages.");

    private async Task<AdminReply> RouteAsync(AdminRequest request, CancellationToken cancellationToken)
    {
        if (request.Path == AdminPaths.State)
        {
            return request.Method == HttpMethods.Get ? StateOf(await _own.LatestAsync().WaitAsync(cancellationToken).ConfigureAwait(false))
                : NotAllowed("GET, HEAD");
        }

        if (_objects is null || _dlq is null || _orders is null)
        {
            return KeepsNothing;
        }

        if (Behind(request.Path, AdminPaths.Spools) is { } ofSpools)
        {
            return _spools is null ? IsAlone : await _spools.AnswerAsync(request, ofSpools, cancellationToken).ConfigureAwait(false);
        }

        return Behind(request.Path, AdminPaths.Objects) is { } ofObject ? await ObjectsAsync(request, ofObject, cancellationToken)
            .ConfigureAwait(false)
            : Behind(request.Path, AdminPaths.Dlq) is { } ofDlq ? await _dlq.AnswerAsync(request, ofDlq, cancellationToken).ConfigureAwait(false)
            : Behind(request.Path, AdminPaths.Uploads) is { } order
                ? await _orders.AnswerAsync(request, order, cancellationToken).ConfigureAwait(false)
            : Behind(request.Path, AdminPaths.Quarantine) is { } ofQuarantine && _quarantine is not null
                ? await _quarantine.AnswerAsync(request, ofQuarantine, cancellationToken).ConfigureAwait(false)
            : NotFound(request.Path);
    }

    private async Task<AdminReply> ObjectsAsync(AdminRequest request, string rest, CancellationToken cancellationToken) =>
        (request.Method, rest) switch
    {
        ("GET", "") => _objects!.List(request),
        ("GET", "preview") => await _objects!.PreviewAsync(request, cancellationToken).ConfigureAwait(false),
        ("GET", "content") => await _objects!.ContentAsync(request, cancellationToken).ConfigureAwait(false),
        (_, "" or "preview" or "content") => NotAllowed("GET, HEAD"),
        _ => NotFound(request.Path),
    };

    // What follows a page's path; null for another page's.
    private static string? Behind(string path, string page) =>
        path == page ? "" : path.StartsWith(page, StringComparison.Ordinal) && path[page.Length] == '/' ? path[(page.Length + 1)..] : null;

    private static AdminReply StateOf(NodeReading reading) => new(StatusCodes.Status200OK, "application/json") { Body = reading.Json };

    [LoggerMessage(Level = LogLevel.Error, Message = "{Method} {Path} failed")]
    private static partial void LogFailed(ILogger logger, Exception error, string method, string path);
}
