// What a capability answers when something is wrong with a request as it is read.
namespace Estat.Http.Intake;

/// <summary>The refusals that every door needs, in the capability's own words and counters.</summary>
internal interface IReadingRefusals
{
    /// <summary>408: the body did not come in time.</summary>
    Refusal Timeout { get; }

    /// <summary>400 with what was wrong.</summary>
    Refusal Malformed(string detail);
}
