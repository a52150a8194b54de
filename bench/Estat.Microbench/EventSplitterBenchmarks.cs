// A batch request's body into events.
using BenchmarkDotNet.Attributes;
using Estat.Collect.Http;

namespace Estat.Microbench;

/// <summary>Times are of one event.</summary>
[MemoryDiagnoser]
public class EventSplitterBenchmarks
{
    private const int Events = 500;
    private byte[] _lines = [];
    private byte[] _array = [];
    private long _bytes;
    private EventAction _count = null!;

    [GlobalSetup]
    public void Setup()
    {
        var random = new Random(1);
        byte[][] events = [.. Enumerable.Range(0, Events).Select(i => Samples.PageView(random, i))];
        _lines = [.. events.SelectMany(body => body.Append((byte)'\n'))];
        _array = [(byte)'[', .. events.SelectMany(body => body.Append((byte)',')).SkipLast(1), (byte)']'];
        _count = body =>
        {
            _bytes += body.Length;
            return true;
        };
    }

    [Benchmark(OperationsPerInvoke = Events)]
    public long Lines()
    {
        EventSplitter.SplitLines(_lines, _count);
        return _bytes;
    }

    [Benchmark(OperationsPerInvoke = Events)]
    public long JsonArray()
    {
        EventSplitter.SplitJson(_array, _count);
        return _bytes;
    }
}
