// Which tokens are valid: made here byte by byte, verified by keys that a real server publishes.
using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Estat.Http.Access;
using Estat.Tests.Support;

namespace Estat.Http.Tests.Access;

public sealed class TokensTests : IAsyncLifetime
{
    private readonly ManualTimeProvider _time = new();
    private readonly LogLines _log = new();
    private readonly SigningKey _key = SigningKey.New("k1");
    private TokenIssuer _issuer = null!;
    private Tokens _tokens = null!;

    public async ValueTask InitializeAsync()
    {
        _issuer = await TokenIssuer.StartAsync(_key);
        _tokens = Of(new TokenOptions { Issuer = _issuer.Name, Audiences = ["shop", "app"] });
    }

    public async ValueTask DisposeAsync()
    {
        await _tokens.DisposeAsync();
        await _issuer.DisposeAsync();
        _key.Dispose();
        _log.Dispose();
    }

    [Theory]
    [InlineData("RS256")]
    [InlineData("RS384")]
    [InlineData("RS512")]
    [InlineData("PS256")]
    [InlineData("PS384")]
    [InlineData("PS512")]
    [InlineData("ES256")]
    [InlineData("ES384")]
    [InlineData("ES512")]
    public async Task A_token_that_the_issuer_signed_names_its_user(string algorithm)
    {
        using SigningKey key = SigningKey.New("another", algorithm);
        _issuer.Keys = [_key, key];
        Assert.Equal("kim", await UserOfAsync(key.Sign(Claims())));
    }

    [Fact]
    public async Task A_user_is_the_claim_s_text_as_UTF_8_whatever_it_looks_like()
    {
        foreach (string user in new[] { "김철수", "a\"b\\c\u0001", "2026-01-02T03:04:05Z", "42", "true", " kim ", "KIM" })
        {
            Assert.Equal(user, await UserOfAsync(_key.Sign(Claims(user))));
        }
    }

    [Fact]
    public async Task Times_hold_to_the_clock_with_the_skew_that_is_allowed()
    {
        DateTimeOffset now = _time.GetUtcNow();
        JsonObject claims = Claims();
        (claims["nbf"], claims["exp"]) = (now.AddSeconds(29).ToUnixTimeSeconds(), now.AddSeconds(60).ToUnixTimeSeconds());
        string token = _key.Sign(claims);
        Assert.Equal("kim", await UserOfAsync(token));

        _time.Advance(TimeSpan.FromSeconds(89));
        Assert.Equal("kim", Known(token));
        _time.Advance(TimeSpan.FromSeconds(1));
        Assert.Null(Known(token));
        Assert.Equal(TokenFault.Expired, await FaultOfAsync(token));
    }

    [Theory]
    [InlineData("iss", "\"https://elsewhere.example\"", nameof(TokenFault.Issuer))]
    [InlineData("iss", null, nameof(TokenFault.Issuer))]
    [InlineData("aud", "\"Shop\"", nameof(TokenFault.Audience))]
    [InlineData("aud", "[\"other\",\"third\"]", nameof(TokenFault.Audience))]
    [InlineData("aud", null, nameof(TokenFault.Audience))]
    [InlineData("exp", null, nameof(TokenFault.Endless))]
    [InlineData("exp", "1", nameof(TokenFault.Expired))]
    [InlineData("nbf", "4102444800", nameof(TokenFault.NotYet))]
    [InlineData("sub", null, nameof(TokenFault.NoUser))]
    [InlineData("sub", "\"\"", nameof(TokenFault.NoUser))]
    [InlineData("sub", "42", nameof(TokenFault.NoUser))]
    [InlineData("sub", "{\"id\":\"kim\"}", nameof(TokenFault.Malformed))]
    public async Task A_signed_token_that_does_not_say_what_it_has_to_is_refused(string claim, string? json, string fault)
    {
        JsonObject claims = Claims();
        claims.Remove(claim);
        if (json is not null)
        {
            claims[claim] = JsonNode.Parse(json);
        }

        string token = _key.Sign(claims);
        Assert.Equal(Enum.Parse<TokenFault>(fault), await FaultOfAsync(token));
        Assert.Null(Known(token));
    }

