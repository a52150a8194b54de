// SERVE=requests starts only where somebody says who sends a request.
using Estat.Api.Options;
using Estat.Base.Options;

namespace Estat.Api.Tests.Options;

public sealed class RequestsOptionTests
{
    [Theory]
    [InlineData("HTTP_ADDR=127.0.0.1:8080", null)]
    [InlineData("HTTP_ADDR=:8080 REQUESTS_USER_HEADER=X-User-Id TRUSTED_PROXIES=10.0.0.0/8", null)]
    [InlineData("HTTP_ADDR=:8080 REQUESTS_USER_HEADER=X-User-Id", "REQUESTS_USER_HEADER")]
    [InlineData("HTTP_ADDR=:8080 REQUESTS_USER_HEADER=X-User-Id TRUSTED_PROXIES=none", "REQUESTS_USER_HEADER")]
    [InlineData("HTTP_ADDR=:8080", "SERVE=requests needs to know who sends a request")]
    public void A_header_names_users_only_with_proxies_that_are_named_or_on_loopback(string settings, string? fault)
    {
        KeyValuePair<string, string?>[] environment = [.. settings.Split(' ').Append("SERVE=requests")
            .Select(pair => pair.Split('=')).Select(pair => new KeyValuePair<string, string?>(pair[0], pair[1]))];
        if (fault is null)
        {
            Assert.Equal(["requests"], OptionTable.Bind([], environment, "/none/appsettings.json").Serve);
            return;
        }

        var error = Assert.Throws<OptionException>(() => OptionTable.Bind([], environment, "/none/appsettings.json"));
        Assert.StartsWith(fault, error.Message, StringComparison.Ordinal);
    }
}
