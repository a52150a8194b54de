// An event into its partition: the lock, the line, and its share of handing chunks over.
using BenchmarkDotNet.Attributes;
using Estat.Base.Acks;
using Estat.Collect.Batching;
using Estat.Collect.Options;
using Estat.Lake.Names;

namespace Estat.Microbench;

/// <summary>At <c>memory</c>, where nothing waits for a sync. A writer that only gives chunks back stands for compression.</summary>
[MemoryDiagnoser]
public class PartitionBenchmarks
{
    private const int Events = 1000;
    private readonly ChunkPool _chunks = new();
    private byte[][] _bodies = [];
    private Partition _partition = null!;

    [GlobalSetup]
    public void Setup()
    {
        var random = new Random(1);
        _bodies = [.. Enumerable.Range(0, Events).Select(i => Samples.PageView(random, i))];
        var options = new CollectOptions { Partitions = 1 };
        _partition = new Partition(AckLevel.Memory, options, new ObjectKeys("raw", "instance"), _chunks, null, TimeProvider.System);
    }

    [GlobalCleanup]
    public void Cleanup() => _partition.Dispose();

    [Benchmark(OperationsPerInvoke = Events)]
    public int Append()
    {
        int taken = 0;
        foreach (byte[] body in _bodies)
        {
            taken += _partition.TryAppend(Samples.Header(), body, out Appended appended) && appended.Admission == Admission.Accepted ? 1 : 0;
        }

        while (_partition.Ready.TryRead(out ChunkLines lines))
        {
            _partition.Release(lines.Chunk.Events, lines.Chunk.Buffer.Length);
            _chunks.Return(lines.Chunk);
        }

        return taken == Events ? taken : throw new InvalidOperationException($"{taken} of {Events} events were taken");
    }
}
