// An event into its line.
using BenchmarkDotNet.Attributes;
using Estat.Collect.Events;

namespace Estat.Microbench;

/// <summary>What is above <see cref="EscaperBenchmarks"/> is the envelope.</summary>
[MemoryDiagnoser]
public class LineEncoderBenchmarks
{
    private byte[] _body = [];
    private byte[] _line = [];

    [Params(100, 500, 16384)]
    public int Bytes { get; set; }

    [Params(BodyKind.Json, BodyKind.Korean)]
    public BodyKind Kind { get; set; }

    [GlobalSetup]
    public void Setup()
    {
        _body = Samples.Body(Kind, Bytes);
        _line = new byte[LineEncoder.MaxLength(Samples.Header(), Bytes)];
    }

    [Benchmark]
    public int Encode() => LineEncoder.Encode(Samples.Header(), _body, _line);
}
