// Why a batch was sealed; a label of estat_batches_sealed_total.
namespace Estat.Collect.Metrics;

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

    /// <summary>The operator ordered it.</summary>
    Operator,

    /// <summary>Requests wait for it to be stored.</summary>
    Awaited,

    /// <summary>The disk failed under its segment; it ends with what had been acknowledged.</summary>
    DiskFailure,

    /// <summary>The silo that held its copy is lost, or refuses more.</summary>
    PartnerLost,

    /// <summary>There was nobody to hold its copy, and now there is: the next batch has one.</summary>
    PartnerFound,

    /// <summary>An earlier process left it open in the spool.</summary>
    Recovery,
}
