namespace Estat.Topics.Tests;

public sealed class KeyPartitionerTests
{
    // From the tests of Apache Kafka's own Utils.murmur2.
    [Theory]
    [InlineData("21", -973932308)]
    [InlineData("foobar", -790332482)]
    [InlineData("a-little-bit-long-string", -985981536)]
    [InlineData("a-little-bit-longer-string", -1486304829)]
    [InlineData("lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58897971)]
    public void A_key_has_the_hash_that_Kafka_gives_it(string key, int hash) =>
        Assert.Equal(hash, (int)KeyPartitioner.Hash(System.Text.Encoding.UTF8.GetBytes(key)));

    [Fact]
    public void Every_partition_gets_keys() => Assert.Equal(
        Enumerable.Range(0, 12),
        Enumerable.Range(0, 500).Select(key => KeyPartitioner.PartitionOf(System.Text.Encoding.UTF8.GetBytes($"user-{key}"), 12)).Distinct().Order());
}
