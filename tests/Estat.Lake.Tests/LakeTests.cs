// What readers of a lake count and compare by.
using Estat.Base.Options;
using Estat.Base.Storage;
using Estat.Lake.Names;
using Estat.Lake.Querying;
using Estat.Lake.Reading;
using Estat.Lake.Verifying;

namespace Estat.Lake.Tests;

public sealed class LakeTests
{
    private static readonly DateTimeOffset Ten = DateTimeOffset.Parse("2026-11-21T10:00:00Z", System.Globalization.CultureInfo.InvariantCulture);

    [Theory]
    [InlineData(-61, false)] // opened more than the lookback before
    [InlineData(-59, true)]
    [InlineData(59, true)]
    [InlineData(64, true)] // a busy node opens a batch after the event has arrived
    [InlineData(66, false)]
    public void A_range_of_time_reads_objects_that_opened_around_it(int minutes, bool isRead)
    {
        var range = new KeyRange { Prefix = "raw/", Since = Ten, Until = Ten.AddHours(1) };
        string key = new ObjectKeys("raw", "0dfe-1").Next(Ten.AddMinutes(minutes));
        Assert.Equal(isRead, range.JumpFrom(key) is null && range.MayHold(key));
        Assert.True(range.Holds(Ten.ToUnixTimeSeconds()));
        Assert.False(range.Holds(Ten.AddHours(1).ToUnixTimeSeconds()));
    }

    [Theory]
    [InlineData("raw/dt=2026-11-21/hr=10/1795255200_0dfe157e5c4b0b9cb1d1bf1d9fdf9c5e-1_12.jsonl.gz", "", false)]
    [InlineData("raw/dt=2026-11-21/hr=10/1795255200_0dfe157e5c4b0b9cb1d1bf1d9fdf9c5e-1_12_rest.jsonl.gz", "_rest", false)]
    [InlineData("raw/dt=2026-11-21/hr=10/1795255200_0dfe-1_12_0123456789abcdef.jsonl.gz", "_0123456789abcdef", true)]
    [InlineData("raw/dt=2026-11-21/hr=11/1795255200_0dfe-1_12.jsonl.gz", null, false)]
    [InlineData("raw/1795255200_0dfe-1_12.jsonl.gz", null, false)]
    [InlineData("raw/dt=2026-11-21/hr=10/part-0000.jsonl.gz", null, false)]
    public void A_key_says_which_batch_it_is(string key, string? suffix, bool isConflict)
    {
        BatchName? name = BatchName.TryParse(key);
        Assert.Equal((suffix, isConflict), (name?.Suffix, name?.IsConflict ?? false));
    }

    [Theory]
    [InlineData("2026-11-21", "2026-11-21T00:00:00Z")]
    [InlineData("2026-11-21T10:30", "2026-11-21T10:30:00Z")]
    [InlineData("2026-11-21T10:30:00+09:00", "2026-11-21T01:30:00Z")]
    [InlineData("2026-11-21T10:30:00.5Z", "2026-11-21T10:30:00.5Z")]
    [InlineData("90m", "2026-11-21T08:30:00Z")]
    [InlineData("yesterday", null)]
    [InlineData("21/11/2026", null)]
    [InlineData("11/21/2026", null)]
    [InlineData("10:00", null)]
    [InlineData("20000000h", "1970-01-01T00:00:00Z")] // longer ago than there are events
    [InlineData("1970-01-01", "1970-01-01T00:00:00Z")]
    [InlineData("1970-01-01T08:59:59+09:00", null)]
    [InlineData("0001-01-01", null)]
    [InlineData("9998-12-31T23:59:59", "9998-12-31T23:59:59Z")]
    [InlineData("9999-01-01", "9998-12-31T23:59:59Z")]
    [InlineData("9999-12-31T23:59:59", "9998-12-31T23:59:59Z")]
    public void A_time_is_a_date_a_moment_or_how_long_ago(string text, string? expected) =>
        Assert.Equal(expected is null ? null
            : DateTimeOffset.Parse(expected, System.Globalization.CultureInfo.InvariantCulture), TimeText.TryParse(text, Ten));

    [Theory]
    [InlineData("1970-01-01", "24h")]
    [InlineData("2026-11-21", "20000000h")]
    [InlineData("20000000h", "100000000h")]
    public void A_range_from_the_first_moment_there_is_begins_at_the_first_object(string since, string lookback)
    {
        Assert.True(GoDuration.TryParse(lookback, out TimeSpan back));
        var range = new KeyRange { Prefix = "raw/", Since = TimeText.TryParse(since, Ten), Until = TimeText.TryParse("9998-12-31T23:59:59", Ten),
            Lookback = back };
        string first = new ObjectKeys("raw", "0dfe-1").Next(DateTimeOffset.UnixEpoch);
        Assert.True(range.JumpFrom(first) is null && range.MayHold(first));
    }

