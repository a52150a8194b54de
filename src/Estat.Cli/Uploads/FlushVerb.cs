// `estat flush`.
using Estat.Cli.Frame;

namespace Estat.Cli.Uploads;

/// <summary>Ends the open batches, so that they are uploaded now and not at FLUSH_INTERVAL.</summary>
internal static class FlushVerb
{
    internal static Command Create()
    {
        var command = new Command("flush", "Ends the open batches now, so that their events are uploaded before FLUSH_INTERVAL is over");
        var orders = new NodeOrders(command);
        return command.Does((parsed, shell) => orders.GiveAsync(
            parsed, shell, "admin/uploads/flush", OrdersJson.Default.FlushAnswer,
            answer => answer.Batches == 0 ? "no open batch"
                : $"{Words.Count(answer.Batches, "batch", "batches")} with {Words.Count(answer.Events, "event")} flushed, to be uploaded now",
            _ => null));
    }
}
