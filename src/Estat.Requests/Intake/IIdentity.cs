// Who sends a request.
using Estat.Http.Intake;
using Estat.Requests.Campaigns;

namespace Estat.Requests.Intake;

/// <summary>Who a request is from, or why that is not known.</summary>
/// <param name="User">Who; null when it is not known.</param>
/// <param name="Refusal">The answer then.</param>
internal readonly record struct Identified(UserId? User, Refusal? Refusal);

/// <summary>Finds out who sends. Never from the body. Any thread.</summary>
internal interface IIdentity
{
    /// <summary>Who it is.</summary>
    ValueTask<Identified> IdentifyAsync(HttpRequestView request);
}
