// Whether a token (JWT, RFC 7519) is valid, and which user it names.
using Microsoft.IdentityModel.JsonWebTokens;

namespace Estat.Http.Access;

/// <summary>
/// A token is valid when the issuer signed it, by an asymmetric algorithm of a key that it publishes, for this service, and its time is now. What was
/// found valid is known until it expires, in memory that is bounded, and whatever becomes of the issuer. Everything that costs little is looked at
/// before keys and signature. Any thread.
/// </summary>
internal sealed class Tokens : IAsyncDisposable
{
    // With its other headers it has to fit into what Kestrel takes of them.
    private const int Longest = 8192;
    private const string Critical = "crit";

    private readonly TokenOptions _options;
    private readonly TimeProvider _time;
    private readonly JsonWebTokenHandler _handler = new() { MaximumTokenSizeInBytes = Longest };
    private readonly ITokenKeys _keys;

    /// <param name="options">Checked options, of an issuer.</param>
    /// <param name="time">The clock.</param>
    /// <param name="loggers">Where troubles with keys are told.</param>
    /// <exception cref="Base.Options.OptionException">The file of keys cannot be used.</exception>
    internal Tokens(TokenOptions options, TimeProvider time, ILoggerFactory loggers)
    {
        _options = options;
        _time = time;
        bool Lives(DateTime? from, DateTime? until, Microsoft.IdentityModel.Tokens.SecurityToken token,
            Microsoft.IdentityModel.Tokens.TokenValidationParameters rules) =>
            FaultOfTime(from ?? DateTime.MinValue, until ?? DateTime.MinValue) == TokenFault.None;
        _keys = options.JwksFile is null ? new IssuerKeys(options, Lives, time, loggers.CreateLogger<IssuerKeys>())
            : new FileKeys(options, Lives, time, loggers.CreateLogger<FileKeys>());
    }

    /// <summary>Whether keys could not be had when they were last asked for.</summary>
    internal bool AreKeysFailing => _keys.Fails;

    /// <summary>Tokens that are known.</summary>
    internal int Known => _keys.Current?.Known.Count ?? 0;

    /// <summary>Begins to look after the keys.</summary>
    internal void Start() => _keys.Start();

    /// <summary>The user of a token that was found valid before; null for any other. Waits for nothing.</summary>
    internal byte[]? FindKnown(ReadOnlySpan<char> token) => _keys.Current?.Known.Find(token, _time.GetUtcNow());

    /// <summary>Looks at a token that is not known.</summary>
    internal async ValueTask<TokenAnswer> ValidateAsync(string text)
    {
        if (text.Length > Longest || Parse(text) is not { } token)
        {
            return new TokenAnswer(null, TokenFault.Malformed);
        }

        TokenFault fault = FaultOfClaims(token);
        if (fault != TokenFault.None)
        {
            return new TokenAnswer(null, fault);
        }

        (TokenKeySet? keys, TokenKey? key, TimeSpan? wait) = await FindKeyAsync(token).ConfigureAwait(false);
        if (keys is null || key is null)
        {
            return new TokenAnswer(null, wait is null ? TokenFault.UnknownKey : TokenFault.NoKeys, wait ?? TimeSpan.Zero);
        }

        if (!(await _handler.ValidateTokenAsync(token, key.Rules).ConfigureAwait(false)).IsValid)
        {
            return new TokenAnswer(null, TokenFault.Signature); // all else was looked at
        }

        if (TokenClaim.Read(token.EncodedPayload, _options.Claim) is not { } user)
        {
            return new TokenAnswer(null, TokenFault.NoUser);
        }

        // To the keys that it was verified by: if one of them is taken back meanwhile, it is not known to those that follow.
        keys.Known.Add(text, user, EndOf(token.ValidTo));
        return new TokenAnswer(user);
    }

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => _keys.DisposeAsync();

    // What strangers send may be anything: whatever the parser thinks of it, it is no token.
    private static JsonWebToken? Parse(string text)
    {
        try
        {
            var token = new JsonWebToken(text);
            _ = (token.Issuer, token.Audiences, token.ValidTo, token.ValidFrom, token.Kid, token.Alg); // read when asked for
            return token.IsEncrypted || token.TryGetHeaderValue(Critical, out object? _) ? null : token;
        }
        catch (Exception)
        {
            return null;
        }
    }

    private TokenFault FaultOfClaims(JsonWebToken token) =>
        token.Alg is null || !TokenKey.Algorithms.Contains(token.Alg) ? TokenFault.Algorithm
            : token.Issuer != _options.Issuer ? TokenFault.Issuer
            : !token.Audiences.Any(audience => _options.Audiences.Contains(audience, StringComparer.Ordinal)) ? TokenFault.Audience
            : FaultOfTime(token.ValidFrom, token.ValidTo);

    private TokenFault FaultOfTime(DateTime from, DateTime until)
    {
        DateTimeOffset now = _time.GetUtcNow();
        return until == DateTime.MinValue ? TokenFault.Endless
            : now >= EndOf(until) ? TokenFault.Expired
            : from > DateTime.MinValue.Add(_options.ClockSkew) && now.UtcDateTime < from - _options.ClockSkew ? TokenFault.NotYet
            : TokenFault.None;
    }

    private DateTimeOffset EndOf(DateTime until) =>
        new(DateTime.SpecifyKind(until < DateTime.MaxValue - _options.ClockSkew ? until + _options.ClockSkew : DateTime.MaxValue, DateTimeKind.Utc));

    private async ValueTask<(TokenKeySet? Keys, TokenKey? Key, TimeSpan? Wait)> FindKeyAsync(JsonWebToken token)
    {
        TokenKeySet? keys = _keys.Current;
        if (keys?.Find(token.Kid, token.Alg) is { } known)
        {
            return (keys, known, null);
        }

        TimeSpan? wait = await _keys.RenewAsync().ConfigureAwait(false);
        keys = _keys.Current;
        return (keys, keys?.Find(token.Kid, token.Alg), wait);
    }
}
