// What to do about a disk that does not do what it is asked.
namespace Estat.Base.Files;

/// <summary>By the error's number: "No space left on device" is also what a disk says that has bytes and no inodes.</summary>
internal static class DiskAdvice
{
    // errno as Linux numbers them.
    private const int Eio = 5;
    private const int Eacces = 13;
    private const int Enospc = 28;
    private const int Erofs = 30;
    private const int Edquot = 122;

    /// <summary>One sentence without its full stop.</summary>
    /// <param name="error">What was thrown.</param>
    /// <param name="folder">A folder on the disk; need not exist.</param>
    internal static string For(Exception error, string folder) => NumberOf(error) switch
    {
        Enospc when Libc.FreeInodes(Existing(folder)) == 0 =>
            "No inodes are left on its disk (df -i): delete small files, or make a new file system with more",
        Enospc => "Free space on its disk",
        Edquot => "This user's quota on its disk is used up: free space or raise it",
        Erofs => "Its disk is mounted read-only: find the reason in the kernel's log (dmesg), and mount it writable",
        Eio => "Its disk fails: look at the kernel's log (dmesg), and replace the disk",
        Eacces => "Check its owner and permissions: this user may not use it",
        _ => "Free space on its disk or check its permissions",
    };

    private static int NumberOf(Exception error)
    {
        for (Exception? at = error; at is not null; at = at.InnerException)
        {
            if (at is IOException { HResult: Eio or Eacces or Enospc or Erofs or Edquot })
            {
                return at.HResult;
            }
        }

        return error is UnauthorizedAccessException ? Eacces : 0;
    }

    private static string Existing(string folder)
    {
        string there = Path.GetFullPath(folder);
        while (!Directory.Exists(there))
        {
            there = Path.GetDirectoryName(there) ?? "/";
        }

        return there;
    }
}
