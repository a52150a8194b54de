// A file is there whole under its name, or nothing is.
using System.Runtime.Versioning;
using System.Text;
using Estat.Base.Files;

namespace Estat.Base.Tests.Files;

public sealed class AtomicFileTests : IDisposable
{
    private readonly TempFolder _folder = new();

    private string[] Names => [.. Directory.EnumerateFileSystemEntries(_folder.Path).Select(path => Path.GetFileName(path))];

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void A_file_is_replaced_whole_and_gets_its_time()
    {
        var modified = new DateTime(2030, 1, 2, 3, 4, 5, DateTimeKind.Utc);
        AtomicFile.Write(_folder["a"], Writing("first, and longer"));
        AtomicFile.Write(_folder["a"], Writing("second"), modified);
        Assert.Equal("second", File.ReadAllText(_folder["a"]));
        Assert.Equal(modified, File.GetLastWriteTimeUtc(_folder["a"]));
        Assert.Equal(["a"], Names);
    }

    [Fact]
    public void A_writer_that_fails_leaves_what_was_there()
    {
        AtomicFile.Write(_folder["a"], Writing("before"));
        Action<Stream> failing = file =>
        {
            file.Write("half"u8);
            throw new InvalidOperationException("broken");
        };
        Assert.Throws<InvalidOperationException>(() => AtomicFile.Write(_folder["a"], failing));
        Assert.Throws<InvalidOperationException>(() => AtomicFile.TryCreate(_folder["b"], _folder.Path, failing));
        Assert.Equal("before", File.ReadAllText(_folder["a"]));
        Assert.Equal(["a"], Names);
    }

    [Fact]
    [UnsupportedOSPlatform("windows")]
    public void A_file_that_keeps_its_access_has_it_before_its_first_byte()
    {
        const UnixFileMode Mode = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead;
        AtomicFile.Write(_folder["a"], Writing("first"));
        File.SetUnixFileMode(_folder["a"], Mode);
        AtomicFile.Write(_folder["a"], file =>
        {
            Assert.Equal(Mode, File.GetUnixFileMode(((FileStream)file).SafeFileHandle));
            file.Write("second"u8);
        }, keepsAccess: true);
        Assert.Equal((Mode, "second"), (File.GetUnixFileMode(_folder["a"]), File.ReadAllText(_folder["a"])));
    }

    [Fact]
    public async Task A_file_that_keeps_its_access_keeps_owner_and_group_too()
    {
        Assert.SkipUnless(Environment.IsPrivilegedProcess, "only root may give files away");
        var limit = TimeSpan.FromSeconds(10);
        AtomicFile.Write(_folder["a"], Writing("first"));
        await Command.SucceedAsync(limit, "chown", "1234:4321", _folder["a"]);
        AtomicFile.Write(_folder["a"], Writing("second"), keepsAccess: true);
        Assert.Equal("1234:4321", (await Command.SucceedAsync(limit, "stat", "-c", "%u:%g", _folder["a"])).Trim());
    }

    [Fact]
    public void A_full_disk_leaves_neither_file_nor_temporary_file()
    {
        Assert.SkipUnless(SmallDisk.Available(out string reason), reason);
        using var disk = new SmallDisk(128 * 1024);
        string path = Path.Combine(disk.Path, "a");
        var large = new byte[200 * 1024];
        Assert.Throws<IOException>(() => AtomicFile.Write(path, file => file.Write(large)));
        Assert.Throws<IOException>(() => AtomicFile.TryCreate(path, disk.Path, file => file.Write(large)));
        Assert.Empty(Directory.EnumerateFileSystemEntries(disk.Path));
        AtomicFile.Write(path, Writing("small"));
        Assert.Equal("small", File.ReadAllText(path));
    }

    [Fact]
    public void Of_many_creators_one_wins_and_its_content_stays()
    {
        var won = new bool[16];
        Parallel.For(0, won.Length, new ParallelOptions { MaxDegreeOfParallelism = won.Length },
            n => won[n] = AtomicFile.TryCreate(_folder["a"], _folder.Path, Writing($"creator {n}")));
        Assert.Single(won, true);
        Assert.Equal($"creator {Array.IndexOf(won, true)}", File.ReadAllText(_folder["a"]));
        Assert.Equal(["a"], Names);
    }

    [Fact]
    public void A_name_that_is_taken_by_a_folder_is_an_error_and_leaves_nothing()
    {
        Directory.CreateDirectory(_folder["a/b"]);
        Assert.ThrowsAny<SystemException>(() => AtomicFile.Write(_folder["a"], Writing("x")));
        Assert.False(AtomicFile.TryCreate(_folder["a"], _folder.Path, Writing("x")));
        Assert.Equal(["a"], Names);
    }

    [Fact]
    public void Folders_are_made_with_all_above_them()
    {
        AtomicFile.CreateDirectory(_folder["a/b/c"]);
        AtomicFile.CreateDirectory(_folder["a/b/c"]);
        Assert.True(Directory.Exists(_folder["a/b/c"]));
    }

    private static Action<Stream> Writing(string text) => file => file.Write(Encoding.UTF8.GetBytes(text));
}
