// A disk that is really full when it is full: ENOSPC comes from the kernel, not from a fake.

namespace Estat.Testing;

/// <summary>A file system of a given size, mounted at a temporary folder until dispose. Needs root.</summary>
public sealed class SmallDisk : IDisposable
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(10);
    private readonly TempFolder _folder = new();

    /// <summary>Mounts a file system of <paramref name="bytes"/> bytes, rounded up to whole pages.</summary>
    public SmallDisk(long bytes)
    {
        var mount = Command.RunAsync(Limit, "mount", "-t", "tmpfs", "-o", $"size={bytes},mode=0700", "tmpfs", _folder.Path).GetAwaiter().GetResult();
        if (mount.ExitCode != 0)
        {
            _folder.Dispose();
            throw new IOException($"mounting a tmpfs of {bytes} bytes failed: {mount.Output}");
        }
    }

    /// <summary>Where the file system is mounted.</summary>
    public string Path => _folder.Path;

    /// <summary>Bytes that can still be written.</summary>
    public long FreeBytes => new DriveInfo(Path).AvailableFreeSpace;

    /// <summary>Whether this machine lets the test mount a file system; if not, why.</summary>
    public static bool Available(out string reason)
    {
        reason = "";
        if (!OperatingSystem.IsLinux())
        {
            reason = "a small disk is a tmpfs, which only Linux has";
            return false;
        }

        try
        {
            new SmallDisk(65536).Dispose();
            return true;
        }
        catch (Exception e) when (e is IOException or System.ComponentModel.Win32Exception)
        {
            reason = $"this machine does not let the test mount a file system (root may): {e.Message}";
            return false;
        }
    }

    /// <summary>Unmounts it; lazily if a process still holds a file open.</summary>
    public void Dispose()
    {
        if (Command.RunAsync(Limit, "umount", Path).GetAwaiter().GetResult().ExitCode != 0)
        {
            Command.RunAsync(Limit, "umount", "--lazy", Path).GetAwaiter().GetResult();
        }

        _folder.Dispose();
    }
}
