// HTTP_ADDR in all its spellings.
using Estat.Base.Options;

namespace Estat.Base.Tests.Options;

public sealed class ListenAddressTests
{
    [Theory]
    [InlineData(":8080", null, 8080)]
    [InlineData(":0", null, 0)]
    [InlineData("127.0.0.1:65535", "127.0.0.1", 65535)]
    [InlineData("0.0.0.0:80", "0.0.0.0", 80)]
    [InlineData("localhost:8080", "127.0.0.1", 8080)]
    [InlineData("[::1]:8080", "::1", 8080)]
    [InlineData("[::]:8080", "::", 8080)]
    public void A_listening_address_is_an_optional_host_and_a_port(string text, string? address, int port)
    {
        Assert.True(ListenAddress.TryParse(text, out ListenAddress parsed));
        Assert.Equal((address, port), (parsed.Address?.ToString(), parsed.Port));
    }

    [Theory]
    [InlineData(":8080", "https://127.0.0.1:8080/health")]
    [InlineData("0.0.0.0:8080", "https://127.0.0.1:8080/health")]
    [InlineData("[::]:8080", "https://[::1]:8080/health")]
    [InlineData("10.0.0.7:8080", "https://10.0.0.7:8080/health")]
    [InlineData("[2001:db8:0:1::]:8080", "https://[2001:db8:0:1::]:8080/health")]
    public void From_this_machine_it_is_asked_by_an_address_that_it_answers_on(string text, string url)
    {
        Assert.True(ListenAddress.TryParse(text, out ListenAddress parsed));
        Assert.Equal(url, parsed.Here(tls: true, "/health").ToString());
        Assert.Equal("http", parsed.Here(tls: false, "/health").Scheme);
    }

    [Fact]
    public void Anything_else_is_refused()
    {
        string[] wrong =
        [
            "", ":", "8080", ":65536", ":-1", ":+80", ": 80", ":http", "::1:8080", "[::1]", "[]:80", "[:80", "shop.example:80",
            "http://127.0.0.1:80", "127.0.0.1:80/",
        ];
        Assert.All(wrong, text => Assert.False(ListenAddress.TryParse(text, out _)));
    }
}
