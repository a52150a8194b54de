// Which address limits go by.
using System.Net;
using Estat.Base.Access;
using Estat.Http.ClientAddress;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Primitives;

namespace Estat.Http.Tests.ClientAddress;

public sealed class TrustedProxiesTests
{
    private const string Proxy = "10.0.0.1";
    private static readonly TrustedProxies Trusted = new([IPNetwork.Parse("10.0.0.0/8"), IPNetwork.Parse("2001:db8:ffff::/48")]);

    [Theory]
    [InlineData("203.0.113.7", "203.0.113.7")]
    [InlineData("198.51.100.1, 203.0.113.7", "203.0.113.7")] // the left part is what the client wrote
    [InlineData("198.51.100.1, 10.0.0.9, 203.0.113.7", "203.0.113.7")]
    [InlineData("198.51.100.1, 203.0.113.7, 10.0.0.2", "203.0.113.7")] // two trusted hops
    [InlineData("198.51.100.1, 203.0.113.7, 10.0.0.2, 10.0.0.3", "203.0.113.7")]
    [InlineData("198.51.100.1, 203.0.113.7, 2001:db8:ffff::2", "203.0.113.7")]
    [InlineData("198.51.100.1, 192.168.0.5", "192.168.0.5")] // private, and not among those that are trusted
    [InlineData("203.0.113.7:4711", "203.0.113.7")]
    [InlineData("203.0.113.7, 10.0.0.2:443", "203.0.113.7")]
    [InlineData("198.51.100.1, 2001:db8::1", "2001:db8::1")]
    [InlineData("198.51.100.1, [2001:db8::1]:4711, 10.0.0.2", "2001:db8::1")]
    [InlineData("198.51.100.1, ::ffff:203.0.113.7", "203.0.113.7")]
    [InlineData("203.0.113.7, ::ffff:10.0.0.2", "203.0.113.7")]
    [InlineData("198.51.100.1, garbage, 10.0.0.2", "10.0.0.2")] // what is left of garbage counts for nothing
    [InlineData("198.51.100.1, 1234567890", Proxy)]
    [InlineData("198.51.100.1, unknown", Proxy)]
    [InlineData("203.0.113.7, , ", "203.0.113.7")]
    [InlineData("10.0.0.3, 10.0.0.2", "10.0.0.3")]
    [InlineData(",,,", Proxy)]
    [InlineData("", Proxy)]
    public void The_first_address_from_the_right_that_is_no_trusted_proxy_is_the_client_s(string header, string client)
    {
        Assert.Equal(AddressLimits.KeyOf(IPAddress.Parse(client)), AddressOf(Proxy, header));
        Assert.Equal(AddressLimits.KeyOf(IPAddress.Parse(client)), AddressOf(Proxy, header.Split(", "))); // as lines of their own
    }

    [Fact]
    public void A_peer_that_is_no_trusted_proxy_is_the_client() =>
        Assert.Equal(AddressLimits.KeyOf(IPAddress.Parse("198.51.100.9")), AddressOf("198.51.100.9", "203.0.113.7"));

    [Fact]
    public void Requests_of_one_connection_keep_their_own_addresses_and_one_that_comes_again_allocates_nothing()
    {
        var peer = Peer.Of(IPAddress.Parse(Proxy), Trusted);
        HeaderDictionary one = Headers("198.51.100.1, 203.0.113.7");
        HeaderDictionary other = Headers("203.0.113.8");
        var none = new HeaderDictionary();
        foreach ((HeaderDictionary headers, string client) in new[] { (one, "203.0.113.7"), (other, "203.0.113.8"), (none, Proxy),
            (one, "203.0.113.7") })
        {
            Assert.Equal(AddressLimits.KeyOf(IPAddress.Parse(client)), peer.AddressOf(headers));
        }

        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int i = 0; i < 1000; i++)
        {
            _ = peer.AddressOf(one);
            _ = peer.AddressOf(none);
        }

        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
    }

    private static HeaderDictionary Headers(params string[] lines) => new() { [TrustedProxies.Header] = new StringValues(lines) };

    private static ulong AddressOf(string peer, params string[] lines) => Peer.Of(IPAddress.Parse(peer), Trusted).AddressOf(Headers(lines));
}
