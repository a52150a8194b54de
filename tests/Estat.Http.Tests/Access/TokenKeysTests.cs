// Where an issuer's keys come from, what happens when they change, and when they cannot be had.
using System.Text.Json.Nodes;
using Estat.Base.Options;
using Estat.Http.Access;
using Estat.Tests.Support;
using Microsoft.Extensions.Logging;

namespace Estat.Http.Tests.Access;

public sealed class TokenKeysTests : IAsyncLifetime
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(30);
    private readonly ManualTimeProvider _time = new();
    private readonly LogLines _log = new();
    private readonly TempFolder _folder = new();
    private readonly SigningKey _first = SigningKey.New("k1");
    private readonly SigningKey _second = SigningKey.New("k2");
    private TokenIssuer _issuer = null!;

    public async ValueTask InitializeAsync() => _issuer = await TokenIssuer.StartAsync(_first);

    public async ValueTask DisposeAsync()
    {
        await _issuer.DisposeAsync();
        _first.Dispose();
        _second.Dispose();
        _folder.Dispose();
        _log.Dispose();
    }

    [Fact]
    public async Task A_key_that_the_issuer_adds_is_fetched_when_a_token_names_it_and_nobody_is_signed_out()
    {
        await using Tokens tokens = Open();
        string before = Token(_first, "kim");
        Assert.Equal(TokenFault.None, (await tokens.ValidateAsync(before)).Fault);

        _issuer.Keys = [_first, _second];
        _time.Advance(IssuerKeys.Least);
        Assert.Equal(TokenFault.None, (await tokens.ValidateAsync(Token(_second, "lee"))).Fault);
        Assert.NotNull(tokens.FindKnown(before));
        Assert.Equal(2, _issuer.Asked);
    }

    [Fact]
    public async Task When_a_key_is_taken_back_what_it_signed_is_known_no_more()
    {
        await using Tokens tokens = Open();
        tokens.Start();
        string before = Token(_first, "kim");
        Assert.Equal(TokenFault.None, (await tokens.ValidateAsync(before)).Fault);

        _issuer.Keys = [_second];
        _time.Advance(IssuerKeys.Interval);
        await Wait.UntilAsync(() => tokens.FindKnown(before) is null, Limit, "the token of the key that was taken back to be forgotten");
        Assert.Equal(TokenFault.UnknownKey, (await tokens.ValidateAsync(before)).Fault);
    }

    [Fact]
    public async Task A_key_with_an_old_name_is_another_key()
    {
        await using Tokens tokens = Open();
        string before = Token(_first, "kim");
        Assert.Equal(TokenFault.None, (await tokens.ValidateAsync(before)).Fault);

        using SigningKey sameName = SigningKey.New("k1");
        _issuer.Keys = [sameName, _second];
        _time.Advance(IssuerKeys.Least);
        Assert.Equal(TokenFault.None, (await tokens.ValidateAsync(Token(_second, "lee"))).Fault);
        Assert.Null(tokens.FindKnown(before));
        Assert.Equal(TokenFault.Signature, (await tokens.ValidateAsync(before)).Fault);
    }

    [Fact]
    public async Task A_flood_of_tokens_with_made_up_keys_asks_the_issuer_once_in_a_while()
    {
        await using Tokens tokens = Open();
        SigningKey[] made = [.. Enumerable.Range(0, 50).Select(n => SigningKey.New($"made-up-{n}"))];
        TokenAnswer[] answers = await Task.WhenAll(made.Select(key => tokens.ValidateAsync(Token(key, "kim")).AsTask()));
        Assert.All(answers, answer => Assert.Equal(TokenFault.UnknownKey, answer.Fault));
        Assert.Equal(1, _issuer.Asked);

        _time.Advance(IssuerKeys.Least - TimeSpan.FromMilliseconds(1));
        Assert.Equal(TokenFault.UnknownKey, (await tokens.ValidateAsync(Token(made[0], "kim"))).Fault);
        Assert.Equal(1, _issuer.Asked);
        _time.Advance(TimeSpan.FromMilliseconds(1));
        Assert.Equal(TokenFault.UnknownKey, (await tokens.ValidateAsync(Token(made[0], "kim"))).Fault);
        Assert.Equal(2, _issuer.Asked);
        Array.ForEach(made, key => key.Dispose());
    }

    [Fact]
    public async Task All_who_need_a_key_wait_for_one_fetch_of_it()
    {
        var gate = new TaskCompletionSource();
        _issuer.MayAnswer = gate.Task;
        await using Tokens tokens = Open();
        Task<TokenAnswer>[] asked = [.. Enumerable.Range(0, 20).Select(n => tokens.ValidateAsync(Token(_first, $"user-{n}")).AsTask())];
        await Wait.UntilAsync(() => _issuer.Asked == 1, Limit, "the issuer to be asked");
        Assert.DoesNotContain(asked, answer => answer.IsCompleted);
        gate.SetResult();
        Assert.All(await Task.WhenAll(asked), answer => Assert.Equal(TokenFault.None, answer.Fault));
        Assert.Equal(1, _issuer.Asked);
    }

    [Fact]
    public async Task While_the_issuer_is_away_known_tokens_and_known_keys_hold_and_others_are_told_to_come_back()
    {
        await using Tokens tokens = Open();
        string known = Token(_first, "kim");
        Assert.Equal(TokenFault.None, (await tokens.ValidateAsync(known)).Fault);

        _issuer.IsDown = true;
        _time.Advance(IssuerKeys.Least);
        TokenAnswer other = await tokens.ValidateAsync(Token(_second, "lee"));
        Assert.Equal((TokenFault.NoKeys, IssuerKeys.Least), (other.Fault, other.Wait));
        Assert.True(tokens.AreKeysFailing);
        Assert.NotNull(tokens.FindKnown(known));
        Assert.Equal(TokenFault.None, (await tokens.ValidateAsync(Token(_first, "park"))).Fault);

        _time.Advance(TimeSpan.FromSeconds(4));
        other = await tokens.ValidateAsync(Token(_second, "lee"));
        Assert.Equal((TokenFault.NoKeys, IssuerKeys.Least - TimeSpan.FromSeconds(4)), (other.Fault, other.Wait));

        _issuer.IsDown = false;
        _issuer.Keys = [_first, _second];
        _time.Advance(TimeSpan.FromSeconds(6));
        Assert.Equal(TokenFault.None, (await tokens.ValidateAsync(Token(_second, "lee"))).Fault);
        Assert.False(tokens.AreKeysFailing);
    }

    [Fact]
    public async Task An_issuer_that_stays_away_is_told_once_and_once_more_when_it_is_back()
    {
        _issuer.IsDown = true;
        await using Tokens tokens = Open();
        for (int i = 0; i < 3; i++)
        {
            Assert.Equal(TokenFault.NoKeys, (await tokens.ValidateAsync(Token(_first, "kim"))).Fault);
            _time.Advance(IssuerKeys.Least);
        }

        Assert.Contains(_issuer.Name, Assert.Single(_log.Of(LogLevel.Error)), StringComparison.Ordinal);
        _issuer.IsDown = false;
        Assert.Equal(TokenFault.None, (await tokens.ValidateAsync(Token(_first, "kim"))).Fault);
        Assert.EndsWith("k1", Assert.Single(_log.Of(LogLevel.Information)), StringComparison.Ordinal);
        Assert.Single(_log.Of(LogLevel.Error));
    }

    [Fact]
    public async Task A_page_of_another_issuer_gives_no_keys()
    {
        _issuer.CallsItself = "https://elsewhere.example";
        await using Tokens tokens = Open();
        Assert.Equal(TokenFault.NoKeys, (await tokens.ValidateAsync(Token(_first, "kim"))).Fault);
        Assert.Contains("https://elsewhere.example", Assert.Single(_log.Of(LogLevel.Error)), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("http://keys.example/keys")]
    [InlineData("file:///etc/keys")]
    [InlineData("keys")]
    public async Task Keys_are_not_fetched_over_a_way_that_others_can_write_on(string address)
    {
        _issuer.KeysAt = address;
        await using Tokens tokens = Open();
        Assert.Equal(TokenFault.NoKeys, (await tokens.ValidateAsync(Token(_first, "kim"))).Fault);
        Assert.Contains($"{address} is no https URL", Assert.Single(_log.Of(LogLevel.Error)), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_file_of_keys_is_read_again_when_it_changes()
    {
        File.WriteAllText(_folder["jwks"], SigningKey.Jwks(_first));
        await using Tokens tokens = Open(_folder["jwks"]);
        tokens.Start();
        string before = Token(_first, "kim");
        Assert.Equal(TokenFault.None, (await tokens.ValidateAsync(before)).Fault);
        Assert.Equal(TokenFault.UnknownKey, (await tokens.ValidateAsync(Token(_second, "lee"))).Fault);

        File.WriteAllText(_folder["jwks"], SigningKey.Jwks(_second));
        await UntilAsync(async () => (await tokens.ValidateAsync(Token(_second, "lee"))).Fault == TokenFault.None, "the new key to hold");
        Assert.Null(tokens.FindKnown(before));
        Assert.Equal(TokenFault.UnknownKey, (await tokens.ValidateAsync(before)).Fault);
        Assert.Equal(0, _issuer.Asked);
    }

    [Fact]
    public async Task A_file_of_keys_that_breaks_changes_nothing_but_the_log()
    {
        File.WriteAllText(_folder["jwks"], SigningKey.Jwks(_first));
        await using Tokens tokens = Open(_folder["jwks"]);
        tokens.Start();
        File.WriteAllText(_folder["jwks"], "{\"keys\":[");
        await UntilAsync(() => Task.FromResult(tokens.AreKeysFailing), "the broken file to be noticed");
        Assert.Equal(TokenFault.None, (await tokens.ValidateAsync(Token(_first, "kim"))).Fault);
        Assert.Equal(TokenFault.NoKeys, (await tokens.ValidateAsync(Token(_second, "lee"))).Fault);
        await Wait.UntilAsync(() => _log.Of(LogLevel.Error).Length > 0, Limit, "the log's line about it"); // it is noted first, then logged
        Assert.Single(_log.Of(LogLevel.Error));
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("keys")]
    [InlineData("{\"keys\":[]}")]
    [InlineData("{\"keys\":[{\"kty\":\"oct\",\"k\":\"c2VjcmV0\",\"kid\":\"k1\"}]}")]
    [InlineData("{\"keys\":[{\"kty\":\"RSA\",\"n\":\"!\",\"e\":\"AQAB\"}]}")]
    public void A_file_without_a_key_that_can_verify_ends_the_start_with_one_line(string? content)
    {
        if (content is not null)
        {
            File.WriteAllText(_folder["jwks"], content);
        }

        string message = Assert.Throws<OptionException>(() => Open(_folder["jwks"])).Message;
        Assert.StartsWith("JWT_JWKS_FILE=", message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', message);
    }

    [Fact]
    public async Task As_many_tokens_are_known_as_may_be_and_those_that_are_shown_again_stay()
    {
        await using Tokens tokens = Open(cache: 10);
        string regular = Token(_first, "regular");
        await tokens.ValidateAsync(regular);
        for (int i = 0; i < 100; i++)
        {
            string once = Token(_first, $"user-{i}");
            await tokens.ValidateAsync(once);
            Assert.NotNull(tokens.FindKnown(once));
            Assert.NotNull(tokens.FindKnown(regular));
            Assert.InRange(tokens.Known, 1, 10);
        }

        Assert.Null(tokens.FindKnown(Token(_first, "user-0")));
    }

    [Fact]
    public void Finding_a_known_token_allocates_nothing()
    {
        var known = new KnownTokens(10);
        string token = Token(_first, "kim");
        known.Add(token, [1], DateTimeOffset.MaxValue);
        _ = known.Find(token, _time.GetUtcNow());
        DateTimeOffset now = _time.GetUtcNow();
        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int i = 0; i < 100; i++)
        {
            _ = known.Find(token, now);
        }

        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
    }

    private Tokens Open(string? file = null, int cache = 1000) =>
        new(new TokenOptions { Issuer = _issuer.Name, Audiences = ["shop"], JwksFile = file, Cache = cache }, _time, _log);

    // The same text each time, while the clock stands: a signature of ECDSA is another one each time, so texts are kept.
    private readonly Dictionary<(SigningKey Key, string User), string> _made = [];

    private string Token(SigningKey key, string user)
    {
        if (!_made.TryGetValue((key, user), out string? token))
        {
            JsonObject claims = TokenIssuer.Claims(_issuer.Name, _time.GetUtcNow(), user);
            _made.Add((key, user), token = key.Sign(claims));
        }

        return token;
    }

    private Task UntilAsync(Func<Task<bool>> condition, string what) => Wait.UntilAsync(
        async () =>
        {
            _time.Advance(TimeSpan.FromSeconds(1));
            return await condition();
        },
        Limit, what);
}
