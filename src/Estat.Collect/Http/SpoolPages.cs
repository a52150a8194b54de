// /admin/spools: which spools the cluster knows, and forgetting one that never comes back.
using Estat.Http.Administration;
using Microsoft.AspNetCore.Http;

namespace Estat.Collect.Http;

/// <summary>Lists the reminders of spools and removes one, at the operator's order.</summary>
internal sealed partial class SpoolPages(ISpoolReminders reminders, ILogger<SpoolPages> logger)
{
    /// <summary>Answers what lies below /admin/spools.</summary>
    /// <param name="request">The request.</param>
    /// <param name="rest">The path behind /admin/spools, without a leading slash.</param>
    /// <param name="cancellationToken">Ends the waiting, not the order.</param>
    internal async Task<AdminReply> AnswerAsync(AdminRequest request, string rest, CancellationToken cancellationToken) =>
        (request.Method, rest) switch
        {
            ("GET", "") => AdminJson.Reply(
                new RemindedSpools(await reminders.ListAsync().WaitAsync(cancellationToken).ConfigureAwait(false)),
                AdminJson.Readable.RemindedSpools),
            (_, "") => AdminDesk.NotAllowed("GET, HEAD"),
            ("DELETE", _) => await ForgetAsync(request, rest, cancellationToken).ConfigureAwait(false),
            _ => AdminDesk.NotAllowed("DELETE"),
        };

    private async Task<AdminReply> ForgetAsync(AdminRequest request, string spool, CancellationToken cancellationToken)
    {
        ForgetEnd end = await reminders.ForgetAsync(spool).WaitAsync(cancellationToken).ConfigureAwait(false);
        if (end == ForgetEnd.Forgotten)
        {
            LogForgotten(logger, request.Asker, spool);
        }

        return end switch
        {
            ForgetEnd.Forgotten => AdminJson.Reply(new ForgottenSpool(spool), AdminJson.Readable.ForgottenSpool),
            ForgetEnd.Missing => AdminReply.Error(
                StatusCodes.Status404NotFound, $"No spool {spool} has a reminder; GET {AdminPaths.Spools} lists those that have."),
            _ => AdminReply.Error(
                StatusCodes.Status409Conflict,
                $"A silo has spool {spool} mounted and would make its reminder again. Stop that silo first, or leave the reminder."),
        };
    }

    [LoggerMessage(Level = LogLevel.Warning,
        Message = "{Asker} removed the reminder of spool {Spool}: the cluster no longer looks for it. "
            + "A silo that mounts it makes the reminder again")]
    private static partial void LogForgotten(ILogger logger, string asker, string spool);
}

/// <summary>All of them.</summary>
internal sealed record RemindedSpools(IReadOnlyList<RemindedSpool> Spools);

/// <summary>The one whose reminder was removed.</summary>
internal sealed record ForgottenSpool(string Forgotten);
