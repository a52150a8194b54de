// What a user was told.
namespace Estat.Requests.Chaos;

/// <summary>A 202 (or a 200) to a request. Times are timestamps of this process.</summary>
/// <param name="Campaign">The campaign.</param>
/// <param name="User">The user.</param>
/// <param name="RequestId">What the server said.</param>
/// <param name="Sequence">What the server said.</param>
/// <param name="Sent">When the first of all requests of this user in this campaign was sent, answered or not.</param>
/// <param name="Answered">When its answer had arrived.</param>
internal sealed record Told(string Campaign, string User, string RequestId, long Sequence, long Sent, long Answered);

/// <summary>A request as the store has it in the end.</summary>
internal sealed record Kept(string RequestId, string User, long Sequence, string Status, string Reason, int Generation);

/// <summary>An outcome of the lake.</summary>
internal sealed record LakeLine(long Number, string Campaign, string RequestId, int Generation, string State, string? Reason, long Sequence);
