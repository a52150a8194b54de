// A disk that a test holds: its syncs wait or fail, and its folder refuses, while the test says so.
using Estat.Base.Journal;

namespace Estat.Testing;

/// <summary>The real files otherwise. A sync that fails leaves what was written: for a disk that forgets it, see PowerCutFiles.</summary>
/// <param name="inner">The real ones.</param>
internal sealed class HeldFiles(IJournalFiles inner) : IJournalFiles
{
    private readonly object _gate = new();
    private bool _hangs;
    private volatile int _waiting;

    /// <summary>Whether syncs fail that begin now.</summary>
    internal bool SyncFails { get; set; }

    /// <summary>Whether the folder can neither be synced nor rid of a file.</summary>
    internal bool RefusesFolder { get; set; }

    /// <summary>Whether a sync waits for <see cref="GoOn"/>.</summary>
    internal bool IsSyncing => _waiting > 0;

    /// <inheritdoc/>
    public string Folder => inner.Folder;

    /// <summary>Syncs that begin from now on wait.</summary>
    internal void Hang()
    {
        lock (_gate)
        {
            _hangs = true;
        }
    }

    /// <summary>Syncs go on.</summary>
    internal void GoOn()
    {
        lock (_gate)
        {
            _hangs = false;
            Monitor.PulseAll(_gate);
        }
    }

    /// <inheritdoc/>
    public IJournalFile Create(string name) => new HeldFile(this, inner.Create(name));

    /// <inheritdoc/>
    public IJournalFile Open(string name) => new HeldFile(this, inner.Open(name));

    /// <inheritdoc/>
    public IReadOnlyList<string> Names() => inner.Names();

    /// <inheritdoc/>
    public bool? Has(string name) => inner.Has(name);

    /// <inheritdoc/>
    public void SyncFolder()
    {
        ThrowIfRefused();
        inner.SyncFolder();
    }

    /// <inheritdoc/>
    public void Rename(string name, string to) => inner.Rename(name, to);

    /// <inheritdoc/>
    public void Delete(string name)
    {
        if (inner.Has(name) == true)
        {
            ThrowIfRefused();
        }

        inner.Delete(name);
    }

    /// <inheritdoc/>
    public byte[]? ReadWhole(string name, int most) => inner.ReadWhole(name, most);

    /// <inheritdoc/>
    public void Replace(string name, Action<Stream> write) => inner.Replace(name, write);

    /// <inheritdoc/>
    public long FreeBytes() => inner.FreeBytes();

    private void ThrowIfRefused()
    {
        if (RefusesFolder)
        {
            throw new IOException("EIO");
        }
    }

    private void Sync(IJournalFile file)
    {
        if (SyncFails)
        {
            throw new IOException("The disk failed.");
        }

        lock (_gate)
        {
            while (_hangs)
            {
                _waiting++;
                Monitor.Wait(_gate);
                _waiting--;
            }
        }

        file.Sync();
    }

    private sealed class HeldFile(HeldFiles files, IJournalFile inner) : IJournalFile
    {
        public long Length => inner.Length;

        public bool? HasName(string name) => inner.HasName(name);

        public void Write(long offset, ReadOnlySpan<byte> bytes) => inner.Write(offset, bytes);

        public void Write(long offset, ReadOnlyMemory<byte> first, ReadOnlyMemory<byte> second) => inner.Write(offset, first, second);

        public int Read(long offset, Span<byte> bytes) => inner.Read(offset, bytes);

        public void Sync() => files.Sync(inner);

        public void Truncate(long length) => inner.Truncate(length);

        public void Dispose() => inner.Dispose();
    }
}
