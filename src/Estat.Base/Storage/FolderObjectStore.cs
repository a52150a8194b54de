// Objects in a local folder, laid out as a bucket would be: what a first run uses, and a small site may keep.
using Estat.Base.Files;
using Estat.Base.Options;

namespace Estat.Base.Storage;

/// <summary>
/// Writes each object as temp + fdatasync + link + folder fsync, so that readers see whole objects only and one of many that race wins. Seals are
/// not kept beside the objects: <see cref="ReadSealAsync"/>, needed only when a key is taken, computes them from the content.
/// </summary>
public sealed class FolderObjectStore : IObjectCatalog
{
    /// <summary>Holds what is being written; no object.</summary>
    internal const string TemporaryFolder = KeyPrefix.TemporaryFolder;

    private readonly string _root;
    private readonly string _temporary;
    private readonly string _named;

    /// <summary>Makes the folder if needed and removes what an earlier crash left unfinished.</summary>
    /// <param name="root">The folder.</param>
    /// <param name="time">Clock that tells another process' fresh temp file from an old one.</param>
    /// <exception cref="IOException">The folder cannot be made or written.</exception>
    public FolderObjectStore(string root, TimeProvider time)
    {
        _named = "STORAGE_DIR ";
        _root = Path.TrimEndingDirectorySeparator(Path.GetFullPath(root));
        _temporary = Path.Combine(_root, TemporaryFolder);
        try
        {
            AtomicFile.CreateDirectory(_temporary);
            DateTime old = time.GetUtcNow().UtcDateTime.AddHours(-1);
            foreach (string file in Directory.EnumerateFiles(_temporary))
            {
                // A folder may be shared: what another process writes right now is younger than this.
                if (AtomicFile.IsTemporary(Path.GetFileName(file)) && File.GetLastWriteTimeUtc(file) < old)
                {
                    File.Delete(file);
                }
            }
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new IOException(
                $"STORAGE_DIR={root}: cannot be used ({error.Message.TrimEnd('.')}). {DiskAdvice.For(error, root)}, or name another folder.", error);
        }
    }

    private FolderObjectStore(string root)
    {
        _named = "";
        _root = Path.TrimEndingDirectorySeparator(Path.GetFullPath(root));
        _temporary = Path.Combine(_root, TemporaryFolder);
    }

    /// <inheritdoc/>
    public string Description => _root;

    /// <inheritdoc/>
    public bool KeepsMetadata => false;

    /// <summary>A folder to look into: nothing is made or removed until something is created in it.</summary>
    /// <exception cref="IOException">There is no such folder.</exception>
    public static FolderObjectStore Existing(string root) =>
        Directory.Exists(root) ? new FolderObjectStore(root)
            : throw new IOException($"{root}: there is no such folder. Name one that holds objects, or s3://BUCKET.");

    /// <inheritdoc/>
    public Task<CreateOutcome> CreateAsync(string key, ObjectContent content, CancellationToken cancellationToken) =>
        OnDisk(key, path =>
        {
            // Both may be gone: a folder that was emptied, or a disk that was replaced, while the process ran.
            AtomicFile.CreateDirectory(_temporary);
            AtomicFile.CreateDirectory(Path.GetDirectoryName(path)!);
            bool created = AtomicFile.TryCreate(path, _temporary, file =>
            {
                using Stream source = content.OpenContent();
                source.CopyTo(file);
            });
            return created ? CreateOutcome.Created : CreateOutcome.Exists;
        }, cancellationToken);

    /// <inheritdoc/>
    public Task<Seal?> ReadSealAsync(string key, CancellationToken cancellationToken) =>
        OnDisk(key, path => File.Exists(path) ? ContentCheck.SealOf(() => RegularFile.OpenRead(path)) : null, cancellationToken, isRead: true);

    /// <inheritdoc/>
    public Task<Stream?> ReadAsync(string key, CancellationToken cancellationToken) =>
        OnDisk(key, path => File.Exists(path) ? (Stream)RegularFile.OpenRead(path) : null, cancellationToken, isRead: true);

    /// <inheritdoc/>
    public IAsyncEnumerable<ObjectEntry> ListAsync(string prefix, string? after, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(prefix);
        _ = PathOf(prefix.Length == 0 ? "any" : prefix);
        return new FolderListing(_root, prefix, after).EnumerateAsync(cancellationToken);
    }

    /// <inheritdoc/>
    public Task<OpenObject?> OpenAsync(string key, CancellationToken cancellationToken) =>
        OnDisk(key, path =>
        {
            var file = new FileInfo(path);
            return file.Exists
                ? new OpenObject(new ObjectEntry(key, file.Length, file.LastWriteTimeUtc), RegularFile.OpenRead(path))
                : null;
        }, cancellationToken, isRead: true);

    /// <inheritdoc/>
    public Task<bool> DeleteAsync(string key, CancellationToken cancellationToken) =>
        OnDisk(key, path =>
        {
            if (!File.Exists(path))
            {
                return false;
            }

            File.Delete(path);
            Libc.SyncDirectory(Path.GetDirectoryName(path)!);
            return true;
        }, cancellationToken);

    /// <inheritdoc/>
    public Task CheckAsync(CancellationToken cancellationToken) =>
        OnDisk(Path.Combine(TemporaryFolder, $"check-{Guid.NewGuid():N}"), path =>
        {
            using var probe = new FileStream(path, FileMode.CreateNew, FileAccess.Write, FileShare.None, 1, FileOptions.DeleteOnClose);
            probe.WriteByte(0);
            Libc.SyncData(probe);
            return true;
        }, cancellationToken);

    /// <inheritdoc/>
    public void Dispose()
    {
    }

    private Task<T> OnDisk<T>(string key, Func<string, T> work, CancellationToken cancellationToken, bool isRead = false)
    {
        string path = PathOf(key);
        return Task.Run(() =>
        {
            try
            {
                return work(path);
            }
            catch (Exception error) when (error is IOException or UnauthorizedAccessException)
            {
                throw new StorageException(
                    StorageFailure.Disk, $"{_named}{_root}: {error.Message.TrimEnd('.')}. {DiskAdvice.For(error, _root)}", error)
                {
                    OfObject = isRead ? ObjectRefusal.Possible : ObjectRefusal.None,
                };
            }
        }, cancellationToken);
    }

    private string PathOf(string key)
    {
        string path = Path.GetFullPath(Path.Combine(_root, key));
        return path.StartsWith(_root + Path.DirectorySeparatorChar, StringComparison.Ordinal)
            ? path
            : throw new ArgumentException($"the key {key} leaves the folder", nameof(key));
    }
}
