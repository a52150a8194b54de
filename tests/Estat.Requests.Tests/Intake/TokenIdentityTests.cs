// A user that a token names, and what wrong tokens cost their address.
using Estat.Base.Access;
using Estat.Http.Access;
using Estat.Http.Intake;
using Estat.Requests.Intake;
using Estat.Tests.Support;

namespace Estat.Requests.Tests.Intake;

public sealed class TokenIdentityTests : IAsyncLifetime
{
    private const int Rate = 2; // wrong tokens a second, four at once
    private readonly ManualTimeProvider _time = new();
    private readonly LogLines _log = new();
    private readonly SigningKey _key = SigningKey.New("k1");
    private readonly SigningKey _thief = SigningKey.New("k1");
    private TokenIssuer _issuer = null!;
    private Tokens _tokens = null!;
    private TokenIdentity _identity = null!;

    public async ValueTask InitializeAsync()
    {
        _issuer = await TokenIssuer.StartAsync(_key);
        _tokens = new Tokens(new TokenOptions { Issuer = _issuer.Name, Audiences = ["shop"] }, _time, _log);
        _identity = new TokenIdentity(_tokens, new AddressLimits(Rate, null, _time), IdentityPlace.Refusals);
    }

    public async ValueTask DisposeAsync()
    {
        await _tokens.DisposeAsync();
        await _issuer.DisposeAsync();
        _key.Dispose();
        _thief.Dispose();
        _log.Dispose();
    }

    [Theory]
    [InlineData("Bearer ")]
    [InlineData("bearer ")]
    [InlineData("BEARER   ")]
    public async Task A_valid_token_names_the_user(string scheme)
    {
        string token = Token("kim");
        Assert.Equal("kim", await IdentityPlace.AskAsync(_identity, IdentityPlace.From(IdentityPlace.Somewhere, ("Authorization", scheme + token))));
        Assert.Equal("kim", await IdentityPlace.AskAsync(_identity, IdentityPlace.From(IdentityPlace.Proxy, ("Authorization", scheme + token))));
    }

    [Fact]
    public async Task A_known_token_is_answered_without_waiting_and_without_work()
    {
        HttpRequestView request = Showing(Token("kim"));
        await _identity.IdentifyAsync(request);
        _issuer.IsDown = true;
        Assert.Equal("kim", (await _identity.IdentifyAsync(request)).User!.Value.Text);

        long before = GC.GetAllocatedBytesForCurrentThread();
        ValueTask<Identified> again = _identity.IdentifyAsync(request);
        long allocated = GC.GetAllocatedBytesForCurrentThread() - before;
        Assert.True(again.IsCompletedSuccessfully);
        Assert.Equal("kim", (await again).User!.Value.Text);
        Assert.InRange(allocated, 0, 200); // to verify it takes some thousand
    }

    [Fact]
    public async Task With_tokens_no_header_names_a_user_whoever_sends_it()
    {
        Assert.Equal("401", await IdentityPlace.AskAsync(_identity, IdentityPlace.From(IdentityPlace.Proxy, ("X-User-Id", "lee"))));
        Assert.Equal("401", await IdentityPlace.AskAsync(_identity, IdentityPlace.From("127.0.0.1", ("X-User-Id", "lee"))));
        Assert.Equal("kim", await IdentityPlace.AskAsync(
            _identity, IdentityPlace.From(IdentityPlace.Proxy, ("X-User-Id", "lee"), ("Authorization", "Bearer " + Token("kim")))));
    }

    [Theory]
    [InlineData("Basic a2ltOmtpbQ==")]
    [InlineData("Bearer")]
    [InlineData("Bearer ")]
    [InlineData("")]
    public async Task Without_a_token_the_challenge_names_no_error(string authorization)
    {
        (var problem, _, string? challenge) = await IdentityPlace.RefusalAsync(
            _identity, IdentityPlace.From(IdentityPlace.Somewhere, ("Authorization", authorization)));
        Assert.Equal((401, "Bearer realm=\"estat\""), (problem.Status, challenge));
    }

