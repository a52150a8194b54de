// Collect's enums as they cross the wire.
using Estat.Base.Acks;

namespace Estat.Grains.Batching;

/// <summary>Names to values and back.</summary>
internal static class WireNames
{
    private static readonly Dictionary<string, Admission> Admissions = Enum.GetValues<Admission>().ToDictionary(Name);

    internal static WireAck ToWire(Ack ack) => new(Name(ack.Admission), ack.Level.ToText(), ack.Key);

    /// <summary>What another node says; what this version does not know means that nobody knows.</summary>
    internal static Ack ToAck(WireAck ack) =>
        AckLevels.Parse(ack.Level) is { } level ? new Ack(AdmissionOf(ack.Admission), level, ack.Key)
            : new Ack(Admission.Unknown, AckLevel.Memory, "");

    internal static Admission AdmissionOf(string name) => Admissions.GetValueOrDefault(name, Admission.Unknown);

    internal static string Name(Admission admission) => admission switch
    {
        Admission.Accepted => "accepted",
        Admission.QueueFull => "queue_full",
        Admission.StorageFull => "storage_full",
        Admission.DiskFailed => "disk_failed",
        Admission.Draining => "draining",
        Admission.NoReplica => "no_replica",
        Admission.NoSilo => "no_silo",
        Admission.NoPrefix => "no_prefix",
        _ => "unknown",
    };
}
