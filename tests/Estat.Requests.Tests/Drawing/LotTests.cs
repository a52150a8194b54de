// The draw as a function, beside the same written another way.
using System.Security.Cryptography;
using System.Text;
using Estat.Requests.Drawing;

namespace Estat.Requests.Tests.Drawing;

public sealed class LotTests
{
    private static readonly byte[] Seed = [.. Enumerable.Range(0, 32).Select(i => (byte)i)];
    private static readonly RequestId[] Ids = [.. Enumerable.Range(0, 500).Select(Id).Order()];

    [Theory]
    [InlineData(null)]
    [InlineData("0011223344556677889900112233445566778899aabbccddeeff001122334455")]
    public void The_lowest_tickets_win(string? beacon)
    {
        byte[] key = beacon is null ? Seed : [.. Seed, .. Convert.FromHexString(beacon)];
        string[] expected = [.. Ids.Select(id => id.ToString())
            .OrderBy(id => Convert.ToHexString(HMACSHA256.HashData(key, Encoding.ASCII.GetBytes(id))), StringComparer.Ordinal).Take(7)];

        Assert.Equal(expected, Lot.Draw(Ids, 7, Seed, beacon).Select(id => id.ToString()));
    }

    [Fact]
    public void All_win_when_there_are_fewer_than_places_and_nobody_when_nobody_is_there()
    {
        Assert.Equal(Ids.Length, Lot.Draw(Ids, 1_000, Seed, null).Distinct().Count());
        Assert.Empty(Lot.Draw([], 3, Seed, null));
    }

    [Fact]
    public void The_cut_is_the_hash_of_the_list_as_it_is_shown()
    {
        string list = string.Concat(Ids.Select(id => $"{id}\n"));
        Assert.Equal(Convert.ToHexStringLower(SHA256.HashData(Encoding.ASCII.GetBytes(list))), Lot.CutOf(Ids));
        Assert.Equal(Ids.Select(id => id.ToString()).Order(StringComparer.Ordinal), Ids.Select(id => id.ToString()));
    }

    private static RequestId Id(int number) => RequestId.Of(Seed, "prize", UserId.Of($"user{number}")!.Value);
}
