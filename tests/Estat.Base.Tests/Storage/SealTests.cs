// The seal travels as metadata and comes back whole or not at all.
using Estat.Base.Storage;

namespace Estat.Base.Tests.Storage;

public sealed class SealTests
{
    private static readonly Seal Sealed = new(3, 456, new string('a', 64), 3);

    [Fact]
    public void A_seal_survives_the_way_through_metadata() => Assert.Equal(Sealed, Read(Sealed.ToMetadata()));

    [Theory]
    [InlineData("estat-events")]
    [InlineData("estat-bytes")]
    [InlineData("estat-sha256")]
    [InlineData("estat-last-sequence")]
    public void A_seal_that_lacks_a_part_is_no_seal(string part)
    {
        Assert.Null(Read(Sealed.ToMetadata().Where(pair => pair.Key != part)));
        Assert.Null(Read(Sealed.ToMetadata().Select(pair => pair.Key == part ? KeyValuePair.Create(part, "-1") : pair)));
    }

    private static Seal? Read(IEnumerable<KeyValuePair<string, string>> metadata)
    {
        var values = metadata.ToDictionary();
        return Seal.FromMetadata(name => values.GetValueOrDefault(name));
    }
}
