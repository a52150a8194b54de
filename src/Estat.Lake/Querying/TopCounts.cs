// The most frequent values of very many, in bounded memory.
namespace Estat.Lake.Querying;

/// <summary>
/// Exact while there are no more than <c>capacity</c> distinct values; from then on space-saving (Metwally, Agrawal, El Abbadi, 2005): a new value
/// takes the place of the least frequent value and its count with it. A count is then too high by at most <see cref="Error"/>, never too low, and
/// every value with a true count above it is in. One thread.
/// </summary>
internal sealed class TopCounts(int capacity)
{
    private readonly Dictionary<string, int> _places = new(StringComparer.Ordinal);
    private readonly List<(string Value, long Count)> _heap = []; // least count first

    /// <summary>By how much a count may be too high; 0: all are exact.</summary>
    internal long Error { get; private set; }

    /// <summary>Values that are counted now.</summary>
    internal int Distinct => _heap.Count;

    /// <summary>Counts a value.</summary>
    internal void Add(string value, long count)
    {
        if (_places.TryGetValue(value, out int place))
        {
            _heap[place] = (value, _heap[place].Count + count);
            Sink(place);
        }
        else if (_heap.Count < capacity)
        {
            _heap.Add((value, count));
            _places[value] = _heap.Count - 1;
            Rise(_heap.Count - 1);
        }
        else
        {
            (string least, long lost) = _heap[0];
            _places.Remove(least);
            Error = Math.Max(Error, lost);
            _heap[0] = (value, lost + count);
            _places[value] = 0;
            Sink(0);
        }
    }

    /// <summary>The most frequent, most first; of equal counts by the value.</summary>
    internal IReadOnlyList<(string Value, long Count)> Most(int limit) =>
        [.. _heap.OrderByDescending(pair => pair.Count).ThenBy(pair => pair.Value, StringComparer.Ordinal).Take(limit)];

    private void Rise(int place)
    {
        for (int parent; place > 0 && _heap[parent = (place - 1) / 2].Count > _heap[place].Count; place = parent)
        {
            Swap(place, parent);
        }
    }

    private void Sink(int place)
    {
        while (true)
        {
            int least = place;
            for (int child = (2 * place) + 1; child <= (2 * place) + 2 && child < _heap.Count; child++)
            {
                least = _heap[child].Count < _heap[least].Count ? child : least;
            }

            if (least == place)
            {
                return;
            }

            Swap(place, least);
            place = least;
        }
    }

    private void Swap(int a, int b)
    {
        (_heap[a], _heap[b]) = (_heap[b], _heap[a]);
        _places[_heap[a].Value] = a;
        _places[_heap[b].Value] = b;
    }
}
