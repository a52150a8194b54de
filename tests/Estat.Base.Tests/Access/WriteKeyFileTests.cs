// A file of write keys is taken whole, or it is said where it is wrong.
using System.Text;
using Estat.Base.Access;
using Estat.Base.Options;

namespace Estat.Base.Tests.Access;

public sealed class WriteKeyFileTests
{
    private const string Hash = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

    [Fact]
    public void What_is_written_is_read_again()
    {
        var key = new WriteKey
        {
            Name = "shop", Hashes = [KeyHash.Parse(Hash)!.Value, KeyHash.Parse(Hash.Replace('0', '9'))!.Value], Origins = ["https://shop.example"],
                Rate = 0.5, Burst = 7,
            DailyQuota = 1_000_000, Prefix = "lake/shop", Read = true, Topics = ["error-logs", "a.b_c"],
            Disabled = true, Expires = new DateTimeOffset(2027, 1, 31, 0, 0, 0, TimeSpan.Zero),
            Created = new DateTimeOffset(2026, 1, 31, 0, 0, 0, TimeSpan.Zero), Note = "\"for\" 안녕",
        };
        using var stream = new MemoryStream();
        WriteKeyFile.Write(stream, [key]);
        WriteKey read = Assert.Single(WriteKeyFile.Parse(stream.ToArray(), new KeyPrefixes("raw", "raw_dlq")));
        Assert.Equal(key.Hashes, read.Hashes);
        Assert.Equal(key.Origins, read.Origins);
        Assert.Equal(key.Topics, read.Topics);
        Assert.Equal(key, read with { Hashes = key.Hashes, Origins = key.Origins, Topics = key.Topics });
    }

    [Fact]
    public void Origins_are_brought_into_the_form_in_which_browsers_write_them()
    {
        WriteKey key = Assert.Single(WriteKeyFile.Parse(Encoding.UTF8.GetBytes(
            $$"""
            {"keys":[{"name":"a","sha256":"{{Hash}}",
            "origins":["https://한국.example:443","https://*.Shop.example","capacitor://localhost","null"]}]}
            """), prefixes: null));
        Assert.Equal(["https://xn--3e0b707e.example", "https://*.shop.example", "capacitor://localhost", "null"], key.Origins);
    }

