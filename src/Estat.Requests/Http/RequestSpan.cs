// What the span of an HTTP request to Requests says: which path, which campaign, which request. Never who sent it.
using Estat.Base.Metrics;
using Estat.Requests.Campaigns;

namespace Estat.Requests.Http;

/// <summary>Writes to the span of the HTTP request that is being handled; where it is not traced, every method costs one check.</summary>
internal static class RequestSpan
{
    /// <summary>Names it after the path without its ids, so that spans of one kind have one name.</summary>
    internal static void OnRouted(string method, RequestPath path)
    {
        if (EstatActivities.Current is not { } span || path.Template.Length == 0)
        {
            return;
        }

        span.DisplayName = $"{(method is "GET" or "POST" or "DELETE" ? method : "HTTP")} {path.Template}";
        if (path.Resource is not (RequestResource.Request or RequestResource.Mine))
        {
            span.SetTag("estat.campaign", path.Id);
        }
    }

    /// <summary>It is about this request.</summary>
    internal static void OnFound(RequestRecord request) =>
        EstatActivities.Current?.SetTag("estat.request_id", request.Id.ToString()).SetTag("estat.state", request.State.ToText());
}
