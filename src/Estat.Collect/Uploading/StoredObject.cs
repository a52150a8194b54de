// What this process stored last.
using Estat.Base.Metrics;
using Estat.Base.Storage;

namespace Estat.Collect.Uploading;

/// <summary>An object that this process laid under RAW_PREFIX.</summary>
/// <param name="Key">Its key.</param>
/// <param name="Events">Lines.</param>
/// <param name="Bytes">Uncompressed JSONL.</param>
/// <param name="ContentBytes">What lies there.</param>
/// <param name="Opened">When its batch opened, UTC.</param>
/// <param name="Stored">When it was stored, UTC.</param>
public sealed record StoredObject(string Key, long Events, long Bytes, long ContentBytes, DateTime Opened, DateTime Stored)
{
    internal static StoredObject Of(string key, Seal seal, long contentBytes, DateTimeOffset opened, TimeProvider time) =>
        new(key, seal.Events, seal.Bytes, contentBytes, Moments.ToMilliseconds(opened), Moments.ToMilliseconds(time.GetUtcNow()));
}

/// <summary>The last of them. Safe for concurrent use; an object is some thousand events, so a lock costs nothing.</summary>
public sealed class StoredObjects
{
    /// <summary>How many are kept.</summary>
    public const int Kept = 200;

    private readonly Lock _gate = new();
    private readonly Queue<StoredObject> _last = new(Kept);

    internal void Add(StoredObject stored)
    {
        lock (_gate)
        {
            if (_last.Count == Kept)
            {
                _last.Dequeue();
            }

            _last.Enqueue(stored);
        }
    }

    /// <summary>The newest first.</summary>
    /// <param name="most">How many.</param>
    public IReadOnlyList<StoredObject> Newest(int most)
    {
        lock (_gate)
        {
            // Uploads end at once: one that ended first may come here second.
            return [.. _last.Reverse().OrderByDescending(stored => stored.Stored).Take(most)];
        }
    }

    /// <summary>Whether the key is one of those that are kept.</summary>
    public bool Holds(string key)
    {
        lock (_gate)
        {
            return _last.Any(stored => stored.Key == key);
        }
    }
}
