// Where a verification keeps hashes and its checkpoint.
namespace Estat.Cli.Verifying;

/// <summary>The folder that was named, which stays; or a temporary one, which goes.</summary>
internal sealed class WorkFolder : IDisposable
{
    private WorkFolder(string path, bool isTemporary)
    {
        Path = path;
        IsTemporary = isTemporary;
    }

    internal string Path { get; }

    internal bool IsTemporary { get; }

    internal static WorkFolder Take(string? named) => named is not null
        ? new WorkFolder(Directory.CreateDirectory(named).FullName, isTemporary: false)
        : new WorkFolder(Directory.CreateTempSubdirectory("estat-verify-").FullName, isTemporary: true);

    /// <inheritdoc/>
    public void Dispose()
    {
        if (IsTemporary)
        {
            Directory.Delete(Path, recursive: true);
        }
    }
}
