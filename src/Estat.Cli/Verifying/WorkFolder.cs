// Where a verification keeps hashes and its checkpoint.
using Estat.Base.Files;

namespace Estat.Cli.Verifying;

/// <summary>The folder that was named, which stays and has one owner; or a temporary one, which goes.</summary>
internal sealed class WorkFolder : IDisposable
{
    private readonly DirectoryLock? _owner;

    private WorkFolder(string path, DirectoryLock? owner)
    {
        Path = path;
        _owner = owner;
    }

    internal string Path { get; }

    internal bool IsTemporary => _owner is null;

    /// <summary>Takes it.</summary>
    /// <param name="named">The folder; null for a temporary one.</param>
    /// <param name="option">What it was named by.</param>
    /// <exception cref="IOException">Another process owns it, or it cannot be made or written.</exception>
    internal static WorkFolder Take(string? named, string option)
    {
        if (named is null)
        {
            return new WorkFolder(Directory.CreateTempSubdirectory("estat-verify-").FullName, owner: null);
        }

        string path = System.IO.Path.GetFullPath(named);
        return new WorkFolder(path, DirectoryLock.Take(path, option));
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _owner?.Dispose();
        if (IsTemporary)
        {
            Directory.Delete(Path, recursive: true);
        }
    }
}
