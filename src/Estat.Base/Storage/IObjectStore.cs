// The storage port: what Estat needs of a place for objects. StorageComplianceTests hold every adapter to it.

namespace Estat.Base.Storage;

/// <summary>How a conditional create ended.</summary>
public enum CreateOutcome
{
    /// <summary>The object is there, durable, and this call made it.</summary>
    Created,

    /// <summary>The key was taken already; nothing was changed.</summary>
    Exists,
}

/// <summary>What to store. The content is read from its start, possibly more than once.</summary>
/// <param name="OpenContent">Opens the bytes; seekable. The store disposes of the stream.</param>
/// <param name="Seal">Goes along as metadata.</param>
/// <param name="IsGzip">Whether the bytes are gzip JSONL; decides Content-Type and Content-Encoding.</param>
/// <param name="Reason">Why it goes to the quarantine; null for what goes to RAW.</param>
public sealed record ObjectContent(Func<Stream> OpenContent, Seal Seal, bool IsGzip, string? Reason = null);

/// <summary>A place for objects. Safe for concurrent use.</summary>
public interface IObjectStore : IDisposable
{
    /// <summary>Where objects go, for people: <c>s3://bucket</c> or a folder's path.</summary>
    string Description { get; }

    /// <summary>Creates the object unless the key is taken. Of many that race, one is told <see cref="CreateOutcome.Created"/>.</summary>
    /// <exception cref="StorageException">Nobody knows whether the object is there: try again under the same key.</exception>
    Task<CreateOutcome> CreateAsync(string key, ObjectContent content, CancellationToken cancellationToken);

    /// <summary>The seal of what lies under the key; null when nothing does or when it has none.</summary>
    /// <exception cref="StorageException">The store did not answer.</exception>
    Task<Seal?> ReadSealAsync(string key, CancellationToken cancellationToken);

    /// <summary>What lies under the key, whole and seekable; null when nothing does. Needed only when a key is taken by something longer.</summary>
    /// <exception cref="StorageException">The store did not answer.</exception>
    Task<Stream?> ReadAsync(string key, CancellationToken cancellationToken);

    /// <summary>Asks the store for a sign of life, with the credentials that uploads use.</summary>
    /// <exception cref="StorageException">It cannot be used now; the message says why.</exception>
    Task CheckAsync(CancellationToken cancellationToken);
}
