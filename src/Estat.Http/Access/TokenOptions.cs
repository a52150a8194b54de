// Whose tokens say who a user is.
namespace Estat.Http.Access;

/// <summary>Units and bounds stand in <see cref="TokenOptionTable"/>.</summary>
public sealed record TokenOptions
{
    /// <summary>Who signs tokens: their <c>iss</c>, exactly. Null: users have no tokens.</summary>
    public string? Issuer { get; init; }

    /// <summary>Whom tokens must be for: one of these has to be in their <c>aud</c>.</summary>
    public IReadOnlyList<string> Audiences { get; init; } = [];

    /// <summary>File of the issuer's public keys, read again when it changes; null fetches them from the issuer.</summary>
    public string? JwksFile { get; init; }

    /// <summary>The claim that names the user.</summary>
    public string Claim { get; init; } = "sub";

    /// <summary>How far the issuer's clock may be off.</summary>
    public TimeSpan ClockSkew { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>Tokens that are remembered as valid.</summary>
    public int Cache { get; init; } = 100_000;

    /// <summary>Wrong tokens a second from one client address.</summary>
    public double FailureRate { get; init; } = 20;

    /// <summary>Whether tokens say who a user is.</summary>
    public bool AreConfigured => Issuer is not null;
}
