// The rows of the options that say whose tokens are believed.
using Estat.Base.Options;
using Option = Estat.Base.Options.OptionSpec<Estat.Http.Access.TokenOptions>;

namespace Estat.Http.Access;

/// <summary>The table of <see cref="TokenOptions"/>.</summary>
internal static class TokenOptionTable
{
    private const int LongestText = 1024;
    private static readonly TokenOptions Default = new();

    /// <summary>In the order in which help and docs list them.</summary>
    internal static IReadOnlyList<Option> All { get; } =
    [
        Option.Text("JWT_ISSUER", "", "an issuer's name: what its tokens have as iss, mostly an https URL",
            "Whose tokens (JWT) say who a user is. The node fetches the issuer's keys, unless JWT_JWKS_FILE has them.",
            IsName, (o, v) => o with { Issuer = v }),
        Option.List<string>("JWT_AUDIENCE", "", "a comma-separated list of names",
            "Whom a token must be for: one of these names has to be in its aud. JWT_ISSUER needs it.",
            text => IsName(text) ? text : null, (o, v) => o with { Audiences = v }),
        Option.Text("JWT_JWKS_FILE", "", "a file's path",
            "JSON file (JWKS) of the issuer's public keys. The node reads it again when it changes, and does not ask the issuer.",
            OptionTexts.IsPath, (o, v) => o with { JwksFile = v }),
        Option.Text("JWT_CLAIM", Default.Claim, "a claim's name", "The claim of a token that names the user. Its value is a text of 1 to 256 bytes.",
            IsName, (o, v) => o with { Claim = v }),
        Option.Duration("JWT_CLOCK_SKEW", Default.ClockSkew, "0", "5m", "How far the issuer's clock and this node's may be apart.",
            (o, v) => o with { ClockSkew = v }),
        Option.Number("JWT_CACHE", Default.Cache, 2, 10_000_000,
            "Tokens that are remembered as valid until they expire, some 200 bytes each. The node verifies the signatures of others.",
            (o, v) => o with { Cache = (int)v }),
        Option.Fraction("JWT_FAILURE_RATE", "20", 0.01, 1_000_000,
            "Wrong tokens a second from one client address (IPv6: a /64). Above it, tokens that are not remembered as valid get 429.",
            (o, v) => o with { FailureRate = v }),
    ];

    /// <summary>Checks what holds between them.</summary>
    internal static void CheckTogether(TokenOptions options)
    {
        if (options.Issuer is not { } issuer)
        {
            string? without = options.Audiences.Count > 0 ? "JWT_AUDIENCE" : options.JwksFile is not null ? "JWT_JWKS_FILE" : null;
            if (without is not null)
            {
                throw new OptionException($"{without} needs JWT_ISSUER, which names whose tokens are believed.");
            }

            return;
        }

        if (options.Audiences.Count == 0)
        {
            throw new OptionException(
                "JWT_ISSUER needs JWT_AUDIENCE: without it, a token that the issuer made for any other service would be believed here.");
        }

        if (options.JwksFile is null && !IsFetchable(issuer))
        {
            throw OptionTexts.Wrong(
                "JWT_ISSUER", issuer, "an https URL (http only on loopback), as the node fetches its keys there. Or set JWT_JWKS_FILE");
        }
    }

    /// <summary>Whether keys may be fetched from there: nobody on the way can exchange them.</summary>
    internal static bool IsSafe(Uri url) => url.Scheme == Uri.UriSchemeHttps || (url.Scheme == Uri.UriSchemeHttp && url.IsLoopback);

    private static bool IsFetchable(string issuer) =>
        Uri.TryCreate(issuer, UriKind.Absolute, out Uri? url) && IsSafe(url) && url.Query.Length == 0 && url.Fragment.Length == 0;

    private static bool IsName(string text) => text.Length is > 0 and <= LongestText && !text.Any(char.IsControl);
}