    [Fact]
    public async Task A_user_may_have_256_bytes_and_not_one_more()
    {
        string longest = "김" + new string('x', 253);
        Assert.Equal(longest, await UserOfAsync(_key.Sign(Claims(longest))));
        Assert.Equal(TokenFault.NoUser, await FaultOfAsync(_key.Sign(Claims(longest + "x"))));
    }

    [Fact]
    public async Task Half_a_character_is_no_user()
    {
        await using Tokens tokens = Of(new TokenOptions { Issuer = _issuer.Name, Audiences = ["shop"], Claim = "member" });
        JsonObject claims = Claims();
        claims["member"] = "HALF";
        string signed = SigningKey.Part(_key.Header()) + "." + Base64Url.EncodeToString(
            Encoding.UTF8.GetBytes(claims.ToJsonString().Replace("HALF", "\\ud800", StringComparison.Ordinal)));
        TokenFault fault = (await tokens.ValidateAsync(_key.SignText(signed))).Fault;
        Assert.True(fault is TokenFault.NoUser or TokenFault.Malformed, $"{fault}");
    }

    [Fact]
    public async Task A_token_for_one_of_several_services_is_for_this_one_too()
    {
        JsonObject claims = Claims();
        claims["aud"] = new JsonArray("other", "app");
        Assert.Equal("kim", await UserOfAsync(_key.Sign(claims)));
    }

    [Fact]
    public async Task The_claim_that_names_the_user_can_be_chosen()
    {
        await using Tokens tokens = Of(new TokenOptions { Issuer = _issuer.Name, Audiences = ["shop"], Claim = "https://shop.example/member" });
        JsonObject claims = Claims();
        claims["https://shop.example/member"] = "m-7";
        Assert.Equal("m-7", Text((await tokens.ValidateAsync(_key.Sign(claims))).User));
    }

    [Fact]
    public async Task A_changed_token_is_refused_though_another_key_of_that_name_signed_it()
    {
        using SigningKey thief = SigningKey.New("k1");
        Assert.Equal(TokenFault.Signature, await FaultOfAsync(thief.Sign(Claims("lee"))));

        string[] parts = _key.Sign(Claims("kim")).Split('.');
        string changed = $"{parts[0]}.{SigningKey.Part(Claims("lee"))}.{parts[2]}";
        Assert.Equal(TokenFault.Signature, await FaultOfAsync(changed));
        Assert.Equal(TokenFault.Signature, await FaultOfAsync($"{parts[0]}.{parts[1]}."));
        Assert.Equal("kim", await UserOfAsync(string.Join('.', parts)));
    }

    [Theory]
    [InlineData("none")]
    [InlineData("None")]
    [InlineData("nOnE")]
    [InlineData("")]
    [InlineData("HS256")]
    [InlineData("RS1")]
    public async Task A_token_that_nobody_need_have_signed_is_refused(string algorithm)
    {
        var header = new JsonObject { ["alg"] = algorithm, ["kid"] = "k1" };
        Assert.Equal(TokenFault.Algorithm, await FaultOfAsync($"{SigningKey.Part(header)}.{SigningKey.Part(Claims("lee"))}."));
        Assert.Equal(TokenFault.Algorithm, await FaultOfAsync(_key.Sign(Claims("lee"), header)));
    }

    [Fact]
    public async Task A_token_signed_by_HS256_with_the_public_key_as_its_secret_is_refused()
    {
        using SigningKey rsa = SigningKey.New("rsa", "RS256");
        _issuer.Keys = [_key, rsa];
        Assert.Equal("kim", await UserOfAsync(rsa.Sign(Claims())));
        foreach (string secret in new[] { rsa.PublicPem, rsa.PublicPem + "\n", rsa.Public()["n"]!.GetValue<string>(), rsa.Public().ToJsonString() })
        {
            string signed = $"{SigningKey.Part(new JsonObject { ["alg"] = "HS256", ["kid"] = "rsa" })}.{SigningKey.Part(Claims("lee"))}";
            byte[] hash = HMACSHA256.HashData(Encoding.UTF8.GetBytes(secret), Encoding.ASCII.GetBytes(signed));
            Assert.Equal(TokenFault.Algorithm, await FaultOfAsync($"{signed}.{Base64Url.EncodeToString(hash)}"));
        }
    }

