// What was put in last, in bounded memory.
using System.Collections.Concurrent;
using System.Diagnostics.CodeAnalysis;

namespace Estat.Base.Memory;

/// <summary>
/// Two tables of half the size each: when the young one is full it becomes the old one, and what nothing was put in for since goes. Any thread;
/// readers wait for nobody.
/// </summary>
/// <param name="most">What it holds at most.</param>
internal sealed class RecentTable<TKey, TValue>(int most)
    where TKey : notnull
{
    private readonly int _half = Math.Max(1, most / 2);
    private readonly Lock _gate = new();
    private volatile ConcurrentDictionary<TKey, TValue> _young = new();
    private volatile ConcurrentDictionary<TKey, TValue> _old = new();
    private int _youngCount;

    /// <summary>How many are held; what was put in again may count twice.</summary>
    internal int Count => _young.Count + _old.Count;

    /// <summary>What was put in last under a key.</summary>
    internal bool TryFind(TKey key, [MaybeNullWhen(false)] out TValue value) => TryFind(key, out value, out _);

    /// <summary>The same.</summary>
    /// <param name="key">The key.</param>
    /// <param name="value">What was put in.</param>
    /// <param name="isOld">Whether it goes next, unless it is put in again.</param>
    internal bool TryFind(TKey key, [MaybeNullWhen(false)] out TValue value, out bool isOld)
    {
        isOld = !_young.TryGetValue(key, out value);
        return !isOld || _old.TryGetValue(key, out value);
    }

    /// <summary>Puts a value in, in the place of the one that is there.</summary>
    internal void Put(TKey key, TValue value)
    {
        lock (_gate)
        {
            if (!_young.ContainsKey(key) && ++_youngCount > _half)
            {
                _old = _young;
                _young = new ConcurrentDictionary<TKey, TValue>();
                _youngCount = 1;
            }

            _young[key] = value;
        }
    }

    /// <summary>Takes a value out.</summary>
    internal void Remove(TKey key)
    {
        lock (_gate)
        {
            _youngCount -= _young.TryRemove(key, out _) ? 1 : 0;
            _old.TryRemove(key, out _);
        }
    }
}
