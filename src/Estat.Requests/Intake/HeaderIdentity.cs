// A user that a proxy or a server in front names in a header: REQUESTS_USER_HEADER.
using System.Net;
using Estat.Http.Intake;
using Estat.Requests.Campaigns;

namespace Estat.Requests.Intake;

/// <summary>
/// The header is believed from a trusted proxy alone, and only when it came once: of two, the client may have written one. Proxies join two into one
/// with a comma between them, so that a value with a comma names nobody; else one client could be as many users as it likes. A server that listens on
/// loopback believes everybody on the machine, as nobody else reaches it.
/// </summary>
/// <param name="header">REQUESTS_USER_HEADER.</param>
/// <param name="isLoopback">Whether the server listens on loopback alone.</param>
/// <param name="refusals">The answers.</param>
internal sealed class HeaderIdentity(string header, bool isLoopback, RequestRefusals refusals) : IIdentity
{
    /// <inheritdoc/>
    public ValueTask<Identified> IdentifyAsync(HttpRequestView request)
    {
        bool isBelieved = request.Peer.IsTrustedProxy || (isLoopback && IPAddress.IsLoopback(request.Peer.Address));
        UserId? user = isBelieved && request.Header(header) is [{ } name] && !name.Contains(',', StringComparison.Ordinal)
            ? UserId.OfHeader(name) : null;
        return ValueTask.FromResult(new Identified(user, user is null ? refusals.Nobody : null));
    }
}
