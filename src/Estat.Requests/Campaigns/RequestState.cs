// Where a request is on its way to a decision.
namespace Estat.Requests.Campaigns;

/// <summary>The states, in the order in which a generation goes through them. Stored as numbers: they never change.</summary>
internal enum RequestState
{
    /// <summary>Durable, not queued yet. A store that queues in the same write never shows it.</summary>
    Received = 0,

    /// <summary>Waits for the decider, or for the next attempt.</summary>
    Queued = 1,

    /// <summary>An attempt is running.</summary>
    Processing = 2,

    /// <summary>Final: it got what it asked for.</summary>
    Succeeded = 3,

    /// <summary>Final: it did not, by decision.</summary>
    Rejected = 4,

    /// <summary>Final until the operator redrives it: every attempt failed.</summary>
    FailedFinal = 5,
}

/// <summary>What the states are called, and which of them end a generation.</summary>
internal static class RequestStates
{
    private static readonly string[] Names = ["RECEIVED", "QUEUED", "PROCESSING", "SUCCEEDED", "REJECTED", "FAILED_FINAL"];

    /// <summary>All states.</summary>
    internal static IReadOnlyList<RequestState> All { get; } = Enum.GetValues<RequestState>();

    /// <summary>As answers, outcomes and filters name it.</summary>
    internal static string ToText(this RequestState state) => Names[(int)state];

    /// <summary>Whether it ends its generation.</summary>
    internal static bool IsFinal(this RequestState state) => state >= RequestState.Succeeded;

    /// <summary>The state of a name, whatever its case; null when there is none.</summary>
    internal static RequestState? Parse(string text)
    {
        int index = Array.FindIndex(Names, name => name.Equals(text, StringComparison.OrdinalIgnoreCase));
        return index < 0 ? null : (RequestState)index;
    }
}
