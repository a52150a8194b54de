// This node's answers to whoever runs it, however the question came.
using Estat.Core.Administration;

namespace Estat.Api.Administration;

/// <summary>Finds who answers a path. What goes wrong is answered with advice; what nobody expected is logged as well.</summary>
/// <param name="own">The node's state.</param>
/// <param name="logger">Where the unexpected is logged.</param>
internal sealed partial class AdminDesk(SharedReading<NodeReading> own, ILogger<AdminDesk> logger) : IAdminDesk
{
    /// <inheritdoc/>
    public async Task<AdminReply> AnswerAsync(AdminRequest request, CancellationToken cancellationToken)
    {
        try
        {
            return await RouteAsync(request, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception error) when (error is not OperationCanceledException)
        {
            LogFailed(logger, error, request.Method, request.Path);
            return AdminReply.Error(StatusCodes.Status500InternalServerError, $"{request.Path} failed ({error.Message}); the node's log says how.");
        }
    }

    private async Task<AdminReply> RouteAsync(AdminRequest request, CancellationToken cancellationToken)
    {
        switch (request.Path)
        {
            case AdminPaths.State:
                return request.Method == HttpMethods.Get ? StateOf(await own.LatestAsync().WaitAsync(cancellationToken).ConfigureAwait(false)) : NotAllowed("GET");
            default:
                return NotFound(request.Path);
        }
    }

    private static AdminReply StateOf(NodeReading reading) => new(StatusCodes.Status200OK, "application/json") { Body = reading.Json };

    private static AdminReply NotAllowed(string allowed) => AdminReply.Error(StatusCodes.Status405MethodNotAllowed, $"This path takes {allowed}.");

    private static AdminReply NotFound(string path) =>
        AdminReply.Error(StatusCodes.Status404NotFound, $"There is nothing at {path}; docs/admin-api.md lists the pages.");

    [LoggerMessage(Level = LogLevel.Error, Message = "{Method} {Path} failed")]
    private static partial void LogFailed(ILogger logger, Exception error, string method, string path);
}
