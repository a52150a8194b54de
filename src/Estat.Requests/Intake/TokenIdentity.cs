// A user that a signed token names: JWT_ISSUER.
using Estat.Base.Access;
using Estat.Http.Access;
using Estat.Http.Intake;
using Estat.Requests.Campaigns;
using Microsoft.Extensions.Primitives;

namespace Estat.Requests.Intake;

/// <summary>
/// A token that is known to be valid passes at once, whatever else came from its address: behind one NAT there are thousands. Any other is verified
/// unless its address has shown too many wrong ones, because a wrong signature costs as much work as a right one. Headers say nothing here.
/// </summary>
/// <param name="tokens">Which tokens are valid. Its owner's.</param>
/// <param name="failures">Wrong tokens, by client address.</param>
/// <param name="refusals">The answers.</param>
internal sealed class TokenIdentity(Tokens tokens, AddressLimits failures, RequestRefusals refusals) : IIdentity
{
    private const string Scheme = "Bearer ";

    /// <inheritdoc/>
    public ValueTask<Identified> IdentifyAsync(HttpRequestView request)
    {
        ReadOnlySpan<char> token = TokenOf(request.Authorization);
        return token.IsEmpty ? ValueTask.FromResult(new Identified(null, refusals.Nobody))
            : tokens.FindKnown(token) is { } known ? ValueTask.FromResult(new Identified(UserId.Of(known), null))
            : VerifyAsync(request.Peer.AddressOf(request), token.ToString());
    }

    private static ReadOnlySpan<char> TokenOf(StringValues authorization) =>
        authorization is [{ } only] && only.StartsWith(Scheme, StringComparison.OrdinalIgnoreCase) ? only.AsSpan(Scheme.Length).Trim() : default;

    private async ValueTask<Identified> VerifyAsync(ulong address, string token)
    {
        if (!failures.TryTake(address, 0, out TimeSpan wait))
        {
            return new Identified(null, refusals.OverFailures(wait));
        }

        TokenAnswer answer = await tokens.ValidateAsync(token).ConfigureAwait(false);
        if (answer.User is { } user)
        {
            return new Identified(UserId.Of(user), null);
        }

        if (answer.Fault == TokenFault.NoKeys)
        {
            return new Identified(null, refusals.NoTokenKeys(answer.Wait));
        }

        // Honest apps show expired ones, thousands at once behind one NAT; they are found out before any signature.
        if (answer.Fault is not (TokenFault.Expired or TokenFault.NotYet))
        {
            _ = failures.TryTake(address, 1, out _);
        }

        return new Identified(null, refusals.OfToken(answer.Fault));
    }
}
