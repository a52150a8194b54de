// Opens files that the operator, or a process that is none of ours, can replace by anything.
using System.Text;
using Microsoft.Win32.SafeHandles;

namespace Estat.Base.Files;

/// <summary>
/// Neither opening nor reading ever waits for a writer, and nothing without an end is read: a named pipe, a device, a socket or a folder in the
/// file's place is an <see cref="IOException"/> at once. Links are followed, as Kubernetes mounts secrets by way of them.
/// </summary>
public static class RegularFile
{
    private const int ReadBuffer = 64 * 1024;

    /// <summary>Opens it.</summary>
    /// <exception cref="FileNotFoundException">It is not there.</exception>
    /// <exception cref="UnauthorizedAccessException">This user may not open it.</exception>
    /// <exception cref="IOException">It is no regular file, or the disk fails.</exception>
    public static SafeFileHandle OpenHandle(string path, FileAccess access = FileAccess.Read)
    {
        if (!OperatingSystem.IsLinux())
        {
            return File.OpenHandle(path, FileMode.Open, access, FileShare.ReadWrite | FileShare.Delete);
        }

        SafeFileHandle file = Libc.OpenWithoutWaiting(path, access);
        try
        {
            return Libc.Stat(file, path) is { IsRegular: false } stat ? throw new IOException($"{path} is {stat.Kind}, not a regular file") : file;
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    /// <inheritdoc cref="OpenHandle"/>
    public static FileStream OpenRead(string path)
    {
        SafeFileHandle file = OpenHandle(path);
        try
        {
            return new FileStream(file, FileAccess.Read, ReadBuffer);
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    /// <summary>All of it.</summary>
    /// <param name="path">The file.</param>
    /// <param name="most">Bytes that it may have.</param>
    /// <exception cref="IOException">As <see cref="OpenHandle"/>, or it is longer.</exception>
    public static byte[] ReadAllBytes(string path, int most)
    {
        using SafeFileHandle file = OpenHandle(path);
        long length = RandomAccess.GetLength(file);
        var bytes = new byte[Math.Min(length, most) + 1L]; // one more: files grow, and those of /proc say that they are empty
        int filled = 0;
        for (int read; (read = RandomAccess.Read(file, bytes.AsSpan(filled), filled)) > 0;)
        {
            filled += read;
            if (filled > most)
            {
                throw new IOException($"{path} is longer than {most} bytes");
            }

            if (filled == bytes.Length)
            {
                Array.Resize(ref bytes, (int)Math.Min(most + 1L, 2L * filled));
            }
        }

        return bytes[..filled];
    }

    /// <summary>All of it as UTF-8, without a byte order mark.</summary>
    /// <param name="path">The file.</param>
    /// <param name="most">Bytes that it may have.</param>
    /// <exception cref="IOException">As <see cref="OpenHandle"/>, or it is longer.</exception>
    public static string ReadAllText(string path, int most)
    {
        using var reader = new StreamReader(new MemoryStream(ReadAllBytes(path, most)), Encoding.UTF8);
        return reader.ReadToEnd();
    }
}
