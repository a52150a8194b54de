// A record's frame: the checksum over its lines is all of its cost.
using BenchmarkDotNet.Attributes;
using Estat.Base.Journal;

namespace Estat.Microbench;

/// <summary>Of one line's size, as a lone request writes it, up to a whole chunk's.</summary>
[MemoryDiagnoser]
public class RecordFormatBenchmarks
{
    private readonly byte[] _frame = new byte[RecordFormat.FrameBytes];
    private byte[] _lines = [];

    [Params(650, 16384, 262144)]
    public int Bytes { get; set; }

    [GlobalSetup]
    public void Setup() => _lines = Samples.Body(BodyKind.Json, Bytes);

    [Benchmark]
    public void WriteFrame() => RecordFormat.WriteFrame(_frame, 0x0123_4567_89AB_CDEF, 1, 1, _lines);

    [Benchmark]
    public bool IsSound() => RecordFormat.IsSound(_frame, 0x0123_4567_89AB_CDEF, _lines);
}
