// A public key of an issuer, and what it may verify.
using Microsoft.IdentityModel.Tokens;

namespace Estat.Http.Access;

/// <summary>
/// A key verifies by the algorithms of its own kind alone. So a token that is signed by HS256 with the public key as its secret meets no key,
/// whatever its header says. Never changed.
/// </summary>
internal sealed class TokenKey
{
    // RFC 7518, 3.3.
    private const int LeastRsaBits = 2048;

    private static readonly string[] Rsa =
    [
        SecurityAlgorithms.RsaSha256, SecurityAlgorithms.RsaSha384, SecurityAlgorithms.RsaSha512, SecurityAlgorithms.RsaSsaPssSha256,
        SecurityAlgorithms.RsaSsaPssSha384, SecurityAlgorithms.RsaSsaPssSha512,
    ];

    private readonly string[] _algorithms;

    private TokenKey(JsonWebKey key, string[] algorithms, TokenOptions options, LifetimeValidator lives)
    {
        Id = key.Kid ?? "";
        Thumbprint = Convert.ToHexString(key.ComputeJwkThumbprint());
        _algorithms = algorithms;
        Rules = new TokenValidationParameters
        {
            IssuerSigningKey = key,
            TryAllIssuerSigningKeys = true, // this one: the token may name none
            ValidAlgorithms = algorithms,
            ValidIssuer = options.Issuer,
            ValidAudiences = options.Audiences,
            LifetimeValidator = lives,
            RequireSignedTokens = true,
            RequireExpirationTime = true,
        };
    }

    /// <summary>Every algorithm that any key may verify by.</summary>
    internal static IReadOnlySet<string> Algorithms { get; } = new HashSet<string>(
        [.. Rsa, SecurityAlgorithms.EcdsaSha256, SecurityAlgorithms.EcdsaSha384, SecurityAlgorithms.EcdsaSha512], StringComparer.Ordinal);

    /// <summary>Its name; empty without.</summary>
    internal string Id { get; }

    /// <summary>What tells it apart from any other key, whatever its name.</summary>
    internal string Thumbprint { get; }

    /// <summary>How a token is verified by it.</summary>
    internal TokenValidationParameters Rules { get; }

    /// <summary>Whether it verifies by this algorithm.</summary>
    internal bool Fits(string algorithm) => Array.IndexOf(_algorithms, algorithm) >= 0;

    /// <summary>A key of a set; null when it cannot verify signatures, or not safely.</summary>
    /// <param name="key">The key.</param>
    /// <param name="options">What tokens have to say.</param>
    /// <param name="lives">Whether a token's time is now.</param>
    internal static TokenKey? Of(JsonWebKey key, TokenOptions options, LifetimeValidator lives)
    {
        try
        {
            string[] algorithms = AlgorithmsOf(key);
            return algorithms.Length == 0 ? null : new TokenKey(key, algorithms, options, lives);
        }
        catch (Exception error) when (error is ArgumentException or FormatException)
        {
            return null; // its numbers are none
        }
    }

    private static string[] AlgorithmsOf(JsonWebKey key)
    {
        bool verifies = string.IsNullOrEmpty(key.Use) || key.Use == JsonWebKeyUseNames.Sig;
        verifies &= key.KeyOps.Count == 0 || key.KeyOps.Contains("verify");
        string[] byKind = !verifies ? []
            : key is { Kty: JsonWebAlgorithmsKeyTypes.RSA, N: not null, E: not null } ? key.KeySize >= LeastRsaBits ? Rsa : []
            : key is { Kty: JsonWebAlgorithmsKeyTypes.EllipticCurve, X: not null, Y: not null } ? OfCurve(key.Crv)
            : [];
        return string.IsNullOrEmpty(key.Alg) ? byKind : [.. byKind.Where(algorithm => algorithm == key.Alg)];
    }

    private static string[] OfCurve(string? curve) => curve switch
    {
        JsonWebKeyECTypes.P256 => [SecurityAlgorithms.EcdsaSha256],
        JsonWebKeyECTypes.P384 => [SecurityAlgorithms.EcdsaSha384],
        JsonWebKeyECTypes.P521 => [SecurityAlgorithms.EcdsaSha512],
        _ => [],
    };
}
