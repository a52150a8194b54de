// A batch from its first chunk to its seal.
using BenchmarkDotNet.Attributes;
using Estat.Collect.Batching;
using Estat.Collect.Metrics;
using Microsoft.Extensions.Logging.Abstractions;

namespace Estat.Microbench;

/// <summary>Times are of one event. By level against zlib-ng itself: <see cref="Gzip.GzipCost"/>.</summary>
[MemoryDiagnoser]
public class BatchEncoderBenchmarks
{
    private const int Events = 5000;
    private readonly OpenBatch _open = new("raw/key.jsonl.gz", DateTimeOffset.UnixEpoch, isAwaited: false);
    private byte[] _lines = [];
    private BatchEncoder _encoder = null!;

    [Params(1, 2, 6)]
    public int Level { get; set; }

    [GlobalSetup]
    public void Setup()
    {
        _lines = Samples.Lines(Events, 1);
        _encoder = new BatchEncoder(BatchEncoder.Gzip(Level), NullLogger.Instance, null);
    }

    [GlobalCleanup]
    public void Cleanup() => _encoder.Dispose();

    [Benchmark(OperationsPerInvoke = Events)]
    public long AppendAndSeal()
    {
        for (int at = 0; at < _lines.Length; at += ChunkPool.ChunkBytes)
        {
            _encoder.Append(_open, _lines.AsSpan(at, Math.Min(ChunkPool.ChunkBytes, _lines.Length - at)), 1);
        }

        using SealedBatch batch = _encoder.Seal(FlushReason.Count);
        return batch.ContentBytes;
    }
}
