// The spool's files on a real disk.
using Estat.Core.Files;
using Microsoft.Win32.SafeHandles;

namespace Estat.Core.Spooling;

/// <summary>A folder that exists.</summary>
internal sealed class DiskFiles(string folder) : ISpoolFiles
{
    /// <inheritdoc/>
    public string Folder { get; } = Path.GetFullPath(folder);

    /// <inheritdoc/>
    public ISpoolFile Create(string name) => new DiskFile(Path.Combine(Folder, name), FileMode.CreateNew, FileAccess.ReadWrite);

    /// <inheritdoc/>
    public ISpoolFile Open(string name)
    {
        string path = Path.Combine(Folder, name);
        try
        {
            return new DiskFile(path, FileMode.Open, FileAccess.ReadWrite);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException && File.Exists(path))
        {
            // A file system that turned read-only after an error: what is sealed there can still be uploaded.
            return new DiskFile(path, FileMode.Open, FileAccess.Read);
        }
    }

    /// <inheritdoc/>
    public IReadOnlyList<string> Names() => [.. Directory.EnumerateFiles(Folder).Select(path => Path.GetFileName(path))];

    /// <inheritdoc/>
    public void SyncFolder() => Libc.SyncDirectory(Folder);

    /// <inheritdoc/>
    public void Delete(string name) => File.Delete(Path.Combine(Folder, name));

    /// <inheritdoc/>
    public byte[]? ReadWhole(string name)
    {
        string path = Path.Combine(Folder, name);
        return File.Exists(path) ? File.ReadAllBytes(path) : null;
    }

    /// <inheritdoc/>
    public void Replace(string name, byte[] content) => AtomicFile.Write(Path.Combine(Folder, name), file => file.Write(content));

    /// <inheritdoc/>
    public long FreeBytes() => new DriveInfo(Folder).AvailableFreeSpace;

    private sealed class DiskFile(string path, FileMode mode, FileAccess access) : ISpoolFile
    {
        private readonly ReadOnlyMemory<byte>[] _pieces = new ReadOnlyMemory<byte>[2];
        private readonly SafeFileHandle _handle = File.OpenHandle(path, mode, access, FileShare.Read | FileShare.Delete);

        public long Length => RandomAccess.GetLength(_handle);

        public void Write(long offset, ReadOnlySpan<byte> bytes) => RandomAccess.Write(_handle, bytes, offset);

        public void Write(long offset, ReadOnlyMemory<byte> first, ReadOnlyMemory<byte> second)
        {
            _pieces[0] = first;
            _pieces[1] = second;
            RandomAccess.Write(_handle, _pieces, offset);
        }

        public int Read(long offset, Span<byte> bytes) => RandomAccess.Read(_handle, bytes, offset);

        public void Sync() => Libc.SyncData(_handle, path);

        public void Truncate(long length) => RandomAccess.SetLength(_handle, length);

        public void Dispose() => _handle.Dispose();
    }
}
