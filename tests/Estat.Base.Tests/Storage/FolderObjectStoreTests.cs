// A local folder as a place for objects.
using Estat.Base.Storage;

namespace Estat.Base.Tests.Storage;

public sealed class FolderObjectStoreTests : StorageComplianceTests
{
    private const string Incomplete = ".incomplete";

    [Fact]
    public async Task Creates_leave_no_temporary_file_whether_they_win_or_lose()
    {
        FolderPlace place = Keep(new FolderPlace());
        string key = Contents.NewKey();
        await Task.WhenAll(Enumerable.Range(0, 20)
            .Select(n => place.Store.CreateAsync(n % 2 == 0 ? key : Contents.NewKey(), Contents.Of("a"), Token)));
        Assert.Empty(Directory.EnumerateFileSystemEntries(Path.Combine(place.Path, Incomplete)));
        Assert.Equal(11, (await place.KeysAsync()).Length);
    }

    [Theory]
    [InlineData("../outside.jsonl.gz")]
    [InlineData("raw/../../outside.jsonl.gz")]
    [InlineData("/etc/outside.jsonl.gz")]
    public async Task A_key_that_leaves_the_folder_is_refused(string key)
    {
        FolderPlace place = Keep(new FolderPlace());
        await Assert.ThrowsAsync<ArgumentException>(() => place.Store.CreateAsync(key, Contents.Of("a"), Token));
        await Assert.ThrowsAsync<ArgumentException>(() => place.Store.ReadSealAsync(key, Token));
        Assert.Empty(await place.KeysAsync());
    }

    [Fact]
    public async Task A_folder_named_with_a_slash_at_its_end_is_the_same_folder()
    {
        using var folder = new TempFolder();
        using var store = new FolderObjectStore(folder["data"] + "/", TimeProvider.System);
        Assert.Equal(CreateOutcome.Created, await store.CreateAsync("raw/a.jsonl.gz", Contents.Of("a"), Token));
        Assert.True(File.Exists(folder["data/raw/a.jsonl.gz"]));
    }

    [Fact]
    public async Task A_full_disk_is_told_as_such_leaves_nothing_and_can_be_tried_again()
    {
        Assert.SkipUnless(SmallDisk.Available(out string reason), reason);
        using var disk = new SmallDisk(1 << 20);
        using var store = new FolderObjectStore(Path.Combine(disk.Path, "data"), TimeProvider.System);
        string filler = Path.Combine(disk.Path, "filler");
        File.WriteAllBytes(filler, new byte[disk.FreeBytes - 16384]);
        ObjectContent content = Opaque(Enumerable.Repeat((byte)'x', 200_000).ToArray(), "large");
        StorageException error = await Assert.ThrowsAsync<StorageException>(() => store.CreateAsync("raw/a.jsonl", content, Token));
        Assert.Equal(StorageFailure.Disk, error.Failure);
        Assert.Contains("STORAGE_DIR", error.Message, StringComparison.Ordinal);
        Assert.Equal([filler], Directory.EnumerateFiles(disk.Path, "*", SearchOption.AllDirectories));
        File.Delete(filler);
        Assert.Equal(CreateOutcome.Created, await store.CreateAsync("raw/a.jsonl", content, Token));
    }

    [Fact]
    public async Task A_check_on_a_folder_that_is_gone_fails_and_says_where()
    {
        FolderPlace place = Keep(new FolderPlace());
        Directory.Delete(place.Path, recursive: true);
        StorageException error = await Assert.ThrowsAsync<StorageException>(() => place.Store.CheckAsync(Token));
        Assert.Equal(StorageFailure.Disk, error.Failure);
        Assert.Contains(place.Path, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_foreign_file_under_a_key_has_a_seal_of_its_own()
    {
        FolderPlace place = Keep(new FolderPlace());
        await File.WriteAllTextAsync(Path.Combine(place.Path, "empty.jsonl.gz"), "", Token);
        await File.WriteAllTextAsync(Path.Combine(place.Path, "text.jsonl.gz"), "not gzip", Token);
        Assert.Equal(0, (await place.Store.ReadSealAsync("empty.jsonl.gz", Token))!.Events);
        Seal text = (await place.Store.ReadSealAsync("text.jsonl.gz", Token))!;
        Assert.Equal((0, 8), (text.Events, text.Bytes));
    }

    [Fact]
    public void What_a_crash_left_unfinished_is_removed_and_what_another_process_writes_now_is_not()
    {
        using var folder = new TempFolder();
        Directory.CreateDirectory(folder[Incomplete]);
        string old = folder[Incomplete + "/.tmp-old"];
        string fresh = folder[Incomplete + "/.tmp-fresh"];
        File.WriteAllText(old, "");
        File.WriteAllText(fresh, "");
        File.SetLastWriteTimeUtc(old, DateTime.UtcNow.AddHours(-2));
        using var store = new FolderObjectStore(folder.Path, TimeProvider.System);
        Assert.False(File.Exists(old));
        Assert.True(File.Exists(fresh));
    }

    [Fact]
    public void A_folder_that_cannot_be_made_is_told_with_its_option()
    {
        using var folder = new TempFolder();
        File.WriteAllText(folder["file"], "");
        IOException error = Assert.Throws<IOException>(() => new FolderObjectStore(folder["file/data"], TimeProvider.System));
        Assert.StartsWith("STORAGE_DIR=", error.Message, StringComparison.Ordinal);
    }

    protected override Task<StoragePlace> NewPlaceAsync() => Task.FromResult<StoragePlace>(new FolderPlace());
}
