// What a cluster asks of a node's engine besides taking events.
using Estat.Collect.Metrics;

namespace Estat.Collect.Hosting;

public sealed partial class Engine
{
    /// <summary>This start of this node, as it stands in every key.</summary>
    public string Instance => _spool.Instance;

    /// <summary>The identity of the spool's folder, the same at every start.</summary>
    public string SpoolId => _spool.Id;

    /// <summary>Seals every open batch, so that it is uploaded now.</summary>
    public void Flush()
    {
        foreach (PartitionWriters one in _partitions)
        {
            one.Partition.Flush(FlushReason.Time);
        }
    }

    /// <summary>A second chance for what waits because storage failed: if it answers now, the spool's waiting batches are due at once, and recovery
    /// goes on with the DLQ by its own clock.</summary>
    /// <returns>Null when storage answered; else what is wrong with it.</returns>
    public async Task<string?> RecoverAsync()
    {
        string? fault = (await Sink.AskAsync().ConfigureAwait(false))?.Message;
        if (fault is null)
        {
            _storage.OnAnswer();
            OnStorageAnswers();
        }

        return fault;
    }
}
