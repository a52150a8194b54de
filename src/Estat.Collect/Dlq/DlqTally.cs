// What each file of the DLQ was counted with.
using System.Security.Cryptography;
using System.Text;

namespace Estat.Collect.Dlq;

/// <summary>
/// A file is taken off with what it was put down with, so that no sum is ever below zero: metas change, go, and come back, and files come that nobody
/// counted. Some 50 bytes for each, and the names of the first <see cref="MostNames"/>. Any thread.
/// </summary>
internal sealed class DlqTally
{
    private const int MostNames = 10_000;
    private const int MostTold = 10;

    private readonly Lock _gate = new();
    private readonly Dictionary<ulong, (long Events, long Bytes)> _files = [];
    private readonly Dictionary<ulong, string> _names = [];
    private long _bytes;
    private int _count;

    /// <summary>Files.</summary>
    internal long Files => Volatile.Read(ref _count);

    /// <summary>Bytes of them.</summary>
    internal long Bytes => Volatile.Read(ref _bytes);

    /// <summary>Puts a file down, or again if it was replaced.</summary>
    internal void Add(string name, long events, long bytes)
    {
        lock (_gate)
        {
            ulong id = IdOf(name);
            _bytes += bytes - _files.GetValueOrDefault(id).Bytes;
            _files[id] = (events, bytes);
            _count = _files.Count;
            if (_names.Count < MostNames)
            {
                _names[id] = name;
            }
        }
    }

    /// <summary>Takes a file off.</summary>
    /// <returns>Events that it was put down with; 0 for one that never was.</returns>
    internal long Remove(string name)
    {
        lock (_gate)
        {
            return TakeOff(IdOf(name)) ?? 0;
        }
    }

    /// <summary>What stands for each file that is put down.</summary>
    internal HashSet<ulong> All()
    {
        lock (_gate)
        {
            return [.. _files.Keys];
        }
    }

    /// <summary>Takes these off, as far as they are still put down.</summary>
    /// <returns>How many they were, with their events, and the names of a few as far as they are known.</returns>
    internal (int Files, long Events, string Names) Remove(IReadOnlyCollection<ulong> ids)
    {
        lock (_gate)
        {
            string[] names = [.. ids.Where(_files.ContainsKey).Select(_names.GetValueOrDefault).OfType<string>().Order(StringComparer.Ordinal)];
            long[] events = [.. ids.Select(TakeOff).OfType<long>()];
            string rest = events.Length > Math.Min(names.Length, MostTold) ? ", …" : "";
            return (events.Length, events.Sum(), string.Join(", ", names.Take(MostTold)) + rest);
        }
    }

    /// <summary>What stands for a file of this name.</summary>
    internal static ulong IdOf(string name) => BitConverter.ToUInt64(SHA256.HashData(Encoding.UTF8.GetBytes(name)));

    private long? TakeOff(ulong id)
    {
        if (!_files.Remove(id, out (long Events, long Bytes) file))
        {
            return null;
        }

        _names.Remove(id);
        _bytes -= file.Bytes;
        _count = _files.Count;
        return file.Events;
    }
}
