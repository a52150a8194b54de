// A journal's files on a real disk.
using Estat.Base.Files;
using Microsoft.Win32.SafeHandles;

namespace Estat.Base.Journal;

/// <summary>A folder that exists.</summary>
/// <param name="folder">Its path.</param>
/// <param name="owner">Knows the way to it when the path leads elsewhere; null in tests.</param>
internal sealed class DiskFiles(string folder, DirectoryLock? owner = null) : IJournalFiles
{
    /// <inheritdoc/>
    public string Folder { get; } = Path.GetFullPath(folder);

    private string Way => owner?.Way ?? Folder;

    /// <inheritdoc/>
    public IJournalFile Create(string name) =>
        new DiskFile(this, Of(name), File.OpenHandle(Of(name), FileMode.CreateNew, FileAccess.ReadWrite, FileShare.Read | FileShare.Delete));

    /// <inheritdoc/>
    public IJournalFile Open(string name)
    {
        string path = Of(name);
        try
        {
            return new DiskFile(this, path, RegularFile.OpenHandle(path, FileAccess.ReadWrite));
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException && File.Exists(path))
        {
            // A file system that turned read-only after an error: what is sealed there can still be uploaded.
            return new DiskFile(this, path, RegularFile.OpenHandle(path));
        }
    }

    /// <inheritdoc/>
    public IReadOnlyList<string> Names() => [.. Directory.EnumerateFiles(Way).Select(path => Path.GetFileName(path))];

    /// <inheritdoc/>
    public bool? Has(string name) => Has(name, null);

    /// <inheritdoc/>
    public void SyncFolder() => Libc.SyncDirectory(Way);

    /// <inheritdoc/>
    public void Rename(string name, string to) => File.Move(Of(name), Of(to), overwrite: false);

    /// <inheritdoc/>
    public void Delete(string name) => File.Delete(Of(name));

    /// <inheritdoc/>
    public byte[]? ReadWhole(string name, int most)
    {
        try
        {
            return RegularFile.ReadAllBytes(Of(name), most);
        }
        catch (FileNotFoundException)
        {
            return null;
        }
    }

    /// <inheritdoc/>
    public void Replace(string name, Action<Stream> write)
    {
        AtomicFile.Write(Of(name), write);
        if (Has(name) == false)
        {
            throw new IOException($"{Folder} is not the folder that was opened at the start: {name} is not in it");
        }
    }

    /// <inheritdoc/>
    public long FreeBytes() => new DriveInfo(Way).AvailableFreeSpace;

    private string Of(string name) => Path.Combine(Way, name);

    private bool? Has(string name, SafeFileHandle? file) => owner is null ? FileStat.IsUnder(Of(name), file) : owner.Has(name, file);

    private sealed class DiskFile(DiskFiles files, string path, SafeFileHandle handle) : IJournalFile
    {
        private readonly ReadOnlyMemory<byte>[] _pieces = new ReadOnlyMemory<byte>[2];

        public long Length => RandomAccess.GetLength(handle);

        public bool? HasName(string name) => files.Has(name, handle);

        public void Write(long offset, ReadOnlySpan<byte> bytes) => RandomAccess.Write(handle, bytes, offset);

        public void Write(long offset, ReadOnlyMemory<byte> first, ReadOnlyMemory<byte> second)
        {
            _pieces[0] = first;
            _pieces[1] = second;
            RandomAccess.Write(handle, _pieces, offset);
        }

        public int Read(long offset, Span<byte> bytes) => RandomAccess.Read(handle, bytes, offset);

        public void Sync() => Libc.SyncData(handle, path);

        public void Truncate(long length) => RandomAccess.SetLength(handle, length);

        public void Dispose() => handle.Dispose();
    }
}
