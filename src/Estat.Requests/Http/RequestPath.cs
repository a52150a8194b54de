// The paths of Requests, taken apart.
namespace Estat.Requests.Http;

/// <summary>What a path asks for.</summary>
internal enum RequestResource
{
    /// <summary>No path of Requests.</summary>
    None,

    /// <summary><c>/campaigns/{id}</c>.</summary>
    Campaign,

    /// <summary><c>/campaigns/{id}/requests</c>.</summary>
    Requests,

    /// <summary><c>/campaigns/{id}/draw</c>.</summary>
    Draw,

    /// <summary><c>/campaigns/{id}/draw/requests</c>.</summary>
    DrawList,

    /// <summary><c>/requests/{id}</c>.</summary>
    Request,

    /// <summary><c>/me/requests</c>.</summary>
    Mine,
}

/// <summary>A path, and the id in it.</summary>
/// <param name="Resource">What.</param>
/// <param name="Id">Which; empty for <see cref="RequestResource.Mine"/>.</param>
internal readonly record struct RequestPath(RequestResource Resource, string Id)
{
    private const string Campaigns = "/campaigns/";
    private const string Single = "/requests/";

    /// <summary>The path with names in the place of ids, as docs and <c>/openapi.json</c> have it; empty for no path of Requests.</summary>
    internal string Template => Resource switch
    {
        RequestResource.Campaign => "/campaigns/{campaignId}",
        RequestResource.Requests => "/campaigns/{campaignId}/requests",
        RequestResource.Draw => "/campaigns/{campaignId}/draw",
        RequestResource.DrawList => "/campaigns/{campaignId}/draw/requests",
        RequestResource.Request => "/requests/{requestId}",
        RequestResource.Mine => "/me/requests",
        _ => "",
    };

    /// <summary>Takes a path apart.</summary>
    internal static RequestPath Of(string path)
    {
        if (path.StartsWith(Campaigns, StringComparison.Ordinal))
        {
            int end = path.IndexOf('/', Campaigns.Length);
            string id = end < 0 ? path[Campaigns.Length..] : path[Campaigns.Length..end];
            RequestResource resource = end < 0 ? RequestResource.Campaign : path.AsSpan(end) switch
            {
                "/requests" => RequestResource.Requests,
                "/draw" => RequestResource.Draw,
                "/draw/requests" => RequestResource.DrawList,
                _ => RequestResource.None,
            };
            return new RequestPath(id.Length == 0 ? RequestResource.None : resource, id);
        }

        return path == "/me/requests" ? new RequestPath(RequestResource.Mine, "")
            : path.StartsWith(Single, StringComparison.Ordinal) && path.Length > Single.Length && path.IndexOf('/', Single.Length) < 0
                ? new RequestPath(RequestResource.Request, path[Single.Length..])
            : default;
    }
}
