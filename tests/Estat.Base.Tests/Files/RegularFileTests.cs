// What stands where a file should be is read only if it is one: nobody waits for a pipe's writer, or reads a device without end.
using System.Text;
using Estat.Base.Files;

namespace Estat.Base.Tests.Files;

public sealed class RegularFileTests : IDisposable
{
    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("pipe", "a named pipe")]
    [InlineData("zero", "a device")]
    [InlineData("folder", "a folder")]
    public async Task What_is_no_regular_file_is_refused_at_once(string name, string kind)
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "mkfifo and /dev/zero");
        await Command.SucceedAsync(TimeSpan.FromSeconds(10), "mkfifo", _folder["pipe"]);
        File.CreateSymbolicLink(_folder["zero"], "/dev/zero");
        Directory.CreateDirectory(_folder["folder"]);

        IOException error = await Task.Run(
            () => Assert.Throws<IOException>(() => RegularFile.ReadAllBytes(_folder[name], 100)), TestContext.Current.CancellationToken)
            .WaitAsync(TimeSpan.FromSeconds(20), TestContext.Current.CancellationToken);
        Assert.Contains(kind, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_file_is_read_whole_also_by_way_of_a_link_and_one_of_proc_that_says_it_is_empty()
    {
        File.WriteAllText(_folder["a"], "\uFEFFtext", new UTF8Encoding(false));
        File.CreateSymbolicLink(_folder["link"], _folder["a"]);
        Assert.Equal("text", RegularFile.ReadAllText(_folder["link"], 7));
        Assert.Equal(File.ReadAllBytes(_folder["a"]), RegularFile.ReadAllBytes(_folder["a"], 7));
        if (OperatingSystem.IsLinux())
        {
            Assert.Equal(File.ReadAllText("/proc/version"), RegularFile.ReadAllText("/proc/version", 4096));
        }
    }

    [Fact]
    public void One_that_is_longer_than_it_may_be_is_refused_unread()
    {
        using (FileStream file = File.Create(_folder["long"]))
        {
            file.SetLength(1L << 40);
        }

        Assert.Throws<IOException>(() => RegularFile.ReadAllBytes(_folder["long"], 1000));
    }

    [Fact]
    public void One_that_is_not_there_has_an_error_of_its_own() =>
        Assert.Throws<FileNotFoundException>(() => RegularFile.OpenRead(_folder["nowhere"]));
}
