// The one error of the stores' port.
namespace Estat.Requests.Storing;

/// <summary>The store could not do it. The message is for an operator: what failed and what to look at.</summary>
/// <param name="message">What failed.</param>
/// <param name="isUnknown">Whether it may have been done all the same.</param>
/// <param name="inner">What the store's driver said.</param>
internal sealed class StoreException(string message, bool isUnknown = false, Exception? inner = null) : Exception(message, inner)
{
    /// <summary>Whether it may have been done all the same.</summary>
    internal bool IsUnknown { get; } = isUnknown;

    /// <summary>Whether the disk has no room.</summary>
    internal bool IsFull { get; init; }
}
