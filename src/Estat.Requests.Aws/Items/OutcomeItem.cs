// An outcome as an item.
using Estat.Requests.Aws.Dynamo;
using Estat.Requests.Campaigns;
using Estat.Requests.Storing;

namespace Estat.Requests.Aws.Items;

/// <summary>Written with the final state, deleted once it is in the lake.</summary>
internal static class OutcomeItem
{
    /// <summary>The outcome of a request that has become final.</summary>
    internal static Change New(string campaign, long number, RequestRecord request) => New(campaign, number, new Outcome(
        number, campaign, request.Id, request.Sequence, request.Generation, request.State, request.Reason, request.AttemptsBegun, request.Times));

    /// <summary>An outcome under a number.</summary>
    internal static Change New(string campaign, long number, Outcome outcome) => Change.Put(new Item(Keys.Outcome(campaign, number))
        .With("id", outcome.Id.ToString()).With("q", outcome.Sequence).With("g", outcome.Generation).With("st", (int)outcome.State)
        .With("re", outcome.Reason).With("a", outcome.Attempts).With("tr", outcome.Times.Received).With("tq", outcome.Times.Queued)
        .With("tp", outcome.Times.Processing).With("tf", outcome.Times.Final));

    /// <summary>Reads one.</summary>
    internal static Outcome Read(string campaign, Item item) => new(
        long.Parse(item.Key.Sk, System.Globalization.CultureInfo.InvariantCulture), campaign, RequestId.Parse(item.Text("id"))!.Value,
        item.Long("q"), item.Int("g"), (RequestState)item.Int("st"), item.Text("re"), item.Int("a"),
        new RequestTimes(item.Long("tr"), item.Long("tq"), item.Long("tp"), item.Long("tf")));
}