    [Theory]
    [InlineData("", "not readable as JSON")]
    [InlineData("""{"keys":[{"name":"a"}""", "not readable as JSON")]
    [InlineData("""{"keys":[{"name":"\ud800","sha256":"HASH"}]}""", "not readable as JSON")]
    [InlineData("[]", "must be an object with one field, keys")]
    [InlineData("""{"keys":[],"other":1}""", "must be an object with one field, keys")]
    [InlineData("""{"keys":["estat_abc"]}""", "keys[0]: must be an object")]
    [InlineData("""{"keys":[{"name":"a"}]}""", "keys[0] (a): needs name and sha256")]
    [InlineData("""{"keys":[{"name":"a b","sha256":"HASH"}]}""", "keys[0]: name: must be")]
    [InlineData("""{"keys":[{"name":"a","sha256":"estat_secret"}]}""", "keys[0] (a): sha256: must be 64 hex digits")]
    [InlineData("""{"keys":[{"name":"a","sha256":[]}]}""", "keys[0] (a): sha256: must be 64 hex digits")]
    [InlineData("""{"keys":[{"name":"a","sha256":"HASH","orgins":["https://shop.example"]}]}""", "keys[0] (a): unknown field orgins")]
    [InlineData("""{"keys":[{"name":"a","sha256":"HASH","origins":["shop.example"]}]}""", "keys[0] (a): origins: must be")]
    [InlineData("""{"keys":[{"name":"a","sha256":"HASH","origins":["*"]}]}""", "keys[0] (a): origins: must be")]
    [InlineData("""{"keys":[{"name":"a","sha256":"HASH","origins":[]}]}""", "keys[0] (a): origins: must be")]
    [InlineData("""{"keys":[{"name":"a","sha256":"HASH","rate":0}]}""", "keys[0] (a): rate: must be")]
    [InlineData("""{"keys":[{"name":"a","sha256":"HASH","rate":"5"}]}""", "keys[0] (a): rate: must be")]
    [InlineData("""{"keys":[{"name":"a","sha256":"HASH","burst":5}]}""", "keys[0] (a): burst needs a rate")]
    [InlineData("""{"keys":[{"name":"a","sha256":"HASH","daily_quota":1.5}]}""", "keys[0] (a): daily_quota: must be")]
    [InlineData("""{"keys":[{"name":"a","sha256":"HASH","read":"yes"}]}""", "keys[0] (a): read: must be")]
    [InlineData("""{"keys":[{"name":"a","sha256":"HASH","topics":[]}]}""", "keys[0] (a): topics: must be")]
    [InlineData("""{"keys":[{"name":"a","sha256":"HASH","topics":["a/b"]}]}""", "keys[0] (a): topics: must be")]
    [InlineData("""{"keys":[{"name":"a","sha256":"HASH","topics":"all"}]}""", "keys[0] (a): topics: must be")]
    [InlineData("""{"keys":[{"name":"a","sha256":"HASH","disabled":"yes"}]}""", "keys[0] (a): disabled: must be")]
    [InlineData("""{"keys":[{"name":"a","sha256":"HASH","expires":"soon"}]}""", "keys[0] (a): expires: must be")]
    [InlineData("""{"keys":[{"name":"a","sha256":"HASH","expires":"01/02/2027"}]}""", "keys[0] (a): expires: must be")]
    [InlineData("""{"keys":[{"name":"a","sha256":"HASH","expires":"10:00"}]}""", "keys[0] (a): expires: must be")]
    [InlineData("""{"keys":[{"name":"a","sha256":"HASH","expires":"31 January 2027"}]}""", "keys[0] (a): expires: must be")]
    [InlineData("""{"keys":[{"name":"a","sha256":"HASH","created":"01/02/2026"}]}""", "keys[0] (a): created: must be")]
    [InlineData("""{"keys":[{"name":"a","sha256":"HASH","prefix":"/shop"}]}""", "keys[0] (a): prefix: must be")]
    [InlineData("""{"keys":[{"name":"a","sha256":"HASH","prefix":"raw_dlq/shop"}]}""", "keys[0] (a): prefix: must be a prefix apart from DLQ_PREFIX")]
    [InlineData("""{"keys":[{"name":"a","sha256":"HASH","prefix":".incomplete/shop"}]}""", "keys[0] (a): prefix: must be")]
    [InlineData("""{"keys":[{"name":"a","sha256":"HASH"},{"name":"b","sha256":"HASH"}]}""", "a and b have the same sha256")]
    [InlineData("""{"keys":[{"name":"a","sha256":"HASH"},{"name":"a","sha256":"9HASH"}]}""", "two keys have the name a")]
    public void What_is_wrong_is_told_with_its_place(string json, string told)
    {
        json = json.Replace("9HASH", Hash.Replace('0', '9'), StringComparison.Ordinal).Replace("HASH", Hash, StringComparison.Ordinal);
        WriteKeyException error = Assert.Throws<WriteKeyException>(() =>
            WriteKeyFile.Parse(Encoding.UTF8.GetBytes(json), new KeyPrefixes("raw", "raw_dlq")));
        Assert.StartsWith(told, error.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("estat_secret", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("2027-01-31", "2027-01-31T00:00:00Z")]
    [InlineData("2027-01-31T08:30", "2027-01-31T08:30:00Z")]
    [InlineData("2027-01-31T08:30:00+09:00", "2027-01-30T23:30:00Z")]
    public void A_time_without_a_zone_is_UTC(string expires, string moment) => Assert.Equal(
        DateTimeOffset.Parse(moment, System.Globalization.CultureInfo.InvariantCulture),
        Assert.Single(WriteKeyFile.Parse(
            Encoding.UTF8.GetBytes($$"""{"keys":[{"name":"a","sha256":"{{Hash}}","expires":"{{expires}}"}]}"""), null)).Expires);

    [Fact]
    public void A_prefix_under_which_the_quarantine_lies_is_refused() => Assert.Contains(
        "apart from DLQ_PREFIX",
        Assert.Throws<WriteKeyException>(() => WriteKeyFile.Parse(
            Encoding.UTF8.GetBytes($$"""{"keys":[{"name":"a","sha256":"{{Hash}}","prefix":"lake"}]}"""), new KeyPrefixes("raw", "lake/bad"))).Message,
        StringComparison.Ordinal);

    [Fact]
    public void More_prefixes_than_there_are_partitions_for_are_refused()
    {
        string keys = string.Join(',', Enumerable.Range(0, KeyPrefix.Most + 1).Select(
            i => $$"""{"name":"k{{i}}","sha256":"{{i:d2}}{{Hash[2..]}}","prefix":"p{{i}}"}"""));
        Assert.StartsWith(
            "the keys have 17 prefixes",
            Assert.Throws<WriteKeyException>(() => WriteKeyFile.Parse(Encoding.UTF8.GetBytes($$"""{"keys":[{{keys}}]}"""), null)).Message,
            StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("estat_tooshort")]
    [InlineData("shop=")]
    [InlineData("shop=short")]
    [InlineData("shop=hunter2hunter2hunter2 x")]
    [InlineData("a=estat_0123456789abcdefghij,a=estat_0123456789abcdefghik")]
    public void A_list_that_is_wrong_is_told_without_its_keys(string text)
    {
        string message = Assert.Throws<WriteKeyException>(() => WriteKeyFile.ParseList(text)).Message;
        Assert.DoesNotContain("hunter2", message, StringComparison.Ordinal);
        Assert.DoesNotContain("tooshort", message, StringComparison.Ordinal);
        Assert.DoesNotContain("0123456789", message, StringComparison.Ordinal);
    }

    [Fact]
    public void New_keys_differ_and_hash_to_what_everybody_computes()
    {
        string[] keys = [.. Enumerable.Range(0, 100).Select(_ => KeyHash.NewKey())];
        Assert.Equal(100, keys.Distinct().Count());
        Assert.All(keys, key => Assert.Matches("^estat_[A-Za-z0-9_-]{32}$", key));
        Assert.True(KeyHash.TryOf("abc", out KeyHash hash));
        Assert.Equal("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad", hash.ToString());
    }

    [Fact]
    public void Looking_a_key_up_allocates_nothing()
    {
        string key = KeyHash.NewKey();
        KeyHash.TryOf(key, out KeyHash hash);
        var table = new SenderTable([new Sender(new WriteKey { Name = "a", Hashes = [hash], Rate = 1e6, DailyQuota = 1_000_000 },
            new WriteKeyUsage(new SenderCounts("a")), TimeProvider.System)]);
        Assert.NotNull(table.Find(key));
        table.Find(key)!.Take(1, out _, out _); // the first of a day goes through the days before
        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int i = 0; i < 1000; i++)
        {
            table.Find(key)!.Take(1, out _, out _);
        }

        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
    }
}
