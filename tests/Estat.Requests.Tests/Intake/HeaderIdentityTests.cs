// A user that a header names: whose header is believed.
using System.Text;
using Estat.Requests.Intake;

namespace Estat.Requests.Tests.Intake;

public sealed class HeaderIdentityTests
{
    private const string Header = "X-User-Id";
    private readonly HeaderIdentity _identity = new(Header, isLoopback: false, IdentityPlace.Refusals);

    [Fact]
    public async Task A_trusted_proxy_s_header_names_the_user() =>
        Assert.Equal("kim", await AskAsync(IdentityPlace.Proxy, "kim"));

    [Theory]
    [InlineData(IdentityPlace.Somewhere)]
    [InlineData("127.0.0.1")]
    [InlineData("::1")]
    [InlineData("192.168.0.1")] // trusted only where nobody says who is
    public async Task Anybody_else_s_header_names_nobody(string peer)
    {
        Assert.Equal("401", await AskAsync(peer, "kim"));
        Assert.Equal("401", await IdentityPlace.AskAsync(
            _identity, IdentityPlace.From(peer, (Header, "kim"), ("X-Forwarded-For", IdentityPlace.Proxy))));
    }

    [Fact]
    public async Task Two_headers_name_nobody_even_if_they_agree()
    {
        Assert.Equal("401", await AskAsync(IdentityPlace.Proxy, "kim", "lee"));
        Assert.Equal("401", await AskAsync(IdentityPlace.Proxy, "kim", "kim"));
        Assert.Equal("401", await AskAsync(IdentityPlace.Proxy, "kim", ""));
        Assert.Equal("401", await AskAsync(IdentityPlace.Proxy));
    }

    [Fact]
    public async Task Two_headers_that_a_proxy_joined_name_nobody()
    {
        Assert.Equal("401", await AskAsync(IdentityPlace.Proxy, "kim, lee"));
        Assert.Equal("401", await AskAsync(IdentityPlace.Proxy, ",kim"));
    }

    [Fact]
    public async Task A_user_has_1_to_256_bytes_as_they_came()
    {
        Assert.Equal("401", await AskAsync(IdentityPlace.Proxy, ""));
        Assert.Equal("401", await AskAsync(IdentityPlace.Proxy, new string('x', 257)));
        Assert.Equal(new string('x', 256), await AskAsync(IdentityPlace.Proxy, new string('x', 256)));
        Assert.Equal("김", await AskAsync(IdentityPlace.Proxy, Encoding.Latin1.GetString("김"u8)));
    }

    [Theory]
    [InlineData("127.0.0.1", "kim")]
    [InlineData("::1", "kim")]
    [InlineData(IdentityPlace.Somewhere, "401")]
    public async Task A_server_on_loopback_believes_this_machine(string peer, string expected) => Assert.Equal(
        expected, await IdentityPlace.AskAsync(
            new HeaderIdentity(Header, isLoopback: true, IdentityPlace.Refusals), IdentityPlace.From(peer, (Header, "kim"))));

    private Task<string> AskAsync(string peer, params string[] users) =>
        IdentityPlace.AskAsync(_identity, IdentityPlace.From(peer, [.. users.Select(user => (Header, user))]));
}
