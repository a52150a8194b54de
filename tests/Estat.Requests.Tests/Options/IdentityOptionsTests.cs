// A server that could be told anything about who sends does not start.
using System.Net;
using Estat.Base.Options;
using Estat.Http.Access;
using Estat.Http.Options;
using Estat.Requests.Options;

namespace Estat.Requests.Tests.Options;

public sealed class IdentityOptionsTests
{
    private static readonly TokenOptions None = new();
    private static readonly TokenOptions Tokens = new() { Issuer = "https://issuer.example", Audiences = ["shop"] };
    private static readonly RequestsOptions Header = new() { UserHeader = "X-User-Id" };
    private static readonly IPNetwork[] Named = [IPNetwork.Parse("10.0.0.0/8")];

    [Fact]
    public void A_header_needs_proxies_that_are_named()
    {
        Check(Header, new HttpOptions { TrustedProxies = Named });
        Assert.StartsWith("REQUESTS_USER_HEADER=X-User-Id: must be ", WhyNot(Header, new HttpOptions()), StringComparison.Ordinal);
        Assert.NotNull(WhyNot(Header, new HttpOptions { TrustedProxies = [] }));
        Assert.NotNull(WhyNot(Header, new HttpOptions { HttpAddr = "0.0.0.0:8080" }));
    }

    [Theory]
    [InlineData("127.0.0.1:8080")]
    [InlineData("localhost:8080")]
    [InlineData("[::1]:8080")]
    public void On_loopback_any_header_will_do(string address)
    {
        Check(Header, new HttpOptions { HttpAddr = address });
        Check(new RequestsOptions(), new HttpOptions { HttpAddr = address });
    }

    [Fact]
    public void Without_a_way_to_know_users_the_message_names_every_way()
    {
        string message = WhyNot(new RequestsOptions(), new HttpOptions { TrustedProxies = Named })!;
        Assert.All(new[] { "JWT_ISSUER", "REQUESTS_USER_HEADER", "HTTP_ADDR" }, name => Assert.Contains(name, message, StringComparison.Ordinal));
        Assert.DoesNotContain('\n', message);
    }

    [Fact]
    public void Tokens_are_enough()
    {
        RequestsOptionTable.CheckTogether(new RequestsOptions(), new HttpOptions(), Tokens);
        RequestsOptionTable.CheckTogether(Header, new HttpOptions(), Tokens);
    }

    [Fact]
    public void Options_of_tokens_need_their_issuer_and_that_an_audience()
    {
        TokenOptionTable.CheckTogether(None);
        TokenOptionTable.CheckTogether(Tokens);
        Assert.Contains("JWT_ISSUER", WhyNot(new TokenOptions { Audiences = ["shop"] }), StringComparison.Ordinal);
        Assert.Contains("JWT_ISSUER", WhyNot(new TokenOptions { JwksFile = "keys.json" }), StringComparison.Ordinal);
        Assert.Contains("JWT_AUDIENCE", WhyNot(Tokens with { Audiences = [] }), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("https://issuer.example", true)]
    [InlineData("https://issuer.example/realms/shop/", true)]
    [InlineData("http://localhost:9000/shop", true)]
    [InlineData("http://127.0.0.1:9000", true)]
    [InlineData("http://issuer.example", false)]
    [InlineData("https://issuer.example?x=1", false)]
    [InlineData("ftp://issuer.example", false)]
    [InlineData("issuer", false)]
    public void Keys_are_fetched_over_https_or_on_this_machine(string issuer, bool isTaken)
    {
        Assert.Equal(isTaken, WhyNot(Tokens with { Issuer = issuer }) is null);
        Assert.Null(WhyNot(Tokens with { Issuer = issuer, JwksFile = "keys.json" }));
    }

    private static void Check(RequestsOptions options, HttpOptions http) => RequestsOptionTable.CheckTogether(options, http, None);

    private static string? WhyNot(RequestsOptions options, HttpOptions http) => Catch(() => Check(options, http));

    private static string? WhyNot(TokenOptions options) => Catch(() => TokenOptionTable.CheckTogether(options));

    private static string? Catch(Action check)
    {
        try
        {
            check();
            return null;
        }
        catch (OptionException error)
        {
            return error.Message;
        }
    }
}
