// The keys of an issuer as they are at one time, and the tokens that were found valid by them.
using Microsoft.IdentityModel.Tokens;

namespace Estat.Http.Access;

/// <summary>
/// A set is replaced as a whole. The next set takes over the known tokens if it has every key of the one before; when a key is gone, which is how an
/// issuer takes back what it has signed, all tokens are verified again. Keys are never changed. Any thread.
/// </summary>
internal sealed class TokenKeySet
{
    // An issuer has two or three. Each token is looked up in all of them.
    private const int Most = 100;

    private readonly TokenKey[] _keys;

    private TokenKeySet(TokenKey[] keys, KnownTokens known)
    {
        _keys = keys;
        Known = known;
    }

    /// <summary>Tokens that were found valid by these keys.</summary>
    internal KnownTokens Known { get; }

    /// <summary>Names of the keys, for the log.</summary>
    internal string Names => string.Join(", ", _keys.Select(key => key.Id.Length > 0 ? key.Id : "(without a name)"));

    /// <summary>The set that follows another one.</summary>
    /// <param name="before">The one that held until now; null for the first.</param>
    /// <param name="keys">As the issuer publishes them. What cannot verify signatures is left out.</param>
    /// <param name="options">What tokens have to say.</param>
    /// <param name="lives">Whether a token's time is now.</param>
    /// <exception cref="InvalidDataException">No key is left, or there are too many.</exception>
    internal static TokenKeySet After(TokenKeySet? before, JsonWebKeySet keys, TokenOptions options, LifetimeValidator lives)
    {
        TokenKey[] usable = keys.Keys.Count > Most ? throw new InvalidDataException($"it has more than {Most} keys")
            : [.. keys.Keys.Select(key => TokenKey.Of(key, options, lives)).OfType<TokenKey>()];
        return usable.Length == 0
            ? throw new InvalidDataException("it has no public key that verifies signatures: RSA of 2048 bits or more, or P-256, P-384, P-521")
            : new TokenKeySet(usable, before is not null && before.IsWithin(usable) ? before.Known : new KnownTokens(options.Cache));
    }

    /// <summary>The key that a token names; null when there is none. A token that names none is verified only where one key can be
    /// meant.</summary>
    internal TokenKey? Find(string? name, string algorithm)
    {
        TokenKey? found = null;
        foreach (TokenKey key in _keys)
        {
            if (!key.Fits(algorithm) || (!string.IsNullOrEmpty(name) && key.Id != name))
            {
                continue;
            }

            if (found is not null)
            {
                return string.IsNullOrEmpty(name) ? null : found;
            }

            found = key;
        }

        return found;
    }

    private bool IsWithin(TokenKey[] keys) =>
        _keys.All(key => keys.Any(other => other.Thumbprint == key.Thumbprint && other.Id == key.Id));
}
