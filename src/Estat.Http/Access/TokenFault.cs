// What can be wrong with a token.
namespace Estat.Http.Access;

/// <summary>Why a token says nothing of its sender.</summary>
internal enum TokenFault
{
    /// <summary>Nothing.</summary>
    None,

    /// <summary>It cannot be read, or wants what is not understood here.</summary>
    Malformed,

    /// <summary>It is not signed, or in a way that anybody who knows the public key could.</summary>
    Algorithm,

    /// <summary>Somebody else made it.</summary>
    Issuer,

    /// <summary>It is for another service.</summary>
    Audience,

    /// <summary>It has no end.</summary>
    Endless,

    /// <summary>It was valid once.</summary>
    Expired,

    /// <summary>It will be valid.</summary>
    NotYet,

    /// <summary>The issuer has no such key.</summary>
    UnknownKey,

    /// <summary>The issuer did not sign it.</summary>
    Signature,

    /// <summary>It is valid, and names no user in the claim that counts.</summary>
    NoUser,

    /// <summary>It may be valid: the issuer's keys could not be fetched.</summary>
    NoKeys,
}

/// <summary>What a token says.</summary>
/// <param name="User">The user that it names, as UTF-8; null when it says nothing.</param>
/// <param name="Fault">Why then.</param>
/// <param name="Wait">Of <see cref="TokenFault.NoKeys"/>: after how long keys are fetched again.</param>
internal readonly record struct TokenAnswer(byte[]? User, TokenFault Fault = TokenFault.None, TimeSpan Wait = default);
