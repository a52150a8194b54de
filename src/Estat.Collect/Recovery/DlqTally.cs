// What each file of the DLQ was counted with.
using System.Security.Cryptography;
using System.Text;

namespace Estat.Collect.Recovery;

/// <summary>
/// A file is taken off with what it was put down with, so that no sum is ever below zero: metas change, go, and come back, and files come that nobody
/// counted. Some 50 bytes for each. Any thread.
/// </summary>
internal sealed class DlqTally
{
    private readonly Lock _gate = new();
    private readonly Dictionary<ulong, (long Events, long Bytes)> _files = [];
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
            _bytes += bytes - _files.GetValueOrDefault(HashOf(name)).Bytes;
            _files[HashOf(name)] = (events, bytes);
            _count = _files.Count;
        }
    }

    /// <summary>Takes a file off.</summary>
    /// <returns>Events that it was put down with; 0 for one that never was.</returns>
    internal long Remove(string name)
    {
        lock (_gate)
        {
            if (!_files.Remove(HashOf(name), out (long Events, long Bytes) file))
            {
                return 0;
            }

            _bytes -= file.Bytes;
            _count = _files.Count;
            return file.Events;
        }
    }

    /// <summary>Takes all of them off.</summary>
    internal (long Files, long Events) Clear()
    {
        lock (_gate)
        {
            (long, long) all = (_files.Count, _files.Values.Sum(file => file.Events));
            _files.Clear();
            _bytes = 0;
            _count = 0;
            return all;
        }
    }

    private static ulong HashOf(string name) => BitConverter.ToUInt64(SHA256.HashData(Encoding.UTF8.GetBytes(name)));
}