    [Theory]
    [InlineData("", new[] { "a/", "dt", "raw/a/", "raw/", "raw/dt=eu/", "raw/shop/", "z/" })]
    [InlineData("raw/", new[] { "raw/a/", "raw/", "raw/dt=eu/", "raw/shop/" })]
    [InlineData("raw/dt=2026-11-21/", new[] { "raw/" })]
    public async Task Days_out_of_the_range_are_jumped_over_below_each_prefix_and_nothing_else_is(string prefix, string[] expected)
    {
        using var folder = new TempFolder();
        using var store = new SwitchedStore(new FolderObjectStore(folder.Path, TimeProvider.System));
        foreach (string place in new[] { "a/", "", "raw/", "raw/a/", "raw/dt=eu/", "raw/shop/", "z/" })
        {
            for (int days = -40; days <= 40; days++)
            {
                string key = new ObjectKeys("p", "0dfe-1").Next(Ten.AddDays(days).AddMinutes(30))["p/".Length..];
                Directory.CreateDirectory(Path.GetDirectoryName(folder[place + key])!);
                File.WriteAllText(folder[place + key], "");
            }
        }

        var range = new KeyRange { Prefix = prefix, Since = Ten, Until = Ten.AddHours(1) };
        List<string> read = [];
        await foreach (ObjectEntry entry in LakeScan.ListAsync(store, range, TestContext.Current.CancellationToken))
        {
            read.Add(entry.Key);
        }

        Assert.Equal(expected,
            read.Select(key => key[..key.IndexOf("dt=2026-11-21/hr=10/", StringComparison.Ordinal)] is { Length: > 0 } place ? place : "dt"));
        Assert.InRange(store.Listed, expected.Length, 3 * expected.Length);
    }

    [Fact]
    public void Counts_past_the_capacity_are_too_high_by_the_error_at_most_and_never_too_low()
    {
        var random = new Random(5);
        var top = new TopCounts(50);
        var exact = new Dictionary<string, long>();
        for (int i = 0; i < 20_000; i++)
        {
            string value = $"v{(int)(500 * Math.Pow(random.NextDouble(), 3))}";
            long count = random.Next(1, 4);
            top.Add(value, count);
            exact[value] = exact.GetValueOrDefault(value) + count;
        }

        IReadOnlyList<(string Value, long Count)> most = top.Most(50);
        Assert.InRange(top.Error, 1, exact.Values.Sum() / 50);
        Assert.All(most, pair => Assert.InRange(pair.Count, exact[pair.Value], exact[pair.Value] + top.Error));
        Assert.Superset(exact.Where(pair => pair.Value > top.Error).Select(pair => pair.Key).ToHashSet(), most.Select(pair => pair.Value)
            .ToHashSet());
    }

    [Theory]
    [InlineData(1L << 30)]
    [InlineData(24 * 100)]
    public void Doubles_are_found_in_memory_and_on_disk_and_after_a_crash(long limit)
    {
        using var folder = new TempFolder();
        var random = new Random(3);
        UInt128[] hashes = [.. Enumerable.Range(0, 2000).Select(_ => new UInt128((ulong)random.NextInt64(), (ulong)random.NextInt64()) << 1)];
        long[] saved;
        using (var index = new DuplicateIndex(folder.Path, "x", limit))
        {
            for (int i = 0; i < hashes.Length; i++)
            {
                index.Add(new Occurrence(hashes[i], 1, i));
            }

            saved = index.Save();
            index.Add(new Occurrence(hashes[5], 2, 0)); // lost with the crash, and seen again after it
            index.Save();
        }

        using var again = new DuplicateIndex(folder.Path, "x", limit);
        again.Restore(saved);
        again.Add(new Occurrence(hashes[7], 2, 1));
        again.Add(new Occurrence(hashes[7], 2, 2));
        Assert.Equal([(7, 1), (7, 2)], again.Find().Select(pair => (pair.First.Line, pair.Again.Line)));
    }

    [Fact]
    public void A_part_that_was_empty_when_it_was_saved_is_empty_after_a_crash()
    {
        using var folder = new TempFolder();
        var first = new Occurrence(UInt128.One, 1, 1);
        var second = new Occurrence(UInt128.One + 1, 1, 2);
        long[] saved;
        using (var index = new DuplicateIndex(folder.Path, "x", 1 << 20))
        {
            saved = index.Save();
            index.Add(first);
            index.Add(second);
            index.Save();
        }

        using var again = new DuplicateIndex(folder.Path, "x", 1 << 20);
        again.Restore(saved);
        again.Add(first);
        again.Save();
        again.Add(second);
        Assert.Empty(again.Find());
    }
}
