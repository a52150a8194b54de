// Whose address an event carries.
using System.Net;
using Estat.Api.Options;

namespace Estat.Api.Tests.ClientAddress;

public sealed class ClientAddressTests
{
    private const string Peer = "127.0.0.1";

    [Theory]
    [InlineData("203.0.113.7", "203.0.113.7")]
    [InlineData("203.0.113.7, 198.51.100.2", "203.0.113.7")]
    [InlineData("10.0.0.1, 192.168.1.1, 203.0.113.7, 198.51.100.2", "203.0.113.7")]
    [InlineData("unknown, _hidden, , 203.0.113.7", "203.0.113.7")]
    [InlineData("203.0.113.7:4711", "203.0.113.7")]
    [InlineData("  203.0.113.7  ", "203.0.113.7")]
    [InlineData("2001:db8::1", "2001:db8::1")]
    [InlineData("[2001:DB8:0:0::1]:4711, 10.0.0.1", "2001:db8::1")]
    [InlineData("::ffff:203.0.113.7", "203.0.113.7")]
    [InlineData("10.0.0.1, 172.16.0.1, 192.168.0.1, 127.0.0.1, 169.254.1.1, 100.64.0.1, ::1, fe80::1, fd00::1", Peer)]
    [InlineData("garbage", Peer)]
    [InlineData("1234567890", Peer)]
    [InlineData("203.0.113", Peer)]
    [InlineData("0xcb.0x00.0x71.0x07", Peer)]
    [InlineData("203.0.113.256", Peer)]
    [InlineData("203.0.113.09", Peer)]
    [InlineData("203.0.113.09, 198.51.100.2", "198.51.100.2")]
    [InlineData("2001:db8::1%eth0", "2001:db8::1")]
    [InlineData("", Peer)]
    [InlineData(",,,", Peer)]
    [InlineData("\"},{\"", Peer)]
    public async Task A_trusted_proxy_names_the_client_by_X_Forwarded_For(string header, string client) =>
        Assert.Equal([client], await AddressesOfAsync(null, $"X-Forwarded-For: {header}\r\n"));

    [Theory]
    [InlineData("203.0.113.7:4711", "203.0.113.7")]
    [InlineData("2001:db8::1:4711", "2001:db8::1")]
    [InlineData("2001:db8:1:2:3:4:5:6:4711", "2001:db8:1:2:3:4:5:6")]
    [InlineData("[2001:db8::1]:4711", "2001:db8::1")]
    [InlineData("garbage", Peer)]
    [InlineData("1234567890:80", Peer)]
    [InlineData("", Peer)]
    public async Task CloudFront_Viewer_Address_stands_in_for_it(string header, string client) =>
        Assert.Equal([client, client], await AddressesOfAsync(null,
            $"CloudFront-Viewer-Address: {header}\r\n", $"X-Forwarded-For: 10.0.0.1\r\nCloudFront-Viewer-Address: {header}\r\n"));

    [Fact]
    public async Task X_Forwarded_For_comes_before_CloudFront_Viewer_Address() =>
        Assert.Equal(["203.0.113.7"], await AddressesOfAsync(null,
            "CloudFront-Viewer-Address: 198.51.100.2:1\r\nX-Forwarded-For: 203.0.113.7\r\n"));

    [Fact]
    public async Task Several_headers_are_read_as_one_list() =>
        Assert.Equal(["203.0.113.7"], await AddressesOfAsync(null,
            "X-Forwarded-For: 10.0.0.1\r\nX-Forwarded-For: nonsense, 203.0.113.7\r\nX-Forwarded-For: 198.51.100.2\r\n"));

    [Fact]
    public async Task An_untrusted_peer_cannot_name_anybody() =>
        Assert.Equal([Peer, Peer], await AddressesOfAsync(options => options with { Http = options.Http with { TrustedProxies = [] } },
            "X-Forwarded-For: 203.0.113.7\r\n", "CloudFront-Viewer-Address: 203.0.113.7:1\r\n"));

    [Fact]
    public async Task Trust_can_be_limited_to_a_network() =>
        Assert.Equal([Peer], await AddressesOfAsync(options => options with
        {
            Http = options.Http with { TrustedProxies = [IPNetwork.Parse("10.0.0.0/8")] },
        },
            "X-Forwarded-For: 203.0.113.7\r\n"));

    [Fact]
    public async Task Each_request_of_a_connection_has_its_own_client()
    {
        // What one request of a connection left behind must not show in another, in whatever order they come.
        (string Headers, string Client)[] requests =
        [
            ("X-Forwarded-For: 203.0.113.7\r\n", "203.0.113.7"),
            ("X-Forwarded-For: 203.0.113.7\r\n", "203.0.113.7"),
            ("X-Forwarded-For: 10.0.0.1\r\n", Peer),
            ("X-Forwarded-For: 203.0.113.7\r\n", "203.0.113.7"),
            ("", Peer),
            ("X-Forwarded-For: 203.0.113.7\r\n", "203.0.113.7"),
            ("CloudFront-Viewer-Address: nonsense\r\n", Peer),
            ("X-Forwarded-For: 203.0.113.7\r\n", "203.0.113.7"),
            ("CloudFront-Viewer-Address: 198.51.100.20:80\r\n", "198.51.100.20"),
            ("X-Forwarded-For: 203.0.113.7\r\n", "203.0.113.7"),
            ("X-Forwarded-For: nonsense\r\nX-Forwarded-For: 10.0.0.1\r\n", Peer),
            ("X-Forwarded-For: 203.0.113.7\r\n", "203.0.113.7"),
            ("X-Forwarded-For: 10.0.0.1\r\nX-Forwarded-For: 2001:db8::2\r\n", "2001:db8::2"),
            ("X-Forwarded-For: 203.0.113.7\r\n", "203.0.113.7"),
            ("X-Forwarded-For: 10.0.0.1\r\n", Peer),
            ("X-Forwarded-For: 10.0.0.1\r\n", Peer),
            ("X-Forwarded-For: 2001:db8:1111:2222:3333:4444:5555:6666\r\n", "2001:db8:1111:2222:3333:4444:5555:6666"),
            ("X-Forwarded-For: 1.1.1.1\r\n", "1.1.1.1"),
        ];

        Assert.Equal(requests.Select(request => request.Client), await AddressesOfAsync(null, [.. requests.Select(request => request.Headers)]));
    }

    // Sends one request with each of the header lines, all on one connection.
    private static async Task<IEnumerable<string>> AddressesOfAsync(Func<EstatOptions, EstatOptions>? configure, params string[] requests)
    {
        await using RunningServer server = await RunningServer.StartAsync(configure);
        using RawHttp connection = await server.ConnectAsync();
        foreach (string headers in requests)
        {
            await connection.SendAsync(RawHttp.Post($"{headers}Content-Length: 1\r\n") + "x");
            Assert.Equal(200, (await connection.ReadAnswerAsync()).Status);
        }

        return (await server.DrainAsync()).Select(stored => stored.Ip);
    }
}
