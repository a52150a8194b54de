// The paths of users: which method goes where.
using Estat.Http.Access;
using Estat.Http.Answering;
using Estat.Http.Connections;
using Estat.Http.Intake;
using Estat.Http.Metrics;
using Estat.Http.Routing;
using Estat.Requests.Campaigns;
using Estat.Requests.Intake;
using Estat.Requests.Storing;
using Microsoft.AspNetCore.Http;

namespace Estat.Requests.Http;

/// <summary>Finds who answers. Everything that needs a user asks <see cref="IIdentity"/> first.</summary>
internal sealed class RequestRoutes
{
    private readonly AcceptEndpoint _accept;
    private readonly StatusEndpoint _status;
    private readonly CampaignEndpoint _campaigns;
    private readonly IIdentity _identity;
    private readonly UserCors _cors;
    private readonly RequestCounters _requests;
    private readonly HttpRequestEnd _end;
    private readonly RequestRefusals _refusals;

    internal RequestRoutes(
        AcceptEndpoint accept, StatusEndpoint status, CampaignEndpoint campaigns, IIdentity identity, UserCors cors, RequestRefusals refusals,
        (RequestCounters Counters, HttpRequestEnd End) requests)
    {
        _accept = accept;
        _status = status;
        _campaigns = campaigns;
        _identity = identity;
        _cors = cors;
        _refusals = refusals;
        (_requests, _end) = requests;
    }

    /// <summary>Who handles the paths below which first segment.</summary>
    internal IReadOnlyDictionary<string, PathHandler> Trees => new Dictionary<string, PathHandler>(StringComparer.Ordinal)
    {
        ["/campaigns"] = HandleAsync,
        ["/requests"] = HandleAsync,
        ["/me"] = HandleAsync,
    };

    private Task HandleAsync(HttpContext context, ConnectionSeat? seat)
    {
        _requests.Started.Increment();
        return _end.RunAsync(context, seat, TryRouteAsync);
    }

    private async Task TryRouteAsync(HttpContext context)
    {
        try
        {
            await RouteAsync(context).ConfigureAwait(false);
        }
        catch (StoreException error)
        {
            await HttpAnswers.WriteAsync(context, HttpMethods.IsPost(context.Request.Method) ? _refusals.Of(error) : _refusals.NotNow)
                .ConfigureAwait(false);
        }
    }

    private Task RouteAsync(HttpContext context)
    {
        var path = RequestPath.Of(context.Request.Path.Value!);
        string method = HttpMethods.IsHead(context.Request.Method) ? HttpMethods.Get : context.Request.Method;
        string allowed = AllowedAt(path.Resource);
        if (allowed.Length == 0)
        {
            return HttpAnswers.WriteAsync(context, _refusals.NoPath);
        }

        if (method == HttpMethods.Options)
        {
            return _cors.PreflightAsync(context, allowed);
        }

        RequestSpan.OnRouted(method, path);
        _cors.Show(context);
        return (path.Resource, method) switch
        {
            (RequestResource.Campaign, "GET") => _campaigns.ShowAsync(context, path.Id),
            (RequestResource.Draw, "GET") => _campaigns.ShowDrawAsync(context, path.Id),
            (RequestResource.DrawList, "GET") => _campaigns.ListDrawAsync(context, path.Id),
            (RequestResource.Requests, "POST") => AsUserAsync(context, user => _accept.HandleAsync(context, path.Id, user)),
            (RequestResource.Request, "GET") => AsUserAsync(context, user => _status.ShowAsync(context, path.Id, user)),
            (RequestResource.Request, "DELETE") => AsUserAsync(context, user => _status.WithdrawAsync(context, path.Id, user)),
            (RequestResource.Mine, "GET") => AsUserAsync(context, user => _status.ListAsync(context, user)),
            _ => Problem.NotAllowedAsync(context, allowed),
        };
    }

    private async Task AsUserAsync(HttpContext context, Func<UserId, Task> handle)
    {
        Identified identified = await _identity.IdentifyAsync(new HttpRequestView(context)).ConfigureAwait(false);
        await (identified.User is { } user ? handle(user) : HttpAnswers.WriteAsync(context, identified.Refusal ?? _refusals.Nobody))
            .ConfigureAwait(false);
    }

    private static string AllowedAt(RequestResource resource) => resource switch
    {
        RequestResource.None => "",
        RequestResource.Requests => "POST, OPTIONS",
        RequestResource.Request => "GET, HEAD, DELETE, OPTIONS",
        _ => "GET, HEAD, OPTIONS",
    };
}
