// What whoever runs a node asks of its engine.
namespace Estat.Core.Hosting;

public sealed partial class Engine
{
    /// <summary>DLQ_MAX_SIZE_BYTES.</summary>
    internal long DlqMaxBytes => _options.DlqMaxSizeBytes;

    /// <summary>Why the last upload failed; null while uploads succeed.</summary>
    internal string? StorageFault => _batches.Fault;
}
