// A folder has one owner.
using Estat.Base.Files;

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
}
