// A silo's way in for other silos' second copies.
using Orleans.Services;

namespace Estat.Grains.Replication;

/// <summary>
/// One on every silo, addressed by the silo: a stateless worker would hold a batch's copy on the silo that asks for it. Calls interleave.
/// </summary>
[Alias("estat.IReplicaGrain")]
public interface IReplicaGrain : IGrainService
{
    /// <summary>Who this silo is; what its metadata says too, for those who could not read that.</summary>
    [Alias("who")]
    Task<WireIdentity> WhoAsync();

    /// <summary>
    /// Asked by a silo that joins, before it takes anything: what has to be the same here. If something differs it does not go on, and this silo logs
    /// it as well.
    /// </summary>
    [Alias("compare")]
    Task<WireSettings> CompareAsync(WireSettings joining);

    /// <summary>Holds a group of records.</summary>
    /// <returns>Whether they are held; false: this silo takes no more for this batch.</returns>
    [Alias("hold")]
    Task<bool> HoldAsync(WireRecords records);

    /// <summary>Forgets copies of batches that are safe in the store.</summary>
    [Alias("release")]
    Task ReleaseAsync(IReadOnlyList<string> keys);
}

/// <summary>A silo, as the others have to know it.</summary>
/// <param name="Instance">This start of its node.</param>
/// <param name="Zone">Its zone; null if it has no name.</param>
/// <param name="Settings">What has to be the same at all silos, <c>name=value</c>; null from one of an earlier version.</param>
[GenerateSerializer, Immutable, Alias("estat.identity")]
public sealed record WireIdentity([property: Id(0)] string Instance, [property: Id(1)] string? Zone, [property: Id(2)] string[]? Settings);

/// <summary>What has to be the same at all silos of a cluster.</summary>
/// <param name="Silo">The silo's name, for the log.</param>
/// <param name="Settings">Of the silo that says this, <c>name=value</c>.</param>
/// <param name="UnixMs">What its clock reads, UTC, milliseconds since 1970.</param>
[GenerateSerializer, Immutable, Alias("estat.settings")]
public sealed record WireSettings([property: Id(0)] string Silo, [property: Id(1)] string[] Settings, [property: Id(2)] long UnixMs);

/// <summary>A group of a batch's records.</summary>
/// <param name="Key">The batch's key.</param>
/// <param name="OpenedUnixMs">When the batch opened, UTC, milliseconds since 1970.</param>
/// <param name="FirstSequence">Sequence number of the first event, counted from 1 in each batch.</param>
/// <param name="Events">Lines.</param>
/// <param name="Lines">Whole JSONL lines: one flat buffer, which nobody changes after.</param>
[GenerateSerializer, Immutable, Alias("estat.records")]
public sealed record WireRecords(
    [property: Id(0)] string Key, [property: Id(1)] long OpenedUnixMs, [property: Id(2)] long FirstSequence, [property: Id(3)] int Events,
    [property: Id(4)] ReadOnlyMemory<byte> Lines);
