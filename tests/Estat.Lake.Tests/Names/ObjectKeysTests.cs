// Keys say when a batch opened and who wrote it, and never collide.
using System.Globalization;
using System.Text.RegularExpressions;
using Estat.Lake.Names;

namespace Estat.Lake.Tests.Names;

public sealed class ObjectKeysTests
{
    private const string Instance = "00112233445566778899aabbccddeeff";
    private static readonly DateTimeOffset Opened = DateTimeOffset.FromUnixTimeSeconds(EventLines.Second);
    private readonly ObjectKeys _keys = new("raw", Instance);

    [Theory]
    [InlineData("2026-03-04T23:59:59Z", "raw/dt=2026-03-04/hr=23/1772668799_" + Instance + "_1.jsonl.gz")]
    [InlineData("2026-03-05T00:00:00Z", "raw/dt=2026-03-05/hr=00/1772668800_" + Instance + "_1.jsonl.gz")]
    [InlineData("2026-03-05T08:59:59+09:00", "raw/dt=2026-03-04/hr=23/1772668799_" + Instance + "_1.jsonl.gz")]
    [InlineData("2024-02-29T12:00:00Z", "raw/dt=2024-02-29/hr=12/1709208000_" + Instance + "_1.jsonl.gz")]
    public void A_key_says_the_UTC_day_and_hour_of_the_opening(string opened, string expected) =>
        Assert.Equal(expected, _keys.Next(DateTimeOffset.Parse(opened, CultureInfo.InvariantCulture)));

    [Fact]
    public void Keys_of_one_moment_and_of_clocks_that_went_back_differ()
    {
        var keys = new HashSet<string>();
        Parallel.For(0, 20_000, n =>
        {
            string key = _keys.Next(Opened.AddSeconds(-n % 3));
            lock (keys)
            {
                Assert.True(keys.Add(key), key);
            }
        });
        Assert.Equal(20_000, keys.Count);
    }

    [Fact]
    public void Two_starts_at_one_moment_write_different_keys()
    {
        Assert.Matches(new Regex("^[0-9a-f]{32}$"), ObjectKeys.NewInstance());
        Assert.NotEqual(
            new ObjectKeys("raw", ObjectKeys.NewInstance()).Next(Opened), new ObjectKeys("raw", ObjectKeys.NewInstance()).Next(Opened));
    }

    [Fact]
    public void A_name_leads_back_to_its_key()
    {
        string key = _keys.Next(Opened.AddHours(5));
        string name = ObjectKeys.NameOf(key);
        Assert.Equal(key, _keys.ForName(name, ObjectKeys.OpenedOf(name)!.Value));
        Assert.Equal(key, new ObjectKeys("raw", "another start").ForName(name, ObjectKeys.OpenedOf(name)!.Value));
    }

    [Theory]
    [InlineData("a/b/c.jsonl.gz", "c")]
    [InlineData("c.jsonl.gz", "c")]
    [InlineData("a/c.jsonl", "c.jsonl")]
    public void The_name_is_the_last_segment_without_extension(string key, string name) => Assert.Equal(name, ObjectKeys.NameOf(key));

    [Theory]
    [InlineData("a.b/c.jsonl.gz", "a.b/c_rest.jsonl.gz")]
    [InlineData("a/c.jsonl", "a/c.jsonl_rest")]
    public void A_suffix_goes_before_the_extension(string key, string expected) => Assert.Equal(expected, ObjectKeys.WithSuffix(key, "_rest"));

    [Fact]
    public void A_name_that_no_node_made_has_no_opening_time()
    {
        string[] foreign = ["", "_", "_1", "1772668800", "x_1", "-5_a_1", "1.5_a", " 1_a", "253402300800_a_1", "99999999999999999999_a_1"];
        Assert.All(foreign, name => Assert.Null(ObjectKeys.OpenedOf(name)));
        Assert.Equal(9999, ObjectKeys.OpenedOf("253402300799_a_1")!.Value.Year);
    }

    [Fact]
    public void Names_of_this_start_are_told_from_those_of_another()
    {
        Assert.True(_keys.IsOwn(ObjectKeys.NameOf(_keys.Next(Opened))));
        Assert.True(_keys.IsOwn(ObjectKeys.NameOf(_keys.Next(Opened)) + ".jsonl.gz.meta.json"));
        Assert.False(_keys.IsOwn(ObjectKeys.NameOf(new ObjectKeys("raw", ObjectKeys.NewInstance()).Next(Opened))));
        Assert.False(_keys.IsOwn(Instance));
        Assert.False(_keys.IsOwn(""));
    }
}
