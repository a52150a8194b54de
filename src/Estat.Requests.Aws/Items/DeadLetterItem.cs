// A dead letter as an item: where a FAILED_FINAL request is found.
using Estat.Requests.Aws.Dynamo;
using Estat.Requests.Campaigns;

namespace Estat.Requests.Aws.Items;

/// <summary>Written with the final state, deleted by a redrive.</summary>
internal static class DeadLetterItem
{
    /// <summary>Whether the queue has a copy.</summary>
    internal const string Copied = "cp";

    /// <summary>The dead letter of a request that has just failed.</summary>
    internal static Change New(string campaign, RequestRecord request) => Change.Put(
        new Item(Keys.DeadLetter(campaign, request.Sequence)).With("id", request.Id.ToString()).With("g", request.Generation));

    /// <summary>Whose it is.</summary>
    internal static RequestId IdOf(Item item) => RequestId.Parse(item.Text("id"))!.Value;

    /// <summary>The queue has a copy.</summary>
    internal static Change IsCopied(ItemKey key, int generation) => Change.Update(key).IfIs("g", generation).Set(Copied, 1);
}
