// The storage port's other half: what reads a lake needs beside what fills it. StorageComplianceTests hold every adapter to it.

namespace Estat.Base.Storage;

/// <summary>An object as a listing tells of it.</summary>
/// <param name="Key">Its key.</param>
/// <param name="Bytes">Length of what lies there (compressed, if it is).</param>
/// <param name="Modified">When the store took it, UTC.</param>
public sealed record ObjectEntry(string Key, long Bytes, DateTimeOffset Modified);

/// <summary>An object that is being read. The content comes once, from its start, and cannot be sought in.</summary>
public sealed class OpenObject(ObjectEntry entry, Stream content) : IAsyncDisposable
{
    /// <summary>What it is.</summary>
    public ObjectEntry Entry { get; } = entry;

    /// <summary>Its bytes. Reads throw <see cref="StorageException"/> when the store fails or stops answering.</summary>
    public Stream Content { get; } = content;

    /// <summary>The seal in its metadata; null when it has none, or when the store keeps none (<see cref="IObjectCatalog.KeepsMetadata"/>).</summary>
    public Seal? Seal { get; init; }

    /// <summary>Content-Type; null when the store keeps none.</summary>
    public string? ContentType { get; init; }

    /// <summary>Content-Encoding; null when it has none.</summary>
    public string? ContentEncoding { get; init; }

    /// <summary>Why it is in the quarantine; null elsewhere.</summary>
    public string? Reason { get; init; }

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => Content.DisposeAsync();
}

/// <summary>A place for objects that can also be looked through. Safe for concurrent use.</summary>
public interface IObjectCatalog : IObjectStore
{
    /// <summary>Whether seal, Content-Type and reason are kept beside the content. A folder keeps the content alone.</summary>
    bool KeepsMetadata { get; }

    /// <summary>
    /// All objects whose key begins with <paramref name="prefix"/>, in the order of their keys' UTF-8 bytes, from the first key behind
    /// <paramref name="after"/>. What is created or deleted meanwhile may be in it or not. A failure in the middle can be gone on from: with the last
    /// key as <paramref name="after"/>.
    /// </summary>
    /// <param name="prefix">Begins every key; "" for all. Not a folder: <c>raw</c> also finds <c>raw_dlq/…</c>.</param>
    /// <param name="after">Only keys greater than this; null for all.</param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <exception cref="StorageException">The store did not answer.</exception>
    IAsyncEnumerable<ObjectEntry> ListAsync(string prefix, string? after, CancellationToken cancellationToken);

    /// <summary>Begins to read an object; null when nothing lies under the key. Its content is not held in memory.</summary>
    /// <exception cref="StorageException">The store did not answer.</exception>
    Task<OpenObject?> OpenAsync(string key, CancellationToken cancellationToken);

    /// <summary>Deletes an object. Needs <c>s3:DeleteObject</c>, which nothing else does.</summary>
    /// <returns>False when a folder holds no such object. S3 does not tell: true.</returns>
    /// <exception cref="StorageException">The store did not answer; nobody knows.</exception>
    Task<bool> DeleteAsync(string key, CancellationToken cancellationToken);
}
