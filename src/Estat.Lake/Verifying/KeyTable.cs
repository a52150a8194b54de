// Keys by number, on disk: a million of them would be hundreds of megabytes of memory.
using System.Text;
using Estat.Base.Files;

namespace Estat.Lake.Verifying;

/// <summary>Append-only: one key a line. Memory: 8 bytes a key. One thread.</summary>
internal sealed class KeyTable : IDisposable
{
    private readonly FileStream _file;
    private readonly List<long> _ends = [];

    /// <summary>Opens the table; what it held beyond <paramref name="length"/> is cut off.</summary>
    internal KeyTable(string path, long length)
    {
        _file = new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.Read, 64 * 1024);
        _file.SetLength(length);
        int next;
        while ((next = _file.ReadByte()) >= 0)
        {
            if (next == '\n')
            {
                _ends.Add(_file.Position);
            }
        }
    }

    /// <summary>Adds a key.</summary>
    /// <returns>Its number.</returns>
    internal int Add(string key)
    {
        _file.Seek(0, SeekOrigin.End);
        _file.Write(Encoding.UTF8.GetBytes(key.ReplaceLineEndings("?") + "\n"));
        _ends.Add(_file.Position);
        return _ends.Count - 1;
    }

    internal string this[int number]
    {
        get
        {
            long start = number == 0 ? 0 : _ends[number - 1];
            byte[] bytes = new byte[_ends[number] - start - 1];
            _file.Position = start;
            _file.ReadExactly(bytes);
            return Encoding.UTF8.GetString(bytes);
        }
    }

    /// <summary>Makes all of it durable.</summary>
    internal long Save()
    {
        Libc.SyncData(_file);
        return _file.Length;
    }

    /// <inheritdoc/>
    public void Dispose() => _file.Dispose();
}
