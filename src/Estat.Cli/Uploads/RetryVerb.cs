// `estat retry`.
using Estat.Cli.Frame;

namespace Estat.Cli.Uploads;

/// <summary>What waits on nodes' disks is tried now, if storage answers.</summary>
internal static class RetryVerb
{
    private const string Due = "due";

    internal static Command Create()
    {
        var command = new Command("retry", "Tries now to store what waits: batches in the spool and files of the DLQ, if storage answers");
        var orders = new NodeOrders(command);
        return command.Does((parsed, shell) => orders.GiveAsync(
            parsed, shell, "admin/uploads/retry", OrdersJson.Default.RetryAnswer,
            answer => answer.Segments + answer.Files == 0 ? "nothing waits"
                : $"{Words.Count(answer.Segments, "batch", "batches")} of the spool and {Words.Count(answer.Files, "file")} of the DLQ are due now",
            answer => answer.Outcome == Due ? null : $"storage does not answer, so nothing was made due: {answer.Detail}"));
    }
}
