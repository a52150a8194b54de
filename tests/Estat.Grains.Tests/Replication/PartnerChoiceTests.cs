// Copies spread over all silos, avoid the batch's own zone, and move as little as possible when silos come and go.
using Estat.Grains.Replication;

namespace Estat.Grains.Tests.Replication;

public sealed class PartnerChoiceTests
{
    private const int Batches = 3000;

    [Fact]
    public void Nobody_is_chosen_when_there_is_nobody() => Assert.Null(Choose([], "key"));

    [Fact]
    public void Batches_spread_evenly_over_all()
    {
        Silo[] silos = Silos(6);
        var counts = Keys().CountBy(key => Choose(silos, key)!.Name).ToDictionary();
        Assert.Equal(6, counts.Count);
        Assert.All(counts.Values, count => Assert.InRange(count, Batches / 6 * 3 / 4, Batches / 6 * 5 / 4));
    }

    [Fact]
    public void The_same_batch_has_the_same_partner_in_whatever_order_silos_are_listed()
    {
        Silo[] silos = Silos(5);
        Silo[] reversed = [.. silos.Reverse()];
        Assert.All(Keys(), key => Assert.Same(Choose(silos, key), Choose(reversed, key)));
    }

    [Fact]
    public void A_silo_that_goes_moves_only_what_it_held()
    {
        Silo[] silos = Silos(5);
        Assert.All(Keys(), key =>
        {
            Silo before = Choose(silos, key)!;
            Silo after = Choose([.. silos.Where(silo => silo != silos[2])], key)!;
            Assert.True(before == silos[2] || before == after);
        });
    }

    [Fact]
    public void Another_zone_comes_first_and_its_own_is_better_than_none()
    {
        Silo[] silos = [new("a", "z1"), new("b", "z1"), new("c", "z2"), new("d", "z3"), new("e", null)];
        string[] chosen = [.. Keys().Select(key => Choose(silos, key, "z1")!.Name).Distinct().Order()];
        Assert.Equal(["c", "d"], chosen);
        Assert.Equal(["a", "b"], Keys().Select(key => Choose(silos[..2], key, "z1")!.Name).Distinct().Order());
    }

    [Fact]
    public void Zones_without_a_name_are_no_reason_to_prefer_anybody()
    {
        Silo[] silos = [new("a", "z1"), new("b", null), new("c", "z2")];
        Assert.Equal(["a", "b", "c"], Keys().Select(key => Choose(silos, key)!.Name).Distinct().Order());
    }

    [Fact]
    public void Who_just_failed_is_taken_only_if_there_is_nobody_else_even_in_the_own_zone()
    {
        Silo[] silos = [new("near", "z1"), new("far", "z2")];
        Assert.Equal("near", Choose(silos, "key", "z1", except: silos[1])!.Name);
        Assert.Equal("far", Choose(silos[1..], "key", "z1", except: silos[1])!.Name);
    }

    private static Silo[] Silos(int count) => [.. Enumerable.Range(1, count).Select(number => new Silo($"silo-{number}", null))];

    private static IEnumerable<string> Keys() =>
        Enumerable.Range(1, Batches).Select(number => $"raw/dt=2026-11-21/hr=10/1795257665_6fbdb577ad856edbf17e67ae995c5a4b-1_{number}.jsonl.gz");

    private static Silo? Choose(Silo[] silos, string key, string? zone = null, Silo? except = null) =>
        PartnerChoice.Of(silos, key, zone, silo => silo.Zone, silo => silo.Name, except);

    private sealed record Silo(string Name, string? Zone);
}
