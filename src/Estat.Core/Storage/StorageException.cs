// The one error of the storage port.
namespace Estat.Core.Storage;

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

/// <summary>An object could not be stored or looked at. The message is for an operator: what failed and what to look at.</summary>
public sealed class StorageException(StorageFailure failure, string message, Exception? inner = null) : Exception(message, inner)
{
    /// <summary>The kind of failure.</summary>
    public StorageFailure Failure { get; } = failure;
}
