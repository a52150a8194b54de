// The port between the writer of batches and who keeps account of their segments.
namespace Estat.Collect.Batching;

/// <summary>Seals segments of the spool.</summary>
internal interface ISegmentSeals
{
    /// <summary>Writes the seal of a batch into its segment.</summary>
    /// <returns>False when the batch was left to the spool, and is no longer the caller's.</returns>
    bool TrySeal(SealedBatch batch);
}
