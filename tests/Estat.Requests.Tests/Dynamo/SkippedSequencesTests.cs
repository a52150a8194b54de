// Sequences that restores leave out.
using Estat.Requests.Aws.Items;

namespace Estat.Requests.Tests.Dynamo;

public sealed class SkippedSequencesTests
{
    [Fact]
    public void Ranges_are_found_and_counted_and_survive_their_text()
    {
        SkippedSequences skipped = SkippedSequences.Parse(SkippedSequences.None.With(11, 20).With(31, 40).ToString());

        Assert.Equal((null, 20L, 20L, null, 40L), (skipped.EndOf(10), skipped.EndOf(11), skipped.EndOf(20), skipped.EndOf(21), skipped.EndOf(31)));
        Assert.Equal((10L, 30L, 9L, 50L), (skipped.Before(1, 50), skipped.Before(21, 50), skipped.Before(1, 9), skipped.Before(41, 50)));
        Assert.Equal((20L, 5L, 1L, 0L), (skipped.Between(0, 50), skipped.Between(15, 25), skipped.Between(19, 20), skipped.Between(20, 30)));
        Assert.Equal(0, SkippedSequences.Parse(null).Between(0, 100));
    }
}
