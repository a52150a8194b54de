// A spool's folder in memory: for tests that look at every byte of a segment.
using Estat.Base.Journal;

namespace Estat.Collect.Tests.Support;

/// <summary>Files as byte arrays, which a test may read and spoil between uses.</summary>
internal sealed class MemoryFiles : IJournalFiles
{
    private readonly Dictionary<string, byte[]> _files = [];
    private readonly List<MemoryFile> _open = [];

    /// <inheritdoc/>
    public string Folder => "memory";

    internal byte[] this[string name]
    {
        get => _files[name];
        set => _files[name] = value;
    }

    /// <inheritdoc/>
    public IJournalFile Create(string name)
    {
        _files.Add(name, []);
        var file = new MemoryFile(this) { Name = name };
        _open.Add(file);
        return file;
    }

    /// <inheritdoc/>
    public IJournalFile Open(string name) => _files.ContainsKey(name) ? new MemoryFile(this) { Name = name } : throw new FileNotFoundException(name);

    /// <inheritdoc/>
    public IReadOnlyList<string> Names() => [.. _files.Keys];

    /// <inheritdoc/>
    public bool? Has(string name) => _files.ContainsKey(name);

    /// <inheritdoc/>
    public void SyncFolder()
    {
    }

    /// <inheritdoc/>
    public void Rename(string name, string to)
    {
        _files.Remove(name, out byte[]? content);
        _files[to] = content!;
        _open.Where(file => file.Name == name).ToList().ForEach(file => file.Name = to);
    }

    /// <inheritdoc/>
    public void Delete(string name) => _files.Remove(name);

    /// <inheritdoc/>
    public byte[]? ReadWhole(string name, int most) => _files.GetValueOrDefault(name);

    /// <inheritdoc/>
    public void Replace(string name, Action<Stream> write)
    {
        using var content = new MemoryStream();
        write(content);
        _files[name] = content.ToArray();
    }

    /// <inheritdoc/>
    public long FreeBytes() => long.MaxValue;

    private sealed class MemoryFile(MemoryFiles files) : IJournalFile
    {
        internal required string Name { get; set; }

        public long Length => files[Name].Length;

        public bool? HasName(string name) => files.Has(name);

        public void Write(long offset, ReadOnlySpan<byte> bytes)
        {
            byte[] content = files[Name];
            if (content.Length < offset + bytes.Length)
            {
                Array.Resize(ref content, (int)offset + bytes.Length);
                files[Name] = content;
            }

            bytes.CopyTo(content.AsSpan((int)offset));
        }

        public void Write(long offset, ReadOnlyMemory<byte> first, ReadOnlyMemory<byte> second)
        {
            Write(offset, first.Span);
            Write(offset + first.Length, second.Span);
        }

        public int Read(long offset, Span<byte> bytes)
        {
            ReadOnlySpan<byte> rest = offset < Length ? files[Name].AsSpan((int)offset) : default;
            rest = rest[..Math.Min(rest.Length, bytes.Length)];
            rest.CopyTo(bytes);
            return rest.Length;
        }

        public void Sync()
        {
        }

        public void Truncate(long length) => files[Name] = files[Name][..(int)length];

        public void Dispose()
        {
        }
    }
}
