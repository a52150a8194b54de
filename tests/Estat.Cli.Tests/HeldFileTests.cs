// A file that one at a time may be at work with.
using Estat.Cli.Frame;
using Estat.Testing;

namespace Estat.Cli.Tests;

public sealed class HeldFileTests
{
    [Fact]
    public void Of_many_that_take_it_and_let_it_go_no_two_hold_it_and_nothing_stays()
    {
        using var folder = new TempFolder();
        int inside = 0;
        Parallel.For(0, 8, new ParallelOptions { MaxDegreeOfParallelism = 8 }, _ =>
        {
            for (int taken = 0; taken < 200;)
            {
                try
                {
                    using FileStream held = Frame.HeldFile.Of(folder["file"], "held");
                    Assert.Equal(1, Interlocked.Increment(ref inside));
                    Interlocked.Decrement(ref inside);
                    taken++;
                }
                catch (CliException)
                {
                    // Somebody else holds it.
                }
            }
        });
        using (Frame.HeldFile.Of(folder["file"], "held"))
        {
            Assert.Throws<CliException>(() => Frame.HeldFile.Of(folder["file"], "held"));
        }

        Assert.Empty(Directory.EnumerateFileSystemEntries(folder.Path));
    }
}
