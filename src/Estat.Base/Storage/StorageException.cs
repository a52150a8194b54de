// The one error of the storage port.
namespace Estat.Base.Storage;

/// <summary>What kind of failure it was; decides whether an immediate retry makes sense.</summary>
public enum StorageFailure
{
    /// <summary>No answer, a broken connection, a timeout, a 5xx, a race: may work at once.</summary>
    Transient,

    /// <summary>Credentials, permission or a missing bucket: works once somebody mends it.</summary>
    Refused,

    /// <summary>The local disk is full or fails.</summary>
    Disk,
}

/// <summary>Whether a refusal is of the one object that was read.</summary>
public enum ObjectRefusal
{
    /// <summary>It is of the caller or of the bucket: every other key would be refused as well.</summary>
    None,

    /// <summary>A policy, or a key of KMS: it may be of this object, of some, or of all.</summary>
    Possible,

    /// <summary>Of this object: it is archived.</summary>
    Certain,
}

/// <summary>An object could not be stored or looked at. The message is for an operator: what failed and what to look at.</summary>
public sealed class StorageException(StorageFailure failure, string message, Exception? inner = null) : Exception(message, inner)
{
    /// <summary>The kind of failure.</summary>
    public StorageFailure Failure { get; } = failure;

    /// <summary>Of a read that was refused: whether other objects may be read all the same.</summary>
    public ObjectRefusal OfObject { get; init; }

    /// <summary>Of a request that was refused as forbidden: the permission that it needs, such as <c>s3:GetObject</c>. Null for all else.</summary>
    public string? Permission { get; init; }
}
