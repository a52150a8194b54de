// Small files that a node keeps for itself, in a folder that it owns.
namespace Estat.Base.Files;

/// <summary>
/// Knows the folder itself, and not only its path: nothing is written to what stands in its place. May hang as its disk does. Any thread.
/// </summary>
public interface IStateFiles
{
    /// <summary>Where a file is, for messages.</summary>
    string PathOf(string name);

    /// <summary>The content of a file; null when it is not there.</summary>
    /// <param name="name">The file.</param>
    /// <param name="most">Bytes that it may have.</param>
    /// <exception cref="IOException">It cannot be read, or is longer.</exception>
    byte[]? Read(string name, int most);

    /// <summary>Replaces a file, durably and as a whole.</summary>
    /// <exception cref="IOException">The disk is full or fails, or the folder is not where it was.</exception>
    void Write(string name, Action<Stream> write);
}
