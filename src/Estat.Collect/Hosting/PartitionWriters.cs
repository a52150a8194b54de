// A partition with its writers.
using Estat.Base.Acks;
using Estat.Collect.Batching;
using Estat.Collect.Metrics;
using Estat.Collect.Options;
using Estat.Collect.Spooling;
using Estat.Lake.Names;

namespace Estat.Collect.Hosting;

/// <summary>At <c>memory</c>: partition → batch writer. Above it: partition → spool writer, at <c>replica</c> beside the partner's → batch
/// writer.</summary>
internal sealed class PartitionWriters : IDisposable
{
    private readonly string _name;
    private readonly SpoolWriter? _spoolWriter;
    private readonly BatchWriter _batchWriter;

    internal PartitionWriters(
        AckLevel level, int number, CollectOptions options, ObjectKeys keys, ChunkPool chunks, AckWaiterPool waiters, BatchEncoder encoder,
            Spool spool,
        ISegmentSeals seals, IBatchCopies? copies, Func<SealedBatch, ValueTask> onSealed, EstatInstruments instruments, TimeProvider time)
    {
        _name = $"estat-{level.ToText()}-{number}";
        Partition = new Partition(level, options, keys, chunks, waiters, time);
        IGroupCopies? itsCopies = level == AckLevel.Replica ? copies!.Of(Partition) : null;
        _spoolWriter = level == AckLevel.Memory ? null : new SpoolWriter(Partition, spool, itsCopies, instruments, time);
        _batchWriter = new BatchWriter(Partition, _spoolWriter?.Synced ?? Partition.Ready, chunks, encoder, seals, copies, onSealed);
    }

    /// <summary>Where requests append.</summary>
    internal Partition Partition { get; }

    /// <summary>Starts the writers; they end once the partition is closed and empty.</summary>
    internal IEnumerable<Task> Run()
    {
        if (_spoolWriter is not null)
        {
            yield return _spoolWriter.RunAsync(_name);
        }

        yield return Task.Run(_batchWriter.RunAsync);
    }

    public void Dispose()
    {
        Partition.Dispose();
        _batchWriter.Dispose();
    }
}
