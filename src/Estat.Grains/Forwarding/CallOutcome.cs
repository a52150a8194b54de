// What one call to a silo came to.
using Estat.Base.Acks;

namespace Estat.Grains.Forwarding;

/// <summary>How a call ended, as far as it matters for this packet and for the next ones.</summary>
internal enum CallOutcome
{
    /// <summary>The silo took the packet.</summary>
    Taken,

    /// <summary>It had no room and took nothing: the packet may go elsewhere, the next ones rather go elsewhere.</summary>
    Full,

    /// <summary>It is draining and took nothing: the packet may go elsewhere, the silo is avoided.</summary>
    Leaving,

    /// <summary>It did not acknowledge the packet, which may be stored all the same; the next ones rather go elsewhere.</summary>
    Short,

    /// <summary>The same for its disk's sake: the silo is avoided.</summary>
    Failed,

    /// <summary>The packet certainly did not reach it: it may go elsewhere, the silo is avoided.</summary>
    Unreached,

    /// <summary>Nobody knows whether it took the packet. The silo is avoided.</summary>
    Unknown,
}

/// <summary>The rules, in one place.</summary>
internal static class CallOutcomes
{
    /// <summary>What a silo's answer means here. What only a gateway says is not expected of a silo, and not trusted to mean that nothing was
    /// taken.</summary>
    internal static CallOutcome Of(Admission admission) => admission switch
    {
        Admission.Accepted => CallOutcome.Taken,
        Admission.QueueFull or Admission.StorageFull or Admission.NoPrefix => CallOutcome.Full,
        Admission.Draining => CallOutcome.Leaving,
        Admission.NoReplica => CallOutcome.Short,
        Admission.DiskFailed => CallOutcome.Failed,
        _ => CallOutcome.Unknown,
    };

    /// <summary>Whether it is certain that nothing was taken, so that the packet may be sent to another silo.</summary>
    internal static bool IsCertainlyNotTaken(this CallOutcome outcome) => outcome is CallOutcome.Full or CallOutcome.Leaving or CallOutcome.Unreached;

    /// <summary>Whether the silo is avoided until it answers a probe.</summary>
    internal static bool IsAvoided(this CallOutcome outcome) =>
        outcome is CallOutcome.Leaving or CallOutcome.Failed or CallOutcome.Unreached or CallOutcome.Unknown;

    /// <summary>The outcome's name in metrics.</summary>
    internal static string ToText(this CallOutcome outcome) => outcome switch
    {
        CallOutcome.Taken => "taken",
        CallOutcome.Full => "full",
        CallOutcome.Leaving => "leaving",
        CallOutcome.Short => "short",
        CallOutcome.Failed => "failed",
        CallOutcome.Unreached => "unreached",
        _ => "unknown",
    };
}
