// Outcomes on their way to the lake.
using Estat.Requests.Campaigns;

namespace Estat.Requests.Storing;

/// <summary>What became of a generation of a request; written with its final state, never changed.</summary>
/// <param name="Number">Rises by one, without gaps, over all campaigns of the store.</param>
/// <param name="CampaignId">The campaign.</param>
/// <param name="Id">The request.</param>
/// <param name="Sequence">Its number in the campaign.</param>
/// <param name="Generation">Which generation.</param>
/// <param name="State">Final.</param>
/// <param name="Reason">Why; null without.</param>
/// <param name="Attempts">Attempts that were begun.</param>
/// <param name="Times">When it came to its states.</param>
internal sealed record Outcome(
    long Number, string CampaignId, RequestId Id, long Sequence, int Generation, RequestState State, string? Reason, int Attempts,
    RequestTimes Times);

/// <summary>Outcomes that become one object. Number, range and time were durable before anybody saw them.</summary>
/// <param name="Number">Rises by one; part of the object's key.</param>
/// <param name="Epoch">The store's life: another one after a restore. Part of the object's key.</param>
/// <param name="CutAt">Decides the object's day and hour.</param>
/// <param name="Outcomes">In the order of their numbers.</param>
internal sealed record OutcomeBatch(long Number, string Epoch, DateTimeOffset CutAt, IReadOnlyList<Outcome> Outcomes);

/// <summary>Outcomes that are not in the lake.</summary>
/// <param name="Count">How many.</param>
/// <param name="Oldest">Since when the oldest waits; null when none does.</param>
internal sealed record PendingOutcomes(long Count, DateTimeOffset? Oldest);
