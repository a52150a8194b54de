// Who may see the pages of whoever runs a node.
using System.Net;
using System.Security.Cryptography;
using System.Text;
using Estat.Api.Http;
using Estat.Core.Metrics;
using Estat.Core.Options;

namespace Estat.Api.Access;

/// <summary>Lets callers through who come from this machine, or who know ADMIN_TOKEN.</summary>
/// <param name="options">ADMIN_TOKEN; without one it lets in loopback only.</param>
/// <param name="instruments">Where refusals are counted.</param>
internal sealed class AdminAccess(EstatOptions options, EstatInstruments instruments)
{
    private const string Scheme = "Bearer ";

    private static readonly Problem Refused = Problem.Of(
        StatusCodes.Status401Unauthorized, "This page is for callers from the node itself, or with Authorization: Bearer and its ADMIN_TOKEN.");

    private readonly byte[]? _token = options.AdminToken is null ? null : Encoding.UTF8.GetBytes(options.AdminToken);

    /// <summary>What stands before <paramref name="next"/>.</summary>
    internal RequestDelegate Guard(RequestDelegate next) => context =>
    {
        if (IsFromHere(context) || HasToken(context))
        {
            return next(context);
        }

        instruments.OnAdminRefused();
        context.Response.Headers.WWWAuthenticate = "Bearer";
        return Refused.WriteAsync(context);
    };

    // A proxy on this machine comes from loopback as well, on behalf of anybody; it says so.
    private static bool IsFromHere(HttpContext context) =>
        context.Connection.RemoteIpAddress is { } peer && IPAddress.IsLoopback(peer.IsIPv4MappedToIPv6 ? peer.MapToIPv4() : peer)
        && !context.Request.Headers.ContainsKey("X-Forwarded-For") && !context.Request.Headers.ContainsKey("Forwarded")
        && !context.Request.Headers.ContainsKey("Via");

    private bool HasToken(HttpContext context) =>
        _token is not null && context.Request.Headers.Authorization is [{ } value]
        && value.StartsWith(Scheme, StringComparison.OrdinalIgnoreCase)
        && CryptographicOperations.FixedTimeEquals(Encoding.UTF8.GetBytes(value[Scheme.Length..].Trim()), _token);
}
