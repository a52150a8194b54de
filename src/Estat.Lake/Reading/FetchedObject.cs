// An object that is here: in memory, or in a file where it is large.
using Estat.Base.Memory;
using Estat.Base.Storage;

namespace Estat.Lake.Reading;

/// <summary>
/// Fetched whole before it is looked at, so that the network's trouble (tried again, from the start) and the content's are told apart. Memory is
/// bounded: what is larger than <see cref="InMemory"/> goes to an unnamed temporary file.
/// </summary>
internal sealed class FetchedObject : IDisposable
{
    /// <summary>The largest object that is held in memory.</summary>
    internal const long InMemory = 16 * 1024 * 1024;

    /// <summary>How often a store is asked.</summary>
    internal const int Attempts = 6;

    /// <summary>How long between.</summary>
    internal static readonly Backoff Between = new(TimeSpan.FromMilliseconds(200), TimeSpan.FromSeconds(5));

    private readonly PooledStream? _memory;
    private readonly FileStream? _file;

    private FetchedObject(OpenObject from, PooledStream? memory, FileStream? file)
    {
        Entry = from.Entry;
        Seal = from.Seal;
        ContentType = from.ContentType;
        ContentEncoding = from.ContentEncoding;
        Reason = from.Reason;
        _memory = memory;
        _file = file;
    }

    internal ObjectEntry Entry { get; }

    /// <inheritdoc cref="OpenObject.Seal"/>
    internal Seal? Seal { get; }

    /// <inheritdoc cref="OpenObject.ContentType"/>
    internal string? ContentType { get; }

    /// <inheritdoc cref="OpenObject.ContentEncoding"/>
    internal string? ContentEncoding { get; }

    /// <inheritdoc cref="OpenObject.Reason"/>
    internal string? Reason { get; }

    /// <summary>Bytes that lie there.</summary>
    internal long Bytes => _memory?.Length ?? _file!.Length;

    /// <summary>Fetches; what may pass is tried again a few times.</summary>
    /// <returns>Null when nothing lies under the key.</returns>
    /// <exception cref="StorageException">The store refuses, or did not answer however often it was asked.</exception>
    internal static Task<FetchedObject?> GetAsync(IObjectCatalog store, string key, CancellationToken cancellationToken) =>
        RetryAsync(async () =>
        {
            OpenObject? open = await store.OpenAsync(key, cancellationToken).ConfigureAwait(false);
            if (open is null)
            {
                return null;
            }

            await using (open.ConfigureAwait(false))
            {
                return await CopyAsync(open, cancellationToken).ConfigureAwait(false);
            }
        }, cancellationToken);

    /// <summary>A seekable stream from the start. One at a time.</summary>
    internal Stream OpenRead()
    {
        if (_memory is not null)
        {
            return _memory.OpenRead();
        }

        _file!.Position = 0;
        return new Unowned(_file);
    }

    /// <summary>Repeats what a store did not do for reasons that pass.</summary>
    internal static async Task<T> RetryAsync<T>(Func<Task<T>> attempt, CancellationToken cancellationToken)
    {
        for (int failures = 1; ; failures++)
        {
            try
            {
                return await attempt().ConfigureAwait(false);
            }
            catch (StorageException error) when (error.Failure == StorageFailure.Transient && failures < Attempts)
            {
                await Task.Delay(Between.After(failures), cancellationToken).ConfigureAwait(false);
            }
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _memory?.Dispose();
        _file?.Dispose();
    }

    private static async Task<FetchedObject> CopyAsync(OpenObject open, CancellationToken cancellationToken)
    {
        if (open.Entry.Bytes > InMemory)
        {
            string path = Path.Combine(Path.GetTempPath(), $"estat-{Guid.NewGuid():N}");
            FileOptions options = OperatingSystem.IsWindows() ? FileOptions.DeleteOnClose | FileOptions.Asynchronous : FileOptions.Asynchronous;
            var file = new FileStream(path, FileMode.CreateNew, FileAccess.ReadWrite, FileShare.None, 128 * 1024, options);
            if (!OperatingSystem.IsWindows())
            {
                File.Delete(path); // it lives as long as it is open: whatever ends the process leaves nothing
            }

            return await FillAsync(open, file, () => new FetchedObject(open, null, file), cancellationToken).ConfigureAwait(false);
        }

        var memory = new PooledStream();
        return await FillAsync(open, memory, () => new FetchedObject(open, memory, null), cancellationToken).ConfigureAwait(false);
    }

    private static async Task<FetchedObject> FillAsync(OpenObject open, Stream copy, Func<FetchedObject> done, CancellationToken cancellationToken)
    {
        try
        {
            await open.Content.CopyToAsync(copy, cancellationToken).ConfigureAwait(false);
            await copy.FlushAsync(cancellationToken).ConfigureAwait(false);
            return copy.Length == open.Entry.Bytes
                ? done()
                : throw new StorageException(StorageFailure.Transient, $"GET {open.Entry.Key}: {copy.Length} of {open.Entry.Bytes} bytes came");
        }
        catch
        {
            await copy.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    // Readers dispose of their stream; the file goes with the object.
    private sealed class Unowned(FileStream file) : Stream
    {
        public override bool CanRead => true;

        public override bool CanSeek => true;

        public override bool CanWrite => false;

        public override long Length => file.Length;

        public override long Position
        {
            get => file.Position;
            set => file.Position = value;
        }

        public override int Read(byte[] buffer, int offset, int count) => file.Read(buffer, offset, count);

        public override int Read(Span<byte> buffer) => file.Read(buffer);

        public override long Seek(long offset, SeekOrigin origin) => file.Seek(offset, origin);

        public override void Flush()
        {
        }

        public override void SetLength(long value) => throw new NotSupportedException();

        public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();
    }
}
