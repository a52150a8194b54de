// Why a batch was sealed; a label of estat_batches_sealed_total.
namespace Estat.Core.Batching;

/// <summary>What ended a batch.</summary>
public enum FlushReason
{
    /// <summary>It reached <c>BATCH_SIZE</c> events.</summary>
    Count,

    /// <summary>It reached <c>BATCH_BYTES</c>.</summary>
    Bytes,

    /// <summary><c>FLUSH_INTERVAL</c> passed since its first event.</summary>
    Time,

    /// <summary>The node is draining.</summary>
    Drain,
}
