// A disk that fails when a test says so, and that forgets what it failed to sync.
using Estat.Base.Files;
using Estat.Base.Journal;
using Estat.Collect.Spooling;

namespace Estat.Tests.Support;

/// <summary>What a file layer is asked for.</summary>
internal enum DiskCall
{
    Create,
    SyncFolder,
    Write,
    Sync,
    Truncate,
    Measure,
}

/// <summary>
/// The real files with faults. As Linux does after a failed fsync, a failed <see cref="DiskCall.Sync"/> drops what had been written since the last
/// one, and the next succeeds as though nothing had happened.
/// </summary>
internal sealed class FaultingFiles(IJournalFiles inner) : IJournalFiles
{
    private const int Enospc = 28;
    private const int Eio = 5;

    /// <summary>Asked before each call by kind and file name; what it returns is thrown.</summary>
    internal Func<DiskCall, string, IOException?>? Fault { get; set; }

    /// <summary>Called before a file is asked whether it still has its name.</summary>
    internal Action<string>? OnHasName { get; set; }

    /// <inheritdoc/>
    public string Folder => inner.Folder;

    internal static IOException NoSpace() => new("No space left on device", Enospc);

    internal static IOException Broken() => new("Input/output error", Eio);

    /// <summary>The next call of this kind to this file fails.</summary>
    internal void FailOnce(DiskCall kind, string file, IOException error)
    {
        int left = 1;
        Fault = (call, name) => call == kind && name == file && Interlocked.Exchange(ref left, 0) == 1 ? error : null;
    }

    /// <summary>All calls of this kind fail.</summary>
    internal void FailAlways(DiskCall kind, IOException error) => Fault = (call, _) => call == kind ? error : null;

    /// <inheritdoc/>
    public IJournalFile Create(string name)
    {
        Throw(DiskCall.Create, name);
        return new FaultingFile(this, NameOf(name), inner.Create(name));
    }

    /// <inheritdoc/>
    public IJournalFile Open(string name) => new FaultingFile(this, name, inner.Open(name));

    /// <inheritdoc/>
    public IReadOnlyList<string> Names() => inner.Names();

    /// <inheritdoc/>
    public bool? Has(string name) => inner.Has(name);

    /// <inheritdoc/>
    public void SyncFolder()
    {
        Throw(DiskCall.SyncFolder, "");
        inner.SyncFolder();
    }

    /// <inheritdoc/>
    public void Rename(string name, string to) => inner.Rename(name, to);

    /// <inheritdoc/>
    public void Delete(string name) => inner.Delete(name);

    /// <inheritdoc/>
    public byte[]? ReadWhole(string name, int most) => inner.ReadWhole(name, most);

    /// <inheritdoc/>
    public void Replace(string name, Action<Stream> write) => inner.Replace(name, write);

    /// <inheritdoc/>
    public long FreeBytes()
    {
        Throw(DiskCall.Measure, "");
        return inner.FreeBytes();
    }

    // What is made under a temporary name is known by the one that it will get.
    private static string NameOf(string name) => AtomicFile.IsTemporary(name) ? name[AtomicFile.TemporaryPrefix.Length..] + Spool.Extension : name;

    private void Throw(DiskCall call, string name)
    {
        if (Fault?.Invoke(call, name) is { } error)
        {
            throw error;
        }
    }

    private sealed class FaultingFile(FaultingFiles files, string name, IJournalFile inner) : IJournalFile
    {
        private byte[] _synced = ReadAll(inner);

        public long Length => inner.Length;

        public bool? HasName(string name)
        {
            files.OnHasName?.Invoke(name);
            return inner.HasName(name);
        }

        // Half of it is there when a write fails.
        public void Write(long offset, ReadOnlySpan<byte> bytes)
        {
            if (files.Fault?.Invoke(DiskCall.Write, name) is { } error)
            {
                inner.Write(offset, bytes[..(bytes.Length / 2)]);
                throw error;
            }

            inner.Write(offset, bytes);
        }

        public void Write(long offset, ReadOnlyMemory<byte> first, ReadOnlyMemory<byte> second) => Write(offset, [.. first.Span, .. second.Span]);

        public int Read(long offset, Span<byte> bytes) => inner.Read(offset, bytes);

        public void Sync()
        {
            if (files.Fault?.Invoke(DiskCall.Sync, name) is { } error)
            {
                inner.Truncate(0);
                inner.Write(0, _synced);
                throw error;
            }

            inner.Sync();
            _synced = ReadAll(inner);
        }

        public void Truncate(long length)
        {
            files.Throw(DiskCall.Truncate, name);
            inner.Truncate(length);
        }

        public void Dispose() => inner.Dispose();

        private static byte[] ReadAll(IJournalFile file)
        {
            var content = new byte[file.Length];
            int read = 0;
            for (int more; read < content.Length && (more = file.Read(read, content.AsSpan(read))) > 0; read += more)
            {
            }

            return content[..read];
        }
    }
}
