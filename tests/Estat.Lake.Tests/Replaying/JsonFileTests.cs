// A checkpoint, or what stands in its place.
using Estat.Lake.Replaying;

namespace Estat.Lake.Tests.Replaying;

public sealed class JsonFileTests : IDisposable
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(20);
    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task A_checkpoint_that_is_a_named_pipe_ends_the_run_at_once_with_what_it_is()
    {
        Assert.SkipUnless(Command.Exists("mkfifo"), "no mkfifo on PATH");
        await Command.SucceedAsync(Limit, "mkfifo", _folder["state"]);
        IOException error = await Task.Run(
            () => Assert.Throws<IOException>(() => ReplayState.Read(_folder["state"])), TestContext.Current.CancellationToken)
            .WaitAsync(Limit, TestContext.Current.CancellationToken);
        Assert.Contains("is a named pipe", error.Message, StringComparison.Ordinal);
        Assert.Null(ReplayState.Read(_folder["none"]));
    }
}