    [Fact]
    public async Task Two_tokens_name_nobody() => Assert.Equal("401", await IdentityPlace.AskAsync(_identity, IdentityPlace.From(
        IdentityPlace.Somewhere, ("Authorization", "Bearer " + Token("kim")), ("Authorization", "Bearer " + Token("kim")))));

    [Fact]
    public async Task A_wrong_token_is_answered_401_invalid_token()
    {
        (var problem, _, string? challenge) = await IdentityPlace.RefusalAsync(_identity, Showing(Stolen("kim")));
        Assert.Equal((401, "Bearer error=\"invalid_token\""), (problem.Status, challenge));
    }

    [Fact]
    public async Task An_address_with_too_many_wrong_tokens_is_told_to_wait_but_a_token_that_is_known_passes()
    {
        string known = Token("kim");
        Assert.Equal("kim", await AskAsync(known));
        for (int i = 0; i < 2 * Rate; i++)
        {
            Assert.Equal("401", await AskAsync(Stolen($"user-{i}")));
        }

        (var problem, string retryAfter, _) = await IdentityPlace.RefusalAsync(_identity, Showing(Token("new")));
        Assert.Equal((429, "1"), (problem.Status, retryAfter));
        Assert.Equal("kim", await AskAsync(known));
        Assert.Equal("lee", await AskAsync(Token("lee"), "198.51.100.9"));

        _time.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal("new", await AskAsync(Token("new")));
    }

    [Fact]
    public async Task Behind_a_trusted_proxy_the_client_s_address_is_told_to_wait_and_no_other()
    {
        for (int i = 0; i < 2 * Rate; i++)
        {
            await AskAsync(Stolen($"user-{i}"), IdentityPlace.Proxy, IdentityPlace.Somewhere);
        }

        Assert.Equal("429", await AskAsync(Token("kim"), IdentityPlace.Proxy, IdentityPlace.Somewhere));
        Assert.Equal("lee", await AskAsync(Token("lee"), IdentityPlace.Proxy, "198.51.100.9"));
    }

    [Fact]
    public async Task Expired_tokens_cost_their_address_nothing()
    {
        string expired = _key.Sign(TokenIssuer.Claims(_issuer.Name, _time.GetUtcNow().AddDays(-1), "kim"));
        for (int i = 0; i < 10 * Rate; i++)
        {
            Assert.Equal("401", await AskAsync(expired));
        }

        Assert.Equal("kim", await AskAsync(Token("kim")));
    }

    [Fact]
    public async Task While_keys_cannot_be_had_the_answer_is_503_with_its_time_and_no_address_is_blamed()
    {
        _issuer.IsDown = true;
        for (int i = 0; i < 10 * Rate; i++)
        {
            (var problem, string retryAfter, string? challenge) = await IdentityPlace.RefusalAsync(_identity, Showing(Token($"user-{i}")));
            Assert.Equal((503, "10", null), (problem.Status, retryAfter, challenge));
        }

        _issuer.IsDown = false;
        _time.Advance(TimeSpan.FromSeconds(10));
        Assert.Equal("kim", await AskAsync(Token("kim")));
    }

    private static HttpRequestView Showing(string token) => IdentityPlace.From(IdentityPlace.Somewhere, ("Authorization", "Bearer " + token));

    private Task<string> AskAsync(string token, string peer = IdentityPlace.Somewhere, string? forwardedFor = null) => IdentityPlace.AskAsync(
        _identity, forwardedFor is null ? IdentityPlace.From(peer, ("Authorization", "Bearer " + token))
            : IdentityPlace.From(peer, ("Authorization", "Bearer " + token), ("X-Forwarded-For", forwardedFor)));

    private string Token(string user) => _key.Sign(TokenIssuer.Claims(_issuer.Name, _time.GetUtcNow(), user));

    private string Stolen(string user) => _thief.Sign(TokenIssuer.Claims(_issuer.Name, _time.GetUtcNow(), user));
}
