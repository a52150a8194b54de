// The only work that is done on a body.
using BenchmarkDotNet.Attributes;
using Estat.Collect.Events;

namespace Estat.Microbench;

/// <summary>Copying the same bytes is the floor.</summary>
[MemoryDiagnoser]
public class EscaperBenchmarks
{
    private byte[] _body = [];
    private byte[] _room = [];

    [Params(100, 500, 16384)]
    public int Bytes { get; set; }

    [ParamsAllValues]
    public BodyKind Kind { get; set; }

    [GlobalSetup]
    public void Setup()
    {
        _body = Samples.Body(Kind, Bytes);
        _room = new byte[(JsonEscaper.Growth * Bytes) + JsonEscaper.Slack];
    }

    [Benchmark(Baseline = true)]
    public void Copy() => _body.CopyTo(_room, 0);

    [Benchmark]
    public int Escape() => JsonEscaper.Escape(_body, _room);
}
