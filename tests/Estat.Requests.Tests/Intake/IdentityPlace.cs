// What identities are asked, without a server around them.
using System.Net;
using Estat.Http.Answering;
using Estat.Http.ClientAddress;
using Estat.Http.Intake;
using Estat.Http.Metrics;
using Estat.Requests.Intake;
using Estat.Requests.Options;
using Microsoft.AspNetCore.Http;

namespace Estat.Requests.Tests.Intake;

/// <summary>Makes requests as doors see them, and reads what identities answer.</summary>
internal static class IdentityPlace
{
    internal const string Somewhere = "203.0.113.7";
    internal const string Proxy = "10.0.0.7";

    internal static RequestRefusals Refusals { get; } = new(new RequestsOptions(), new RequestCounters());

    /// <summary>A request from an address.</summary>
    internal static HttpRequestView From(string peer, params (string Name, string Value)[] headers)
    {
        var context = new DefaultHttpContext();
        context.Features.Set(Peer.Of(IPAddress.Parse(peer), new TrustedProxies([IPNetwork.Parse("10.0.0.0/8")])));
        foreach ((string name, string value) in headers)
        {
            context.Request.Headers.Append(name, value);
        }

        return new HttpRequestView(context);
    }

    /// <summary>The user as text, or the status of the refusal.</summary>
    internal static async Task<string> AskAsync(IIdentity identity, HttpRequestView request)
    {
        Identified identified = await identity.IdentifyAsync(request);
        Assert.NotEqual(identified.User is null, identified.Refusal is null);
        return identified.User?.Text ?? $"{identified.Refusal!.Problem.Status}";
    }

    /// <summary>The refusal, which there has to be.</summary>
    internal static async Task<(Problem Problem, string RetryAfter, string? Challenge)> RefusalAsync(IIdentity identity, HttpRequestView request)
    {
        Identified identified = await identity.IdentifyAsync(request);
        Assert.Null(identified.User);
        return (identified.Refusal!.Problem, identified.Refusal.RetryAfter.ToString(), identified.Refusal.Problem.Header?.Value);
    }
}
