// A folder has one owner.
using System.Globalization;
using System.Runtime.InteropServices;
using Estat.Base.Files;
using Microsoft.Win32.SafeHandles;

namespace Estat.Base.Tests.Files;

public sealed class DirectoryLockTests : IDisposable
{
    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void A_folder_is_taken_by_one_and_free_again_afterwards()
    {
        using (DirectoryLock.Take(_folder["a/b"], "DLQ_DIR"))
        {
            FolderOwnedException error = Assert.Throws<FolderOwnedException>(() => DirectoryLock.Take(_folder["a/b"], "DLQ_DIR"));
            Assert.StartsWith($"DLQ_DIR={_folder["a/b"]}: another process owns this folder", error.Message, StringComparison.Ordinal);
        }

        DirectoryLock.Take(_folder["a/b"], "DLQ_DIR").Dispose();
    }

    [Fact]
    public void A_folder_is_free_though_a_process_that_just_starts_has_its_descriptors()
    {
        int copy = -1;
        using (DirectoryLock.Take(_folder.Path, "DLQ_DIR"))
        {
            string taken = Directory.GetFileSystemEntries("/proc/self/fd").First(
                descriptor => File.ResolveLinkTarget(descriptor, returnFinalTarget: false)?.FullName == _folder.Path);
            copy = dup(int.Parse(Path.GetFileName(taken), CultureInfo.InvariantCulture)); // as fork does
        }

        DirectoryLock.Take(_folder.Path, "DLQ_DIR").Dispose();
        using var closed = new SafeFileHandle(copy, ownsHandle: true);
        Assert.False(closed.IsInvalid);
    }

    [Fact]
    public async Task Another_process_is_kept_out_too()
    {
        Assert.SkipUnless(Command.Exists("flock"), "no flock on PATH: apt-get install util-linux");
        string file = _folder[DirectoryLock.FileName];
        var limit = TimeSpan.FromSeconds(10);
        using (DirectoryLock.Take(_folder.Path, "DLQ_DIR"))
        {
            Assert.NotEqual(0, (await Command.RunAsync(limit, "flock", "--nonblock", file, "true")).ExitCode);
        }

        Assert.Equal(0, (await Command.RunAsync(limit, "flock", "--nonblock", file, "true")).ExitCode);
    }

    [Fact]
    public void A_folder_that_cannot_be_made_is_told_with_its_option()
    {
        File.WriteAllText(_folder["file"], "");
        IOException error = Assert.Throws<IOException>(() => DirectoryLock.Take(_folder["file/dlq"], "DLQ_DIR"));
        Assert.StartsWith($"DLQ_DIR={_folder["file/dlq"]}: the folder cannot be created", error.Message, StringComparison.Ordinal);
    }

#pragma warning disable SYSLIB1054, IDE1006 // named as in libc
    [DllImport("libc")]
    private static extern int dup(int descriptor);
#pragma warning restore SYSLIB1054, IDE1006
}
