// A file that one process at a time may be at work with.
namespace Estat.Cli.Frame;

/// <summary>
/// Held by a lock on <c>FILE.lock</c> beside it, as the file itself is replaced at each change. The kernel lets go of it however the process ends;
/// .NET looks, once it has the lock, whether the name still leads to what it locked, so that deleting it at the end lets no two hold it.
/// </summary>
internal static class HeldFile
{
    // errno, as .NET passes it on; the same on Linux and macOS.
    private const int NoSpace = 28;
    private const int ReadOnly = 30;

    /// <summary>Takes it until it is disposed of.</summary>
    /// <param name="path">The file; it need not be there, its folder must.</param>
    /// <param name="refusal">What to say when somebody else holds it.</param>
    /// <exception cref="CliException">Somebody does.</exception>
    internal static FileStream Of(string path, string refusal)
    {
        try
        {
            return new FileStream(path + ".lock", FileMode.OpenOrCreate, FileAccess.Write, FileShare.None, bufferSize: 0, FileOptions.DeleteOnClose);
        }
        catch (IOException error) when (error is not (DirectoryNotFoundException or FileNotFoundException)
            && error.HResult is not (NoSpace or ReadOnly))
        {
            throw new CliException(refusal);
        }
    }
}
