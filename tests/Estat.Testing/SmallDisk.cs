// A disk that is really full when it is full: ENOSPC comes from the kernel, not from a fake.

namespace Estat.Testing;

/// <summary>
/// A file system of a given size, mounted at a temporary folder until dispose: a tmpfs, or an ext4 in a file, whose flushes are real ones. Needs
/// root.
/// </summary>
public sealed class SmallDisk : IDisposable
{
    private const string MakeExt4 = "mkfs.ext4";
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);
    private readonly TempFolder _folder = new();

    private readonly TempFolder? _imageFolder;

    /// <summary>
    /// Mounts a tmpfs of <paramref name="bytes"/> bytes, rounded up to whole pages, for so many files and folders; 0 is as many as it likes.
    /// </summary>
    public SmallDisk(long bytes, int inodes = 0)
    {
        var mount = Run("mount", "-t", "tmpfs", "-o", $"size={bytes},mode=0700" + (inodes > 0 ? $",nr_inodes={inodes}" : ""), "tmpfs", _folder.Path);
        if (mount.ExitCode != 0)
        {
            _folder.Dispose();
            throw new IOException($"mounting a tmpfs of {bytes} bytes failed: {mount.Output}");
        }
    }

    private SmallDisk(TempFolder imageFolder, string image)
    {
        _imageFolder = imageFolder;
        var mount = Run("mount", "-o", "loop", image, _folder.Path);
        if (mount.ExitCode != 0)
        {
            _folder.Dispose();
            throw new IOException($"mounting an ext4 from a file failed: {mount.Output}");
        }
    }

    /// <summary>Where the file system is mounted.</summary>
    public string Path => _folder.Path;

    /// <summary>Bytes that can still be written.</summary>
    public long FreeBytes => new DriveInfo(Path).AvailableFreeSpace;

    /// <summary>Mounts an ext4, journal and all, of <paramref name="bytes"/> bytes (2 MiB at least), a part of which it needs for itself.</summary>
    /// <exception cref="IOException">This machine has no mkfs.ext4 or no loop devices, or does not let the caller mount.</exception>
    public static SmallDisk Ext4(long bytes)
    {
        var folder = new TempFolder();
        try
        {
            var image = folder["disk.ext4"];
            using (var file = File.Create(image))
            {
                file.SetLength(bytes);
            }

            var made = Command.Exists(MakeExt4)
                ? Run(MakeExt4, "-q", "-F", "-m", "0", "-E", "lazy_itable_init=0", image)
                : throw new IOException($"no {MakeExt4} on PATH: apt-get install e2fsprogs");
            return made.ExitCode == 0 ? new SmallDisk(folder, image) : throw new IOException($"{MakeExt4} failed: {made.Output}");
        }
        catch
        {
            folder.Dispose();
            throw;
        }
    }

    /// <summary>Writes a file until the disk takes no more, or until so many bytes are left free, and returns its path.</summary>
    public string Fill(long leave = 0)
    {
        var path = System.IO.Path.Combine(Path, "ballast");
        using var ballast = new FileStream(path, FileMode.Append, FileAccess.Write, FileShare.Read, bufferSize: 0);
        var block = new byte[4096];
        try
        {
            while (FreeBytes > leave)
            {
                ballast.Write(block);
            }
        }
        catch (IOException)
        {
            // That is what it is for.
        }

        return path;
    }

    /// <summary>Makes empty files until there can be no more; <see cref="Free"/> removes them.</summary>
    public void FillInodes()
    {
        try
        {
            for (var n = 0; ; n++)
            {
                File.WriteAllBytes(System.IO.Path.Combine(Path, $"ballast-{n}"), []);
            }
        }
        catch (IOException)
        {
            // That is what it is for.
        }
    }

    /// <summary>Removes what <see cref="FillInodes"/> or <see cref="Fill"/> made.</summary>
    public void Free()
    {
        foreach (var file in Directory.EnumerateFiles(Path, "ballast*"))
        {
            File.Delete(file);
        }
    }

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
        if (Run("umount", Path).ExitCode != 0)
        {
            Run("umount", "--lazy", Path);
        }

        _folder.Dispose();
        _imageFolder?.Dispose();
    }

    private static CommandResult Run(string file, params string[] arguments) => Command.RunAsync(Limit, file, arguments).GetAwaiter().GetResult();
}