    [Theory]
    [InlineData("")]
    [InlineData("x")]
    [InlineData("..")]
    [InlineData("a.b.c")]
    [InlineData("....")]
    [InlineData("eyJhbGciOiJSUzI1NiJ9.e30")]
    [InlineData("eyJhbGciOiJSUzI1NiJ9.bnVsbA.x")] // null
    [InlineData("eyJhbGciOiJSUzI1NiJ9.eyJleHAiOiJzb29uIn0.x")] // exp is "soon"
    [InlineData("eyJhbGciOiJSUzI1NiJ9.eyJleHAiOjFlOTk5fQ.x")] // exp is 1e999
    public async Task What_is_no_token_is_refused_and_breaks_nothing(string text) => Assert.NotEqual(TokenFault.None, await FaultOfAsync(text));

    [Fact]
    public async Task A_header_that_demands_what_is_not_understood_is_refused()
    {
        JsonObject header = _key.Header();
        (header["crit"], header["b64"]) = (new JsonArray("b64"), false);
        Assert.Equal(TokenFault.Malformed, await FaultOfAsync(_key.Sign(Claims(), header)));
    }

    [Fact]
    public async Task A_token_that_is_too_long_is_refused_unread()
    {
        JsonObject claims = Claims();
        claims["more"] = new string('x', 8192);
        Assert.Equal(TokenFault.Malformed, await FaultOfAsync(_key.Sign(claims)));
    }

    [Fact]
    public async Task A_key_verifies_by_its_own_kind_and_curve_alone_and_weak_ones_not_at_all()
    {
        using SigningKey weak = SigningKey.New("weak", "RS256", rsaBits: 1024);
        using SigningKey other = SigningKey.New("other", "ES384");
        _issuer.Keys = [_key, weak, other];
        Assert.Equal(TokenFault.UnknownKey, await FaultOfAsync(weak.Sign(Claims())));
        JsonObject header = other.Header();
        header["alg"] = "ES256";
        Assert.Equal(TokenFault.UnknownKey, await FaultOfAsync(other.Sign(Claims(), header)));
        header["alg"] = "RS256";
        Assert.Equal(TokenFault.UnknownKey, await FaultOfAsync(other.Sign(Claims(), header)));
    }

    [Fact]
    public async Task A_token_that_names_no_key_is_verified_only_where_one_key_can_be_meant()
    {
        JsonObject header = _key.Header();
        header.Remove("kid");
        Assert.Equal("kim", await UserOfAsync(_key.Sign(Claims(), header)));

        using SigningKey second = SigningKey.New("k2");
        _issuer.Keys = [_key, second];
        await using Tokens tokens = Of(new TokenOptions { Issuer = _issuer.Name, Audiences = ["shop"] });
        Assert.Equal(TokenFault.UnknownKey, (await tokens.ValidateAsync(_key.Sign(Claims("lee"), header))).Fault);
    }

    private JsonObject Claims(string user = "kim") => TokenIssuer.Claims(_issuer.Name, _time.GetUtcNow(), user);

    private Tokens Of(TokenOptions options) => new(options, _time, _log);

    private string? Known(string token) => Text(_tokens.FindKnown(token));

    private static string? Text(byte[]? user) => user is null ? null : Encoding.UTF8.GetString(user);

    private async Task<string?> UserOfAsync(string token)
    {
        Assert.Null(_tokens.FindKnown(token));
        TokenAnswer answer = await _tokens.ValidateAsync(token);
        Assert.Equal(TokenFault.None, answer.Fault);
        Assert.Equal(answer.User, _tokens.FindKnown(token));
        return Text(answer.User);
    }

    private async Task<TokenFault> FaultOfAsync(string token) => (await _tokens.ValidateAsync(token)).Fault;
}
