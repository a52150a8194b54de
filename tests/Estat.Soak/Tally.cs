// What came of one phase's events.
namespace Estat.Soak;

/// <summary>Answers' times, and what was no 2xx. Its owner locks.</summary>
internal sealed class Tally
{
    private readonly List<double> _milliseconds = [];
    private readonly SortedDictionary<string, int> _faults = new(StringComparer.Ordinal);
    private bool _isSorted;

    /// <summary>Events that were answered, or were not.</summary>
    internal int Events => _milliseconds.Count;

    /// <summary>What was no 2xx, and how often.</summary>
    internal IReadOnlyDictionary<string, int> Faults => _faults;

    /// <summary>Whether all of it was 2xx, or asked to come again.</summary>
    internal bool IsSound => _faults.Keys.All(fault => fault is "503 with Retry-After");

    internal void Add(TimeSpan? time, string? fault)
    {
        if (time is { } taken)
        {
            _milliseconds.Add(taken.TotalMilliseconds);
        }

        if (fault is not null)
        {
            _faults[fault] = _faults.GetValueOrDefault(fault) + 1;
        }
    }

    /// <summary>The time within which this part of the events was answered.</summary>
    internal double Percentile(double part)
    {
        if (!_isSorted)
        {
            _milliseconds.Sort();
            _isSorted = true;
        }

        return _milliseconds.Count == 0 ? 0 : _milliseconds[Math.Min(_milliseconds.Count - 1, (int)(part * _milliseconds.Count))];
    }

    /// <summary>Adds another phase's.</summary>
    internal void Add(Tally other)
    {
        _milliseconds.AddRange(other._milliseconds);
        _isSorted = false;
        foreach ((string fault, int count) in other._faults)
        {
            _faults[fault] = _faults.GetValueOrDefault(fault) + count;
        }
    }

    /// <inheritdoc/>
    public override string ToString() =>
        $"{Events,7} events  p50 {Percentile(0.5),7:0.0} ms  p99 {Percentile(0.99),8:0.0} ms  "
        + $"{string.Join(", ", _faults.Select(fault => $"{fault.Value} × {fault.Key}"))}";
}
