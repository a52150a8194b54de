// Which of very many things were seen before: 128-bit hashes in memory, and on disk when they are too many.
using System.Runtime.InteropServices;
using Estat.Base.Files;

namespace Estat.Lake.Verifying;

/// <summary>Where something was seen.</summary>
/// <param name="Hash">What it is.</param>
/// <param name="Object">Number of the object.</param>
/// <param name="Line">Line in it.</param>
[StructLayout(LayoutKind.Sequential, Pack = 4)]
internal readonly record struct Occurrence(UInt128 Hash, int Object, int Line);

/// <summary>
/// Takes occurrences in any number and finds those with equal hashes at the end. 24 bytes each, in 64 parts by the hash's first bits: in memory
/// until they reach the limit, then appended to one file a part. Finding loads one part after another. One thread.
/// </summary>
internal sealed class DuplicateIndex : IDisposable
{
    private const int Parts = 64;
    private readonly string _folder;
    private readonly string _name;
    private readonly long _limit;
    private readonly List<Occurrence>[] _buffers = [.. Enumerable.Range(0, Parts).Select(_ => new List<Occurrence>())];
    private readonly FileStream?[] _files = new FileStream?[Parts];
    private long _buffered;

    /// <summary>An empty index.</summary>
    /// <param name="folder">For its files; exists.</param>
    /// <param name="name">Begins their names.</param>
    /// <param name="limit">Bytes in memory.</param>
    internal DuplicateIndex(string folder, string name, long limit)
    {
        _folder = folder;
        _name = name;
        _limit = limit;
    }

    private static unsafe int Size => sizeof(Occurrence);

    /// <summary>Bytes on disk.</summary>
    internal long OnDisk => _files.Sum(file => file?.Length ?? 0);

    /// <summary>Adds one.</summary>
    internal void Add(Occurrence occurrence)
    {
        _buffers[(int)(occurrence.Hash >> 122)].Add(occurrence);
        if (++_buffered * Size >= _limit)
        {
            Spill();
        }
    }

    /// <summary>Makes all of it durable.</summary>
    /// <returns>The length of each part's file.</returns>
    internal long[] Save()
    {
        Spill();
        foreach (FileStream? file in _files)
        {
            if (file is not null)
            {
                Libc.SyncData(file);
            }
        }

        return [.. _files.Select(file => file?.Length ?? 0)];
    }

    /// <summary>Goes back to what was saved: whatever was appended after is cut off.</summary>
    internal void Restore(IReadOnlyList<long> lengths)
    {
        for (int part = 0; part < Parts; part++)
        {
            // A part that was empty then has a file if it was killed since.
            if (lengths[part] > 0 || File.Exists(PathOf(part)))
            {
                FileOf(part).SetLength(lengths[part]);
                FileOf(part).Seek(0, SeekOrigin.End);
            }
        }
    }

    /// <summary>All that were seen more than once: the first place and each further one, by parts.</summary>
    internal IEnumerable<(Occurrence First, Occurrence Again)> Find()
    {
        for (int part = 0; part < Parts; part++)
        {
            Occurrence[] all = Load(part);
            Array.Sort(all, static (a, b) =>
                a.Hash != b.Hash ? a.Hash.CompareTo(b.Hash) : a.Object != b.Object ? a.Object.CompareTo(b.Object) : a.Line.CompareTo(b.Line));
            int first = 0;
            for (int i = 1; i < all.Length; i++)
            {
                if (all[i].Hash == all[first].Hash)
                {
                    yield return (all[first], all[i]);
                }
                else
                {
                    first = i;
                }
            }
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (FileStream? file in _files)
        {
            file?.Dispose();
        }
    }

    private Occurrence[] Load(int part)
    {
        FileStream? file = _files[part];
        var all = new Occurrence[(int)((file?.Length ?? 0) / Size) + _buffers[part].Count];
        if (file is not null)
        {
            file.Flush();
            file.Position = 0;
            Span<byte> bytes = MemoryMarshal.AsBytes(all.AsSpan(0, (int)(file.Length / Size)));
            file.ReadExactly(bytes);
        }

        _buffers[part].CopyTo(all, all.Length - _buffers[part].Count);
        return all;
    }

    private void Spill()
    {
        for (int part = 0; part < Parts; part++)
        {
            if (_buffers[part].Count > 0)
            {
                FileOf(part).Write(MemoryMarshal.AsBytes(CollectionsMarshal.AsSpan(_buffers[part])));
                _buffers[part].Clear();
            }
        }

        _buffered = 0;
    }

    private string PathOf(int part) => Path.Combine(_folder, $"{_name}-{part:d2}");

    private FileStream FileOf(int part) =>
        _files[part] ??= new FileStream(PathOf(part), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.Read);
}
