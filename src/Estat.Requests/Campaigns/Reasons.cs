// Why a request was rejected or failed, where Estat itself says so. A webhook gives reasons of its own.
namespace Estat.Requests.Campaigns;

/// <summary>Part of the contract: answers, outcomes and queries name them.</summary>
internal static class Reasons
{
    /// <summary>REJECTED: every place was taken.</summary>
    internal const string Full = "full";

    /// <summary>REJECTED: the draw chose others.</summary>
    internal const string NotDrawn = "not-drawn";

    /// <summary>REJECTED: its user took it back.</summary>
    internal const string Withdrawn = "withdrawn";

    /// <summary>FAILED_FINAL: as many attempts failed as a request has.</summary>
    internal const string AttemptsExhausted = "attempts-exhausted";

    /// <summary>FAILED_FINAL: the webhook's endpoint said that the call is wrong.</summary>
    internal const string Refused = "refused";
}
